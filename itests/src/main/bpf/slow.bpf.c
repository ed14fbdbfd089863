// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * flowbypass.bpf.c, so slow between finding a packet's flow and counting it there that the flow may end meanwhile and
 * another one may get its slot.
 */
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

#define __sync_fetch_and_add(word, more) ((void)dawdle(), __sync_fetch_and_add(word, more))

#include "flowbypass.bpf.c"
