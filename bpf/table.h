/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How a flow is found in the table. */
#ifndef FLOWBYPASS_TABLE_H
#define FLOWBYPASS_TABLE_H

#include "maps.h"
#include "parse.h"

#define FB_NO_SLOT ((__u64)-1)
#define FB_BAD_SLOT ((__u64)-2)

/* The tag of a cell alone. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FB_TAG_AT(bucket, i) (((volatile __u32 *)(bucket)->cell)[(i) * 2 + 1])
#else
#define FB_TAG_AT(bucket, i) (((volatile __u32 *)(bucket)->cell)[(i) * 2])
#endif

/*
 * Coarse monotonic ns. The coarse clock moves with the tick, as jiffies do, and those are one load where it is a call: so it
 * is read once in a tick. What is returned is at most a tick older than the clock, which moves a little after jiffies.
 */
FB_INLINE __u64 fb_now(void)
{
	__u32 zero = 0;
	struct fb_clock *last = bpf_map_lookup_elem(&clock, &zero);
	__u64 jiffies = bpf_jiffies64();

	if (!last)
		return bpf_ktime_get_coarse_ns();
	if (last->jiffies != jiffies) {
		last->now = bpf_ktime_get_coarse_ns();
		last->jiffies = jiffies;
	}
	return last->now;
}

/* Where a packet's flow was found. */
struct fb_hit {
	struct fb_record *record;	/* of the packet's direction */
	__u32 slot;
	__u32 match;
	int direction;
};

FB_INLINE __u32 fb_state_of(__u32 match)
{
	return match >> FB_STATE_SHIFT & FB_STATE_MASK;
}

/* A cell is only a hint: the slot's whole key has to be the packet's. */
FB_INLINE int fb_is_key(const struct fb_record *record, __u32 slot, const struct fb_tuple *tuple, int direction)
{
	const __u64 *a = direction ? tuple->dst : tuple->src;
	const __u64 *b = direction ? tuple->src : tuple->dst;
	struct fb_info *cold;

	if (record->ports != fb_key_ports(tuple, direction) ||
	    (record->match & FB_PROTO_MASK) != fb_key_proto(tuple))
		return 0;
	if (tuple->family == 4)
		return record->addr == fb_key_addr_v4(tuple, direction);
	if (record->addr != fb_hash(tuple, config.seed[1]))
		return 0;
	cold = bpf_map_lookup_elem(&info, &slot);
	return cold && cold->addr[0] == a[0] && cold->addr[1] == a[1] && cold->addr[2] == b[0] && cold->addr[3] == b[1];
}

/* Whether a slot has the packet's key, LIVE or CLOSING; fills the rest of hit, of which the direction is known, then. */
FB_INLINE int fb_holds(__u32 slot, const struct fb_tuple *tuple, struct fb_hit *hit)
{
	__u32 number = slot * 2 + (hit->direction & 1);
	struct fb_record *record = bpf_map_lookup_elem(&records, &number);
	__u32 match, state;

	if (!record)
		return 0;
	match = *(volatile __u32 *)&record->match;
	state = fb_state_of(match);
	if ((state != FB_LIVE && state != FB_CLOSING) || !fb_is_key(record, slot, tuple, hit->direction))
		return 0;
	hit->record = record;
	hit->slot = slot;
	hit->match = match;
	return 1;
}

/* Whether a bucket has a cell with that tag. Which one, a packet of no flow need not know. */
FB_INLINE int fb_has(const struct fb_bucket *bucket, __u32 tag)
{
	int i;

	for (i = 0; i < FB_CELLS; i++)
		if (FB_TAG_AT(bucket, i) == tag)
			return 1;
	return 0;
}

/* The first cell of a bucket with that tag; 0 when there is none, any more. */
FB_INLINE __u64 fb_first(const struct fb_bucket *bucket, __u32 tag)
{
	int i;

	for (i = 0; i < FB_CELLS; i++) {
		__u64 cell = *(volatile __u64 *)&bucket->cell[i];

		if (FB_CELL_TAG(cell) == tag)
			return cell;
	}
	return 0;
}

/* Marks a flow as one that began anew: from here on both its directions are passed. */
FB_INLINE void fb_reopen(__u32 slot)
{
	__u32 number = slot * 2;
	struct fb_record *record = bpf_map_lookup_elem(&records, &number);

	if (record)
		__sync_fetch_and_or(&record->seen, FB_SEEN_REOPENED);
	number++;
	record = bpf_map_lookup_elem(&records, &number);
	if (record)
		__sync_fetch_and_or(&record->seen, FB_SEEN_REOPENED);
}

/*
 * Looks at every cell of both buckets: needed when the first cell with the tag leads to another flow, which is so rare
 * that it is not inline. Returns the slot, FB_NO_SLOT or FB_BAD_SLOT.
 */
__noinline __u64 fb_search_all(struct fb_tuple *tuple, __u64 hash)
{
	__u32 tag = fb_tag(hash), number;
	__u64 result = FB_NO_SLOT;
	struct fb_hit hit = {};
	int i, second;

	if (!tuple)
		return FB_BAD_SLOT;
	hit.direction = fb_direction(tuple);
	number = fb_bucket1(hash, config.buckets);
	for (second = 0; second < 2; second++) {
		struct fb_bucket *bucket = bpf_map_lookup_elem(&index, &number);

		if (!bucket)
			return FB_BAD_SLOT;
		for (i = 0; i < FB_CELLS; i++) {
			__u64 cell = *(volatile __u64 *)&bucket->cell[i];
			__u32 slot = FB_CELL_SLOT(cell);

			if (FB_CELL_TAG(cell) != tag)
				continue;
			if (fb_holds(slot, tuple, &hit))
				return slot;
			if (slot >= config.capacity)
				result = FB_BAD_SLOT;
		}
		number = fb_bucket2(hash, config.buckets);
	}
	return result;
}

/*
 * Returns FB_PARSED when the flow is in the table, else FB_PASSED_NO_FLOW or FB_ERROR. spare is where the tuple is put for
 * a call, so that it need not be in memory without one; it may be the tuple itself.
 */
FB_INLINE int fb_find(const struct fb_tuple *tuple, struct fb_tuple *spare, __u64 hash, struct fb_hit *hit)
{
	__u32 tag = fb_tag(hash);
	__u32 number = fb_bucket1(hash, config.buckets);
	struct fb_bucket *bucket = bpf_map_lookup_elem(&index, &number);
	__u64 cell, slot;

	if (!bucket)
		return FB_ERROR;
	if (!fb_has(bucket, tag)) {
		if (!*(volatile __u64 *)&bucket->elsewhere)
			return FB_PASSED_NO_FLOW;
		number = fb_bucket2(hash, config.buckets);
		bucket = bpf_map_lookup_elem(&index, &number);
		if (!bucket)
			return FB_ERROR;
		if (!fb_has(bucket, tag))
			return FB_PASSED_NO_FLOW;
	}
	hit->direction = fb_direction(tuple);
	cell = fb_first(bucket, tag);
	if (cell && fb_holds(FB_CELL_SLOT(cell), tuple, hit))
		return FB_PARSED;
	*spare = *tuple;
	slot = fb_search_all(spare, hash);
	if (slot == FB_NO_SLOT)
		return FB_PASSED_NO_FLOW;
	return slot != FB_BAD_SLOT && fb_holds(slot, tuple, hit) ? FB_PARSED : FB_ERROR;
}

#endif
