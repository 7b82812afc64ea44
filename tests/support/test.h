/* cmocka.h does not include what it needs; the order below is load-bearing. */
#pragma once
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
