/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How a key finds its slot. The one place in C that knows; Java's is io.flowbypass.table.internal.TableKey, and a test
 * makes both compute the same for a million random keys. Plain C, so that the test compiles it for the host.
 */
#ifndef FLOWBYPASS_KEY_H
#define FLOWBYPASS_KEY_H

#include "flowbypass.h"

#define FB_INLINE static inline __attribute__((always_inline))

/* Packs the fields that both families share; a is the smaller endpoint. */
FB_INLINE void fb_key_tail(struct fb_key *key, __be16 port_a, __be16 port_b, __u8 proto, __u8 family)
{
	key->ports = (__u64)port_a | (__u64)port_b << 16;
	key->proto = proto | (__u32)family << 8;
}

/* Fills the key and returns the packet's direction: 0 when its source is the smaller endpoint, else 1. */
FB_INLINE int fb_key_v4(struct fb_key *key, __be32 src, __be32 dst, __be16 sport, __be16 dport, __u8 proto)
{
	__u64 from = (__u64)__builtin_bswap32(src) << 16 | __builtin_bswap16(sport);
	__u64 to = (__u64)__builtin_bswap32(dst) << 16 | __builtin_bswap16(dport);
	int reverse = from > to;

	key->addr[0] = reverse ? dst | (__u64)src << 32 : src | (__u64)dst << 32;
	key->addr[1] = 0;
	key->addr[2] = 0;
	key->addr[3] = 0;
	if (reverse)
		fb_key_tail(key, dport, sport, proto, 4);
	else
		fb_key_tail(key, sport, dport, proto, 4);
	return reverse;
}

/* src and dst are the addresses' 16 bytes, as two words each. */
FB_INLINE int fb_key_v6(struct fb_key *key, const __u64 *src, const __u64 *dst, __be16 sport, __be16 dport, __u8 proto)
{
	int reverse;

	if (src[0] != dst[0])
		reverse = __builtin_bswap64(src[0]) > __builtin_bswap64(dst[0]);
	else if (src[1] != dst[1])
		reverse = __builtin_bswap64(src[1]) > __builtin_bswap64(dst[1]);
	else
		reverse = __builtin_bswap16(sport) > __builtin_bswap16(dport);

	if (reverse) {
		key->addr[0] = dst[0];
		key->addr[1] = dst[1];
		key->addr[2] = src[0];
		key->addr[3] = src[1];
		fb_key_tail(key, dport, sport, proto, 6);
	} else {
		key->addr[0] = src[0];
		key->addr[1] = src[1];
		key->addr[2] = dst[0];
		key->addr[3] = dst[1];
		fb_key_tail(key, sport, dport, proto, 6);
	}
	return reverse;
}

/* One round: an odd multiplier (2^64 over the golden ratio) spreads upwards, the shift brings it down again. */
FB_INLINE __u64 fb_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/* A 64-bit mix of the whole key. */
FB_INLINE __u64 fb_hash(const struct fb_key *key, __u64 seed)
{
	__u64 hash = fb_mix(seed, key->ports);

	hash = fb_mix(hash, key->addr[0]);
	if (key->proto >> 8 == 6) {
		hash = fb_mix(hash, key->addr[1]);
		hash = fb_mix(hash, key->addr[2]);
		hash = fb_mix(hash, key->addr[3]);
	}
	return fb_mix(hash, key->proto);
}

/* The tag of a key's cell, never 0. */
FB_INLINE __u32 fb_tag(__u64 hash)
{
	__u32 tag = hash >> 32;

	return tag ? tag : 1;
}

FB_INLINE __u32 fb_bucket1(__u64 hash, __u32 mask)
{
	return (__u32)hash & mask;
}

/* The other bucket of a key: the same step leads back. The multiplier is odd, so no bit of the tag is lost. */
FB_INLINE __u32 fb_bucket2(__u32 bucket1, __u32 tag, __u32 mask)
{
	return (bucket1 ^ tag * 0x5bd1e995U) & mask;
}

#endif
