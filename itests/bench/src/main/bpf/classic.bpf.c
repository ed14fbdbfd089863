// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What the scenario packet is measured against: a flow is a key in a hash map, its counters are the key's value, one per
 * CPU, and each direction is a key of its own. That is the design of libflowbypass and of Suricata's bypass; the program
 * is ours. A packet of a flow in the map is counted and dropped, every other one is passed.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define VLAN_TAGS 2
#define IPV4_FRAGMENT_OFFSET 0x1fff

struct vlan {
	__be16 tci;
	__be16 type;
};

struct ports {
	__be16 source;
	__be16 dest;
};

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
};

/* Whoever loads this sets how many flows there can be. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct key_v4);
	__type(value, struct counters);
} flows_v4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct key_v6);
	__type(value, struct counters);
} flows_v6 SEC(".maps");

static __always_inline int count(struct counters *counters, __u64 bytes)
{
	if (!counters)
		return XDP_PASS;
	counters->time = bpf_ktime_get_ns();
	counters->packets++;
	counters->bytes += bytes;
	return XDP_DROP;
}

static __always_inline int has_ports(__u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

static __always_inline int ipv4(void *at, void *end, __u64 bytes)
{
	struct iphdr *ip = at;
	struct key_v4 key;
	struct ports *ports;

	if ((void *)(ip + 1) > end || ip->ihl < 5)
		return XDP_PASS;
	if (!has_ports(ip->protocol) || ip->frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET))
		return XDP_PASS;
	ports = at + ip->ihl * 4;
	if ((void *)(ports + 1) > end)
		return XDP_PASS;
	key.src = ip->saddr;
	key.dst = ip->daddr;
	key.ports = *ports;
	key.proto = ip->protocol;
	return count(bpf_map_lookup_elem(&flows_v4, &key), bytes);
}

static __always_inline int ipv6(void *at, void *end, __u64 bytes)
{
	struct ipv6hdr *ip = at;
	struct ports *ports = (void *)(ip + 1);
	struct key_v6 key;

	if ((void *)(ports + 1) > end || !has_ports(ip->nexthdr))
		return XDP_PASS;
	key.src = ip->saddr;
	key.dst = ip->daddr;
	key.ports = *ports;
	key.proto = ip->nexthdr;
	return count(bpf_map_lookup_elem(&flows_v6, &key), bytes);
}

SEC("xdp")
int classic(struct xdp_md *ctx)
{
	void *at = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u64 bytes = end - at;
	struct ethhdr *eth = at;
	__be16 type;
	int i;

	at = eth + 1;
	if (at > end)
		return XDP_PASS;
	type = eth->h_proto;
	for (i = 0; i < VLAN_TAGS; i++) {
		struct vlan *vlan = at;

		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		at = vlan + 1;
		if (at > end)
			return XDP_PASS;
		type = vlan->type;
	}
	if (type == bpf_htons(ETH_P_IP))
		return ipv4(at, end, bytes);
	if (type == bpf_htons(ETH_P_IPV6))
		return ipv6(at, end, bytes);
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
