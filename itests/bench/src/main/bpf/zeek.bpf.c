// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What the scenario classic is measured against, in the design of Zeek's XDP shunter: both directions of a flow are one key
 * with 16-byte addresses, the smaller endpoint first; the value is under a spin lock; a packet whose flow is not there is
 * looked up as one of its pair of hosts. IPv4 only. The program is ours, made from the layouts in Flowbypass's classic.h.
 */
#include "frame.h"
#include <linux/in6.h>

#define MAPPED 0xffff

struct flow {
	struct in6_addr ip1;
	struct in6_addr ip2;
	__u16 port1;
	__u16 port2;
	__u16 proto;
	__u16 outer_vlan;
	__u32 inner_vlan;
};

struct pair {
	struct in6_addr ip1;
	struct in6_addr ip2;
	__u16 outer_vlan;
	__u16 inner_vlan;
};

struct counters {
	struct bpf_spin_lock lock;
	__u64 packets[2];
	__u64 bytes[2];
	__u64 time;
};

/* Whoever loads this sets how many there can be. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct flow);
	__type(value, struct counters);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct pair);
	__type(value, struct counters);
} pairs SEC(".maps");

static __always_inline void set_address(struct in6_addr *to, __be32 from)
{
	to->s6_addr32[2] = bpf_htonl(MAPPED);
	to->s6_addr32[3] = from;
}

static __always_inline int count(struct counters *counters, int backwards, __u64 bytes)
{
	__u64 now = bpf_ktime_get_ns();

	bpf_spin_lock(&counters->lock);
	counters->time = now;
	if (backwards) {
		counters->packets[1]++;
		counters->bytes[1] += bytes;
	} else {
		counters->packets[0]++;
		counters->bytes[0] += bytes;
	}
	bpf_spin_unlock(&counters->lock);
	return XDP_DROP;
}

SEC("xdp")
int zeek(struct xdp_md *ctx)
{
	struct counters *counters;
	struct flow flow = {};
	struct pair pair = {};
	__u16 source, dest;
	struct frame frame;
	struct ports *ports;
	struct iphdr *ip;
	int backwards;

	if (!read_frame(ctx, &frame) || frame.type != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ports = ipv4_ports(&frame);
	if (!ports)
		return XDP_PASS;
	ip = frame.at;
	source = bpf_ntohs(ports->source);
	dest = bpf_ntohs(ports->dest);
	/* Addresses are compared as numbers of this machine, with what is mapped before them the same in both. */
	backwards = ip->saddr > ip->daddr || (ip->saddr == ip->daddr && source > dest);
	set_address(&flow.ip1, backwards ? ip->daddr : ip->saddr);
	set_address(&flow.ip2, backwards ? ip->saddr : ip->daddr);
	flow.port1 = backwards ? dest : source;
	flow.port2 = backwards ? source : dest;
	flow.proto = ip->protocol;
	flow.outer_vlan = frame.vlans & VLAN_ID;
	flow.inner_vlan = frame.vlans >> 16;
	counters = bpf_map_lookup_elem(&flows, &flow);
	if (!counters) {
		pair.ip1 = flow.ip1;
		pair.ip2 = flow.ip2;
		pair.outer_vlan = flow.outer_vlan;
		pair.inner_vlan = flow.inner_vlan;
		counters = bpf_map_lookup_elem(&pairs, &pair);
	}
	return counters ? count(counters, backwards, frame.bytes) : XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
