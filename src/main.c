/* SPDX-License-Identifier: Apache-2.0 */
/* main.c — hands over to the command line; the start order of the rooms is in app/app.c. */
#include "app/cli.h"

int main(int argc, char **argv) {
    return cli_main(argc, argv);
}
