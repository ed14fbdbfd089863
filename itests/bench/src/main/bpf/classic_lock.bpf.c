// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* classic.bpf.c with one value for all CPUs, under a spin lock. */
#define LOCKED
#include "classic.bpf.c"
