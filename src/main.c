/* SPDX-License-Identifier: Apache-2.0 */
/* main.c — argument parsing and start order. */
#include "base/base.h"

int main(int argc, char **argv) {
    (void)argc;
    (void)argv;
    puts("ballast " BALLAST_VERSION);
    return 0;
}
