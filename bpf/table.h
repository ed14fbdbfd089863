/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How a flow is found in the table. */
#ifndef FLOWBYPASS_TABLE_H
#define FLOWBYPASS_TABLE_H

#include "maps.h"
#include "parse.h"

/* Where a packet's flow was found. */
struct fb_hit {
	struct fb_record *record;	/* of the packet's direction */
	__u32 slot;
	__u32 match;
};

FB_INLINE __u32 fb_state_of(__u32 match)
{
	return match >> FB_STATE_SHIFT & FB_STATE_MASK;
}

/* A cell is only a hint: the slot's whole key has to be the packet's. */
FB_INLINE int fb_is_key(const struct fb_record *record, __u32 slot, const struct fb_key *key, __u64 seed)
{
	struct fb_info *cold;

	if (record->ports != key->ports || (record->match & FB_PROTO_MASK) != key->proto)
		return 0;
	if (key->proto >> 8 == 4)
		return record->addr == key->addr[0];
	if (record->addr != fb_hash(key, seed))
		return 0;
	cold = bpf_map_lookup_elem(&info, &slot);
	return cold && cold->addr[0] == key->addr[0] && cold->addr[1] == key->addr[1] &&
	       cold->addr[2] == key->addr[2] && cold->addr[3] == key->addr[3];
}

/* Returns FB_PARSED when the bucket leads to the packet's flow, else FB_PASSED_NO_FLOW or FB_ERROR. */
FB_INLINE int fb_search(__u32 bucket_number, __u32 tag, const struct fb_packet *packet, __u64 seed, struct fb_hit *hit)
{
	struct fb_bucket *bucket = bpf_map_lookup_elem(&index, &bucket_number);
	int i, result = FB_PASSED_NO_FLOW;

	if (!bucket)
		return FB_ERROR;
	for (i = 0; i < FB_CELLS; i++) {
		__u64 cell = *(volatile __u64 *)&bucket->cell[i];
		struct fb_record *record;
		__u32 number, state;

		if (FB_CELL_TAG(cell) != tag)
			continue;
		hit->slot = FB_CELL_SLOT(cell);
		number = hit->slot * 2 + (packet->direction & 1);
		record = bpf_map_lookup_elem(&records, &number);
		if (!record) {
			result = FB_ERROR;
			continue;
		}
		hit->match = *(volatile __u32 *)&record->match;
		state = fb_state_of(hit->match);
		if (state != FB_LIVE && state != FB_CLOSING)
			continue;
		if (!fb_is_key(record, hit->slot, &packet->key, seed))
			continue;
		hit->record = record;
		return FB_PARSED;
	}
	return result;
}

#endif
