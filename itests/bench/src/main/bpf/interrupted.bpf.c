// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* flowbypass.bpf.c, which now and then stands still between finding a packet's flow and counting it there. */
#include "dawdle.h"

#define __sync_fetch_and_add(word, more) (dawdle_now_and_then(), __sync_fetch_and_add(word, more))

#include "flowbypass.bpf.c"
