/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The tables of other tools: BPF hash maps at their pins, in their own layouts, filled and read by them. A packet whose flow
 * is not in the native table is looked up in those that are switched on, and counted in the value as their own programs
 * would. Java's io.flowbypass.classic has the same layouts.
 */
#ifndef FLOWBYPASS_CLASSIC_H
#define FLOWBYPASS_CLASSIC_H

#include "table.h"

#define FB_CLASSIC_LIBFLOWBYPASS 1
#define FB_CLASSIC_SURICATA 2
#define FB_CLASSIC_ZEEK 4

/* Which of them are on. Set before the program is loaded, so that the verifier takes the code of the others out. */
const volatile __u32 fb_classic SEC(".rodata.classic") = 0;

/*
 * libflowbypass and Suricata: each direction is a key of its own.
 *
 *             0         4         8    10   12        16
 *   IPv4      | src     | dst     | sp | dp | rest    |        addresses and ports in network byte order
 *
 *             0         16        32   34   36        40
 *   IPv6      | src     | dst     | sp | dp | rest    |
 *
 * rest is a u32: libflowbypass's protocol; or Suricata's 1 for TCP, 0 for UDP in bit 0, VLAN ids from bits 1 and 16 on.
 * Written by the 8 bytes: that is how the kernel reads a key, which would have to wait for smaller pieces.
 */
struct fb_classic_v4 {
	__u64 addresses;
	__u64 ports_rest;
};

struct fb_classic_v6 {
	__u64 src[2];
	__u64 dst[2];
	__u64 ports_rest;
};

/* On each CPU. */
struct fb_libflowbypass {
	__u64 time;		/* monotonic ns of the last packet */
	__u64 packets;
	__u64 bytes;
};

struct fb_suricata {
	__u64 packets;
	__u64 bytes;
};

/* Both directions of a flow; IPv4 addresses mapped into IPv6 (RFC 4291 2.5.5.2). */
struct fb_zeek_flow {
	__u32 ip1[4];		/* the smaller endpoint: addresses as two u64 of this machine, then ports */
	__u32 ip2[4];
	__u32 ports;		/* host byte order: ip1's, ip2's << 16 */
	__u32 proto_vlan;	/* protocol, first VLAN id << 16 */
	__u32 vlan;		/* second VLAN id */
};

/* All of TCP, UDP and ICMP between two hosts. */
struct fb_zeek_pair {
	__u32 ip1[4];
	__u32 ip2[4];
	__u32 vlans;		/* first one, second one << 16 */
};

struct fb_zeek {
	struct bpf_spin_lock lock;
	__u64 packets[2];	/* from ip1, from ip2 */
	__u64 bytes[2];
	__u64 time;		/* monotonic ns of the last packet, 0 before the first one */
};

_Static_assert(sizeof(struct fb_classic_v4) == 16 && sizeof(struct fb_classic_v6) == 40, "libflowbypass and Suricata");
_Static_assert(sizeof(struct fb_zeek_flow) == 44 && sizeof(struct fb_zeek_pair) == 36, "xdp-zeek");
_Static_assert(sizeof(struct fb_zeek) == 48, "xdp-zeek");

/* The loader sets how many entries those have that no tool has made yet, and leaves out those that are not on. */
#define FB_CLASSIC_MAP(map, kind, key_type, value_type)	\
	struct {						\
		__uint(type, kind);				\
		__uint(max_entries, 1);				\
		__type(key, struct key_type);			\
		__type(value, struct value_type);		\
	} map SEC(".maps")

FB_CLASSIC_MAP(flowbypass_v4, BPF_MAP_TYPE_PERCPU_HASH, fb_classic_v4, fb_libflowbypass);
FB_CLASSIC_MAP(flowbypass_v6, BPF_MAP_TYPE_PERCPU_HASH, fb_classic_v6, fb_libflowbypass);
FB_CLASSIC_MAP(suricata_v4, BPF_MAP_TYPE_PERCPU_HASH, fb_classic_v4, fb_suricata);
FB_CLASSIC_MAP(suricata_v6, BPF_MAP_TYPE_PERCPU_HASH, fb_classic_v6, fb_suricata);
FB_CLASSIC_MAP(zeek_flows, BPF_MAP_TYPE_HASH, fb_zeek_flow, fb_zeek);
FB_CLASSIC_MAP(zeek_pairs, BPF_MAP_TYPE_HASH, fb_zeek_pair, fb_zeek);

