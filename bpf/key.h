/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How a key finds its slot. The one place in C that knows; Java's is io.flowbypass.table.internal.TableKey, and a test
 * makes both compute the same for a million random keys. Plain C, so that the test compiles it for the host.
 */
#ifndef FLOWBYPASS_KEY_H
#define FLOWBYPASS_KEY_H

#include "flowbypass.h"

#define FB_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define FB_INLINE static inline __attribute__((always_inline))

/* Who talks to whom, as a packet has it. */
struct fb_tuple {
	__u64 src[2];		/* 16 bytes; IPv4: the first four of them */
	__u64 dst[2];
	__be16 sport;
	__be16 dport;
	__u32 vlans;		/* first VLAN id | second one << 16; 0 unless they are part of the key */
	__u8 proto;
	__u8 family;		/* 4 or 6 */
};

/* 0 when the source is the smaller endpoint, else 1. */
FB_INLINE int fb_direction(const struct fb_tuple *tuple)
{
	if (tuple->family == 4) {
		__u32 src = __builtin_bswap32((__u32)tuple->src[0]), dst = __builtin_bswap32((__u32)tuple->dst[0]);

		if (src != dst)
			return src > dst;
	} else {
		if (tuple->src[0] != tuple->dst[0])
			return __builtin_bswap64(tuple->src[0]) > __builtin_bswap64(tuple->dst[0]);
		if (tuple->src[1] != tuple->dst[1])
			return __builtin_bswap64(tuple->src[1]) > __builtin_bswap64(tuple->dst[1]);
	}
	return __builtin_bswap16(tuple->sport) > __builtin_bswap16(tuple->dport);
}

/* fb_key.ports */
FB_INLINE __u64 fb_key_ports(const struct fb_tuple *tuple, int direction)
{
	__u32 ports = direction ? tuple->dport | (__u32)tuple->sport << 16 : tuple->sport | (__u32)tuple->dport << 16;

	return ports | (__u64)tuple->vlans << 32;
}

/* fb_key.proto */
FB_INLINE __u32 fb_key_proto(const struct fb_tuple *tuple)
{
	return tuple->proto | (__u32)tuple->family << 8;
}

/* fb_key.addr[0] of IPv4 */
FB_INLINE __u64 fb_key_addr_v4(const struct fb_tuple *tuple, int direction)
{
	__u64 src = (__u32)tuple->src[0], dst = (__u32)tuple->dst[0];

	return direction ? dst | src << 32 : src | dst << 32;
}

/* fb_key.addr */
FB_INLINE void fb_key_addr(__u64 *addr, const struct fb_tuple *tuple, int direction)
{
	if (tuple->family == 4) {
		addr[0] = fb_key_addr_v4(tuple, direction);
		addr[1] = 0;
		addr[2] = 0;
		addr[3] = 0;
	} else {
		addr[0] = direction ? tuple->dst[0] : tuple->src[0];
		addr[1] = direction ? tuple->dst[1] : tuple->src[1];
		addr[2] = direction ? tuple->src[0] : tuple->dst[0];
		addr[3] = direction ? tuple->src[1] : tuple->dst[1];
	}
}

/* Odd numbers, 2^64 over the golden ratio and one more of random bits: a multiplication by them spreads upwards. */
#define FB_SPREAD 0x9e3779b97f4a7c15ULL
#define FB_SPREAD_AGAIN 0xd6e8feb86659fd93ULL

FB_INLINE __u64 fb_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * FB_SPREAD;
	return hash ^ hash >> 29 ^ hash >> 47;
}

/* Of an endpoint; an IPv4 address and its port fit into one word. */
FB_INLINE __u64 fb_endpoint(__u64 seed, const __u64 *addr, __be16 port, __u8 family)
{
	if (family == 4)
		return fb_mix(seed, (__u32)addr[0] | (__u64)port << 32);
	return fb_mix(fb_mix(fb_mix(seed, port), addr[0]), addr[1]);
}

/*
 * A 64-bit mix of the whole key. The same for both directions: sum and difference (exclusive or) of two numbers are, and
 * together they say all of them but which is which. So a packet of no flow never has to be put into an order.
 */
FB_INLINE __u64 fb_hash(const struct fb_tuple *tuple, __u64 seed)
{
	__u64 src = fb_endpoint(seed, tuple->src, tuple->sport, tuple->family);
	__u64 dst = fb_endpoint(seed, tuple->dst, tuple->dport, tuple->family);
	__u64 rest = fb_key_proto(tuple) | (__u64)tuple->vlans << 32;
	__u64 hash = ((src + dst) ^ rest) * FB_SPREAD ^ (src ^ dst) * FB_SPREAD_AGAIN;

	return hash ^ hash >> 32;
}

/* The tag of a key's cell, never 0. */
FB_INLINE __u32 fb_tag(__u64 hash)
{
	return hash >> 32 | 1;
}

/* Which of n buckets: the number's place in its range, without a division. */
FB_INLINE __u32 fb_scale(__u32 number, __u32 n)
{
	return (__u64)number * n >> 32;
}

FB_INLINE __u32 fb_bucket1(__u64 hash, __u32 buckets)
{
	return fb_scale(hash, buckets);
}

/* The multiplier is odd, so no bit of the tag is lost. */
FB_INLINE __u32 fb_bucket2(__u64 hash, __u32 buckets)
{
	return fb_scale(fb_tag(hash) * 0x5bd1e995U, buckets);
}

#endif
