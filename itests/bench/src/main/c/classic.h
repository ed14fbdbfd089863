/* SPDX-License-Identifier: Apache-2.0 */
/* An entry of libflowbypass's flow_table_v4: a PERCPU_HASH, so there are counters for each CPU. */
#ifndef CLASSIC_H
#define CLASSIC_H

#include <linux/types.h>

struct key {
	__u32 src;
	__u32 dst;
	__u16 ports[2];
	__u32 proto;
};

struct counters {
	__u64 time;
	__u64 packets;
	__u64 bytes;
};

#endif