/* One after the other in one place: the stack is small. */
union fb_classic_key {
	struct fb_classic_v4 v4;
	struct fb_classic_v6 v6;
	struct fb_zeek_flow flow;
	struct fb_zeek_pair pair;
};

_Static_assert(sizeof(union fb_classic_key) <= sizeof(struct fb_tuple), "a key fits into a spare tuple");

/* A packet that is looked up. */
struct fb_seen {
	__u64 bytes;
	__u8 tcp_flags;
};

/* FB_CUT_CLASSIC, or why a packet whose flow is in a table is passed all the same. */
FB_INLINE int fb_classic_verdict(__u64 now)
{
	if (config.paused)
		return FB_PASSED_PAUSED;
	return (__s64)(now - config.heartbeat) > (__s64)config.lease ? FB_PASSED_LEASE : FB_CUT_CLASSIC;
}

FB_INLINE __u64 fb_ports_rest(__be16 first, __be16 second, __u32 rest)
{
	return first | (__u32)second << 16 | (__u64)rest << 32;
}

FB_INLINE void fb_key_v4(struct fb_classic_v4 *key, const struct fb_tuple *tuple, __u32 rest)
{
	key->addresses = (__u32)tuple->src[0] | tuple->dst[0] << 32;
	key->ports_rest = fb_ports_rest(tuple->sport, tuple->dport, rest);
}

FB_INLINE void fb_key_v6(struct fb_classic_v6 *key, const struct fb_tuple *tuple, __u32 rest)
{
	key->src[0] = tuple->src[0];
	key->src[1] = tuple->src[1];
	key->dst[0] = tuple->dst[0];
	key->dst[1] = tuple->dst[1];
	key->ports_rest = fb_ports_rest(tuple->sport, tuple->dport, rest);
}

/* The verdict over a packet of libflowbypass's: a FIN or RST is for the monitor. */
FB_INLINE int fb_count_libflowbypass(struct fb_libflowbypass *value, const struct fb_seen *seen)
{
	__u64 now = fb_now();
	int verdict = fb_classic_verdict(now);

	value->time = now;
	if (verdict != FB_CUT_CLASSIC)
		return verdict;
	if (seen->tcp_flags & (FB_TCP_FIN | FB_TCP_RST))
		return FB_PASSED_TCP_CONTROL;
	value->packets++;
	value->bytes += seen->bytes;
	return FB_CUT_CLASSIC;
}

FB_INLINE int fb_count_suricata(struct fb_suricata *value, const struct fb_seen *seen)
{
	int verdict = fb_classic_verdict(fb_now());

	if (verdict != FB_CUT_CLASSIC)
		return verdict;
	value->packets++;
	value->bytes += seen->bytes;
	return FB_CUT_CLASSIC;
}

FB_INLINE int fb_count_zeek(struct fb_zeek *value, const struct fb_seen *seen, int direction, int whole)
{
	__u64 now = fb_now();
	int verdict = fb_classic_verdict(now);

	if (verdict == FB_CUT_CLASSIC && !whole && seen->tcp_flags & (FB_TCP_FIN | FB_TCP_RST))
		verdict = FB_PASSED_TCP_CONTROL;
	bpf_spin_lock(&value->lock);
	if ((__s64)(now - value->time) > 0)
		value->time = now;
	if (verdict == FB_CUT_CLASSIC) {
		if (direction) {
			value->packets[1]++;
			value->bytes[1] += seen->bytes;
		} else {
			value->packets[0]++;
			value->bytes[0] += seen->bytes;
		}
	}
	bpf_spin_unlock(&value->lock);
	return verdict;
}

/* These return FB_PASSED_NO_FLOW when the packet's flow is not in the table. */

FB_INLINE int fb_classic_libflowbypass(const struct fb_tuple *tuple, const struct fb_seen *seen, union fb_classic_key *key)
{
	struct fb_libflowbypass *value;

	if (tuple->family == 4) {
		fb_key_v4(&key->v4, tuple, tuple->proto);
		value = bpf_map_lookup_elem(&flowbypass_v4, &key->v4);
	} else {
		fb_key_v6(&key->v6, tuple, tuple->proto);
		value = bpf_map_lookup_elem(&flowbypass_v6, &key->v6);
	}
	return value ? fb_count_libflowbypass(value, seen) : FB_PASSED_NO_FLOW;
}

