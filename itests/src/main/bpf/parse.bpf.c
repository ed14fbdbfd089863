// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The parser of the data plane alone, as the verifier takes it: says what it made of a packet. */
#include "parse.h"

struct parsed {
	__u64 addr[4];
	__u64 ports;
	__u32 proto;
	__s32 verdict;		/* FB_PARSED, or the one that passes the packet */
	__u32 direction;
	__u32 tcp_flags;
	__u32 vlans;
	__u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct parsed);
} parsed SEC(".maps");

SEC("xdp")
int parse(struct xdp_md *ctx)
{
	struct fb_packet packet = { .bytes = ctx->data_end - ctx->data };
	struct parsed *result;
	__u32 zero = 0;

	result = bpf_map_lookup_elem(&parsed, &zero);
	if (!result)
		return XDP_ABORTED;
	/* As fb_run() does, each time with another packet. */
	result->verdict = fb_parse_usual(ctx, &packet);
	if (result->verdict != FB_PARSED) {
		struct fb_packet ipv6 = { .bytes = packet.bytes };

		result->verdict = fb_parse_usual_ipv6(ctx, &ipv6);
		packet = ipv6;
	}
	if (result->verdict != FB_PARSED) {
		struct fb_packet unusual = { .bytes = packet.bytes };

		result->verdict = fb_parse(ctx, &unusual);
		packet = unusual;
	}
	result->direction = fb_direction(&packet.tuple);
	fb_key_addr(result->addr, &packet.tuple, result->direction);
	result->ports = (__u32)fb_key_ports(&packet.tuple, result->direction);
	result->proto = fb_key_proto(&packet.tuple);
	result->tcp_flags = packet.tcp_flags;
	result->vlans = packet.tuple.vlans;
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
