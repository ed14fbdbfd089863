// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * flowbypass.bpf.c, so slow between finding a packet's flow and counting it there that the flow may end meanwhile and
 * another one may get its slot.
 */
#include "dawdle.h"

#define __sync_fetch_and_add(word, more) ((void)dawdle(), __sync_fetch_and_add(word, more))

#include "flowbypass.bpf.c"