FB_INLINE __u32 fb_suricata_rest(const struct fb_tuple *tuple)
{
	return (tuple->proto == IPPROTO_TCP) | (tuple->vlans << 1 & 0xffff) | (tuple->vlans & 0xffff0000);
}

FB_INLINE int fb_classic_suricata(const struct fb_tuple *tuple, const struct fb_seen *seen, union fb_classic_key *key)
{
	__u32 rest = fb_suricata_rest(tuple);
	struct fb_suricata *value;

	if (tuple->proto != IPPROTO_TCP && tuple->proto != IPPROTO_UDP)
		return FB_PASSED_NO_FLOW;
	if (tuple->family == 4) {
		fb_key_v4(&key->v4, tuple, rest);
		value = bpf_map_lookup_elem(&suricata_v4, &key->v4);
	} else {
		fb_key_v6(&key->v6, tuple, rest);
		value = bpf_map_lookup_elem(&suricata_v6, &key->v6);
	}
	return value ? fb_count_suricata(value, seen) : FB_PASSED_NO_FLOW;
}

FB_INLINE void fb_zeek_address(__u64 *address, const struct fb_tuple *tuple, const __u64 *from)
{
	if (tuple->family == 4) {
		address[0] = 0;
		address[1] = bpf_htonl(0xffff) | from[0] << 32;
	} else {
		address[0] = from[0];
		address[1] = from[1];
	}
}

/* 0 when the source is the smaller endpoint, else 1; not as in the native table, where addresses are big-endian numbers. */
FB_INLINE int fb_zeek_direction(const __u64 *src, const __u64 *dst, __u16 sport, __u16 dport)
{
	if (src[0] != dst[0])
		return src[0] > dst[0];
	if (src[1] != dst[1])
		return src[1] > dst[1];
	return sport > dport;
}

/* Returns the direction of the packet: 0 when it comes from ip1. */
FB_INLINE int fb_zeek_key(struct fb_zeek_flow *flow, const struct fb_tuple *tuple)
{
	__u16 sport = bpf_ntohs(tuple->sport), dport = bpf_ntohs(tuple->dport);
	__u64 src[2], dst[2];
	int direction;

	fb_zeek_address(src, tuple, tuple->src);
	fb_zeek_address(dst, tuple, tuple->dst);
	direction = fb_zeek_direction(src, dst, sport, dport);
	__builtin_memcpy(flow->ip1, direction ? dst : src, sizeof(flow->ip1));
	__builtin_memcpy(flow->ip2, direction ? src : dst, sizeof(flow->ip2));
	flow->proto_vlan = tuple->proto | tuple->vlans << 16;
	flow->vlan = tuple->vlans >> 16;
	flow->ports = direction ? dport | (__u32)sport << 16 : sport | (__u32)dport << 16;
	return direction;
}

FB_INLINE int fb_classic_zeek(const struct fb_tuple *tuple, const struct fb_seen *seen, union fb_classic_key *key)
{
	struct fb_zeek *value;
	int direction;

	if (tuple->proto != IPPROTO_TCP && tuple->proto != IPPROTO_UDP && tuple->proto != IPPROTO_ICMP)
		return FB_PASSED_NO_FLOW;
	direction = fb_zeek_key(&key->flow, tuple);
	value = bpf_map_lookup_elem(&zeek_flows, &key->flow);
	if (value)
		return fb_count_zeek(value, seen, direction, 0);
	/* Its addresses are where the flow's are. */
	key->pair.vlans = tuple->vlans;
	value = bpf_map_lookup_elem(&zeek_pairs, &key->pair);
	/* All between two hosts: no connection of theirs begins anew, or ends. */
	return value ? fb_count_zeek(value, seen, direction, 1) : FB_PASSED_NO_FLOW;
}

/* A verdict, the packet counted in the first table of these dialects that has its flow; FB_PASSED_NO_FLOW when none has. */
FB_INLINE int fb_classic_find(const struct fb_tuple *tuple, const struct fb_seen *seen, __u32 dialects,
			      union fb_classic_key *key)
{
	int verdict = FB_PASSED_NO_FLOW;

