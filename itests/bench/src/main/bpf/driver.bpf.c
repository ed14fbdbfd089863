// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Lets a test run, which repeats one frame, be a random one of many flows each time: writes a number into the frame and
 * goes on with the program that is measured. The numbers are the same in each run that begins with the same state.
 */
#include "frame.h"

#define MAX_OFFSET 63

/* Java's Driver has the same layout. */
struct state {
	__u64 random;
	__u32 first;	/* number */
	__u32 count;	/* of numbers */
	__u32 offset;	/* of the number in the frame, where it is in network byte order; at most MAX_OFFSET */
	__u32 lost;	/* packets that did not reach the program that is measured */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct state);
} states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} measured SEC(".maps");

SEC("xdp")
int driver(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct state *state = bpf_map_lookup_elem(&states, &zero);
	void *data = (void *)(long)ctx->data;
	__be32 *number;

	if (!state)
		return XDP_ABORTED;
	number = data + (state->offset & MAX_OFFSET);
	if ((void *)(number + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	/* Knuth's MMIX generator; its upper bits are the good ones. */
	state->random = state->random * 6364136223846793005ULL + 1442695040888963407ULL;
	*number = bpf_htonl(state->first + ((state->random >> 32) * state->count >> 32));
	bpf_tail_call(ctx, &measured, 0);
	state->lost++;
	return XDP_ABORTED;
}

/* The least that any program costs. */
SEC("xdp")
int drop(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_DROP;
}

/* The least that a program costs which reads packets of IPv4 as those do that look them up; it passes those. */
SEC("xdp")
int parse(struct xdp_md *ctx)
{
	struct frame frame;

	if (!read_frame(ctx, &frame) || frame.type != bpf_htons(ETH_P_IP))
		return XDP_ABORTED;
	return ipv4_ports(&frame) ? XDP_PASS : XDP_ABORTED;
}

char _license[] SEC("license") = "Dual BSD/GPL";
