// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What the scenario packet is measured against: a flow is a key in a hash map, its counters are the key's value, one per
 * CPU, and each direction is a key of its own. That is the design of libflowbypass and of Suricata's bypass; the program
 * is ours. A packet of a flow in the map is counted and dropped, every other one is passed. classic_shared.bpf.c and
 * classic_lock.bpf.c have one value for all CPUs.
 */
#include "frame.h"
#include <linux/ipv6.h>

struct key_v4 {
	__be32 src;
	__be32 dst;
	struct ports ports;
	__u32 proto;
};

struct key_v6 {
	struct in6_addr src;
	struct in6_addr dst;
	struct ports ports;
	__u32 proto;
};

struct counters {
	__u64 time;
	__u64 packets;
	__u64 bytes;
#ifdef LOCKED
	struct bpf_spin_lock lock;
#endif
};

#if defined(LOCKED) || defined(SHARED)
#define FLOWS BPF_MAP_TYPE_HASH
#else
#define FLOWS BPF_MAP_TYPE_PERCPU_HASH
#endif

/* Whoever loads this sets how many flows there can be. */
struct {
	__uint(type, FLOWS);
	__uint(max_entries, 1);
	__type(key, struct key_v4);
	__type(value, struct counters);
} flows_v4 SEC(".maps");

struct {
	__uint(type, FLOWS);
	__uint(max_entries, 1);
	__type(key, struct key_v6);
	__type(value, struct counters);
} flows_v6 SEC(".maps");

#ifndef BEFORE_COUNTING
#define BEFORE_COUNTING()
#endif

static __always_inline int count(struct counters *counters, __u64 bytes)
{
	if (!counters)
		return XDP_PASS;
	BEFORE_COUNTING();
#ifdef SHARED
	counters->time = bpf_ktime_get_ns();
	__sync_fetch_and_add(&counters->packets, 1);
	__sync_fetch_and_add(&counters->bytes, bytes);
#else
	__u64 now = bpf_ktime_get_ns();

#ifdef LOCKED
	bpf_spin_lock(&counters->lock);
#endif
	counters->time = now;
	counters->packets++;
	counters->bytes += bytes;
#ifdef LOCKED
	bpf_spin_unlock(&counters->lock);
#endif
#endif
	return XDP_DROP;
}

static __always_inline int ipv4(const struct frame *frame)
{
	struct ports *ports = ipv4_ports(frame);
	struct iphdr *ip = frame->at;
	struct key_v4 key;

	if (!ports)
		return XDP_PASS;
	key.src = ip->saddr;
	key.dst = ip->daddr;
	key.ports = *ports;
	key.proto = ip->protocol;
	return count(bpf_map_lookup_elem(&flows_v4, &key), frame->bytes);
}

static __always_inline int ipv6(const struct frame *frame)
{
	struct ipv6hdr *ip = frame->at;
	struct ports *ports = (void *)(ip + 1);
	struct key_v6 key;

	if ((void *)(ports + 1) > frame->end || !has_ports(ip->nexthdr))
		return XDP_PASS;
	key.src = ip->saddr;
	key.dst = ip->daddr;
	key.ports = *ports;
	key.proto = ip->nexthdr;
	return count(bpf_map_lookup_elem(&flows_v6, &key), frame->bytes);
}

SEC("xdp")
int classic(struct xdp_md *ctx)
{
	struct frame frame;

	if (!read_frame(ctx, &frame))
		return XDP_PASS;
	if (frame.type == bpf_htons(ETH_P_IP))
		return ipv4(&frame);
	if (frame.type == bpf_htons(ETH_P_IPV6))
		return ipv6(&frame);
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
