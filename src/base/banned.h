/* SPDX-License-Identifier: Apache-2.0 */
/*
 * banned.h — functions that have no place here, turned into compile errors.
 * Each has a bounded or reentrant replacement in base/ (buf_printf, str_*, clock_*).
 */
#ifndef BALLAST_BANNED_H
#define BALLAST_BANNED_H

/* The system headers that declare them must come before the poison. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* With clang, glibc's fortified headers make a macro of it. */
#undef sprintf
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok
#pragma GCC poison gmtime localtime ctime asctime atoi atol atoll atof mktemp tmpnam tempnam
#endif
