// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What the scenario classic is measured against, in the design of Suricata's bypass: as classic.bpf.c, but without a time,
 * and with the VLAN ids in the key. IPv4 only. The program is ours, made from the layouts in Flowbypass's classic.h.
 */
#include "frame.h"

#define OUTER_VLAN_SHIFT 1
#define INNER_VLAN_SHIFT 16

struct key {
	__be32 src;
	__be32 dst;
	struct ports ports;
	__u32 rest;	/* 1 for TCP, 0 for UDP; VLAN ids */
};

struct counters {
	__u64 packets;
	__u64 bytes;
};

/* Whoever loads this sets how many flows there can be. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct key);
	__type(value, struct counters);
} flows SEC(".maps");

SEC("xdp")
int suricata(struct xdp_md *ctx)
{
	struct counters *counters;
	struct frame frame;
	struct ports *ports;
	struct iphdr *ip;
	struct key key;

	if (!read_frame(ctx, &frame) || frame.type != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ports = ipv4_ports(&frame);
	if (!ports)
		return XDP_PASS;
	ip = frame.at;
	key.src = ip->saddr;
	key.dst = ip->daddr;
	key.ports = *ports;
	key.rest = (ip->protocol == IPPROTO_TCP) | (frame.vlans & VLAN_ID) << OUTER_VLAN_SHIFT |
		   frame.vlans >> 16 << INNER_VLAN_SHIFT;
	counters = bpf_map_lookup_elem(&flows, &key);
	if (!counters)
		return XDP_PASS;
	counters->packets++;
	counters->bytes += frame.bytes;
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