	if (dialects & FB_CLASSIC_LIBFLOWBYPASS)
		verdict = fb_classic_libflowbypass(tuple, seen, key);
	if (verdict == FB_PASSED_NO_FLOW && dialects & FB_CLASSIC_SURICATA)
		verdict = fb_classic_suricata(tuple, seen, key);
	if (verdict == FB_PASSED_NO_FLOW && dialects & FB_CLASSIC_ZEEK)
		verdict = fb_classic_zeek(tuple, seen, key);
	return verdict;
}

/* The same, not inline and not static, so that it is there once and its stack is free again when it returns. */
__noinline int fb_classic_call(struct fb_tuple *tuple, __u64 bytes, __u32 tcp_flags, __u32 dialects)
{
	struct fb_seen seen = { .bytes = bytes, .tcp_flags = tcp_flags };
	union fb_classic_key key;

	return tuple ? fb_classic_find(tuple, &seen, dialects & fb_classic, &key) : FB_PASSED_NO_FLOW;
}

/* The same in all dialects that are on; in place only for the usual packet, and those whose key is small. */
FB_INLINE int fb_classic_decide(const struct fb_packet *packet, struct fb_tuple *spare)
{
	struct fb_seen seen = { .bytes = packet->bytes, .tcp_flags = packet->tcp_flags };
	int verdict;

	if (spare == &packet->tuple)
		return fb_classic_call(spare, seen.bytes, seen.tcp_flags, fb_classic);
	/* The keys are made in spare, which is not in use yet. */
	verdict = fb_classic_find(&packet->tuple, &seen, fb_classic & ~FB_CLASSIC_ZEEK, (union fb_classic_key *)spare);
	if (verdict == FB_PASSED_NO_FLOW && fb_classic & FB_CLASSIC_ZEEK) {
		*spare = packet->tuple;
		verdict = fb_classic_call(spare, seen.bytes, seen.tcp_flags, FB_CLASSIC_ZEEK);
	}
	return verdict;
}

/* Looks first: deleting takes a lock, for what is not there too, and SYNs come in floods. */
FB_INLINE int fb_classic_delete(void *map, const void *key)
{
	return bpf_map_lookup_elem(map, key) && !bpf_map_delete_elem(map, key);
}

FB_INLINE int fb_end_direction(const struct fb_tuple *tuple, union fb_classic_key *key)
{
	__u32 rest = fb_suricata_rest(tuple);
	int ended = 0;

	if (tuple->family == 4) {
		if (fb_classic & FB_CLASSIC_LIBFLOWBYPASS) {
			fb_key_v4(&key->v4, tuple, tuple->proto);
			ended |= fb_classic_delete(&flowbypass_v4, &key->v4);
		}
		if (fb_classic & FB_CLASSIC_SURICATA) {
			fb_key_v4(&key->v4, tuple, rest);
			ended |= fb_classic_delete(&suricata_v4, &key->v4);
		}
		return ended;
	}
	if (fb_classic & FB_CLASSIC_LIBFLOWBYPASS) {
		fb_key_v6(&key->v6, tuple, tuple->proto);
		ended |= fb_classic_delete(&flowbypass_v6, &key->v6);
	}
	if (fb_classic & FB_CLASSIC_SURICATA) {
		fb_key_v6(&key->v6, tuple, rest);
		ended |= fb_classic_delete(&suricata_v6, &key->v6);
	}
	return ended;
}

/* A new connection ends the bypass of its tuple, in both directions and in every table. Whether there was one. */
__noinline int fb_classic_end(struct fb_tuple *tuple)
{
	union fb_classic_key key;
	struct fb_tuple back;
	int ended = 0;

	if (!tuple)
		return 0;
	if (fb_classic & (FB_CLASSIC_LIBFLOWBYPASS | FB_CLASSIC_SURICATA)) {
		back = *tuple;
		back.src[0] = tuple->dst[0];
		back.src[1] = tuple->dst[1];
		back.dst[0] = tuple->src[0];
		back.dst[1] = tuple->src[1];
		back.sport = tuple->dport;
		back.dport = tuple->sport;
		ended = fb_end_direction(tuple, &key);
		ended |= fb_end_direction(&back, &key);
	}
	if (fb_classic & FB_CLASSIC_ZEEK) {
		fb_zeek_key(&key.flow, tuple);
		ended |= fb_classic_delete(&zeek_flows, &key.flow);
	}
	return ended;
}

#endif
