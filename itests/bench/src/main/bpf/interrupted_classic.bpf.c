// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* classic.bpf.c, which now and then stands still between finding a packet's flow and counting it there. */
#include "dawdle.h"

#define BEFORE_COUNTING() dawdle_now_and_then()

#include "classic.bpf.c"
