// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* classic.bpf.c with one value for all CPUs, which they add to atomically. */
#define SHARED
#include "classic.bpf.c"
