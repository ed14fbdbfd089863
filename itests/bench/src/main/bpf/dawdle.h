/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Lets a program stand still in the middle of a packet, as an interrupt or a hypervisor does. */
#ifndef DAWDLE_H
#define DAWDLE_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define DAWDLE_NS 200000
#define DAWDLE_LOOKS 4000	/* at the clock, each worth eight: the verifier wants an end, and follows 8192 branches */

__attribute__((noinline)) int dawdle(void)
{
	__u64 begun = bpf_ktime_get_ns();
	int looks, i;

	for (looks = 0; looks < DAWDLE_LOOKS; looks++) {
		if (bpf_ktime_get_ns() - begun > DAWDLE_NS)
			break;
		for (i = 0; i < 7; i++)
			bpf_ktime_get_ns();
	}
	return looks;
}

/* One time of many, and then for longer than it takes until a flow that is taken out meanwhile is harvested. */
#define DAWDLE_ONE_IN 64
#define DAWDLE_TIMES 10

static __always_inline void dawdle_now_and_then(void)
{
	int i;

	if (bpf_get_prandom_u32() % DAWDLE_ONE_IN)
		return;
	for (i = 0; i < DAWDLE_TIMES; i++)
		dawdle();
}

#endif
