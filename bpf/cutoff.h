/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Automatic cut-off: counts flows that are not bypassed, and bypasses those that pass a threshold, without user space.
 *
 * Each flow has one line of the tracker where it may stand. A line that is full forgets the flow that has been silent for
 * long, else the smallest one: so a flood of small flows does not drive out the large ones. Entries are changed by
 * compare-and-swap. A packet that loses one is not counted in the entry, but as contended; and when an entry changes its
 * owner, packets that are just being added may go to the other one: a threshold is exact but for that.
 */
#ifndef FLOWBYPASS_CUTOFF_H
#define FLOWBYPASS_CUTOFF_H

#include "table.h"

#define FB_EPOCH_SHIFT 32	/* an epoch is 2^32 ns, 4.3 s; the eight bits of it in an entry last 18 min */
#define FB_SILENT_EPOCHS 16	/* an entry that had no packet for so long, 69 s, may go */
#define FB_ORIGIN_AUTOMATIC 4	/* io.flowbypass.flow.Origin */

/* Ports of UDP tunnels, in which many flows look like one: VXLAN (IANA, Linux), GENEVE, GTP-U. */
FB_INLINE int fb_is_tunnel(__be16 port)
{
	return port == bpf_htons(4789) || port == bpf_htons(8472) || port == bpf_htons(6081) || port == bpf_htons(2152);
}

#define FB_SYSTEM_PORTS 1024	/* RFC 6335 6: ports below are those of services */

/*
 * Whether the list of what may be cut off names the flow. Returns the port by which it does, in host order, or -1. The
 * other port must not be a service's: a client that sends from port 443 does not make any service one of port 443.
 */
FB_INLINE int fb_allowed(const struct fb_tuple *tuple)
{
	__u32 proto = (__u32)tuple->proto << 16;
	__u32 source = bpf_ntohs(tuple->sport), destination = bpf_ntohs(tuple->dport);
	int i;

	for (i = 0; i < FB_ALLOWED; i++) {
		__u32 allowed = config.allowed[i];

		if (!allowed)
			break;
		if ((allowed == (proto | source) && destination >= FB_SYSTEM_PORTS) ||
		    (allowed == (proto | destination) && source >= FB_SYSTEM_PORTS))
			return allowed & 0xffff;
	}
	return -1;
}

FB_INLINE int fb_is_in(const __u64 *addr, const struct fb_never *entry)
{
	return (addr[0] & entry->mask[0]) == entry->addr[0] && (addr[1] & entry->mask[1]) == entry->addr[1];
}

/*
 * Whether an entry of the never-cut list names the flow; one that is not there names all. As fb_is_never_cut() not inline
 * and not static, so that the verifier looks at it once, and not in each round of a loop.
 */
__noinline int fb_is_named(struct fb_tuple *tuple, __u32 number)
{
	struct fb_never *entry = bpf_map_lookup_elem(&never, &number);

	if (!entry || !tuple)
		return 1;
	if (entry->family != tuple->family || (entry->proto && entry->proto != tuple->proto))
		return 0;
	if (entry->port && entry->port != tuple->sport && entry->port != tuple->dport)
		return 0;
	return fb_is_in(tuple->src, entry) || fb_is_in(tuple->dst, entry);
}

__noinline int fb_is_never_cut(struct fb_tuple *tuple)
{
	__u64 list = *(volatile __u64 *)&config.never;
	__u32 i;

	if (!tuple)
		return 1;
	for (i = 0; i < FB_NEVER; i++) {
		if (i >= list >> 32)
			return 0;
		if (fb_is_named(tuple, (__u32)list + i))
			return 1;
	}
	return 0;
}

FB_INLINE int fb_used_cells(const struct fb_bucket *bucket)
{
	int i, used = 0;

	for (i = 0; i < FB_CELLS; i++)
		used += !!bucket->cell[i];
	return used;
}

/* Changes a cell of a bucket from one value to another; false when none has the first one. */
FB_INLINE int fb_swap_cell(struct fb_bucket *bucket, __u64 from, __u64 to)
{
	int i;

	for (i = 0; i < FB_CELLS; i++)
		if (bucket->cell[i] == from && __sync_val_compare_and_swap(&bucket->cell[i], from, to) == from)
			return 1;
	return 0;
}

/* Publishes a cell in the second bucket of its key; packets look there from before on. */
FB_INLINE int fb_publish_elsewhere(struct fb_bucket *first, struct fb_bucket *second, __u64 cell)
{
	__sync_fetch_and_add(&first->elsewhere, 1);
	if (fb_swap_cell(second, 0, cell))
		return 1;
	__sync_fetch_and_add(&first->elsewhere, -1);
	return 0;
}

FB_INLINE int fb_publish(struct fb_bucket *first, struct fb_bucket *second, __u64 cell)
{
	int used = fb_used_cells(first);

	if (used >= FB_OFTEN && fb_used_cells(second) < used && fb_publish_elsewhere(first, second, cell))
		return 1;
	return fb_swap_cell(first, 0, cell) || fb_publish_elsewhere(first, second, cell);
}

FB_INLINE void fb_withdraw(struct fb_bucket *first, struct fb_bucket *second, __u64 cell)
{
	if (!fb_swap_cell(first, cell, 0) && fb_swap_cell(second, cell, 0))
		__sync_fetch_and_add(&first->elsewhere, -1);
}

/* Whether another slot in that bucket has the key, or is about to. */
FB_INLINE int fb_is_taken(const struct fb_bucket *bucket, __u64 own, const struct fb_tuple *tuple, int direction)
{
	int i;

	for (i = 0; i < FB_CELLS; i++) {
		__u64 cell = *(volatile __u64 *)&bucket->cell[i];
		struct fb_record *record;
		__u32 number, state;

		if (cell == own || FB_CELL_TAG(cell) != FB_CELL_TAG(own))
			continue;
		number = FB_CELL_SLOT(cell) * 2;
		record = bpf_map_lookup_elem(&records, &number);
		if (!record)
			continue;
		state = fb_state_of(*(volatile __u32 *)&record->match);
		/* CLOSING too: user space may find that the flow has woken up, and make it LIVE again. */
		if (state != FB_FREE && state != FB_HARVESTED && fb_is_key(record, FB_CELL_SLOT(cell), tuple, direction))
			return 1;
	}
	return 0;
}

/* In the order in which user space does it, so that a crash is recovered from alike; CLAIMED, in record 0 last. */
FB_INLINE void fb_write(struct fb_info *cold, struct fb_record *first, struct fb_record *second,
			const struct fb_tuple *tuple, int direction, __u8 forward)
{
	__u32 match = fb_key_proto(tuple) | FB_CLAIMED << FB_STATE_SHIFT | FB_DROP << FB_ACTION_SHIFT | FB_PASS_CONTROL;
	__u32 generation = first->generation + 1;
	__u64 now = bpf_ktime_get_ns();
	__u64 ports = fb_key_ports(tuple, direction);
	__u64 addr;

	addr = tuple->family == 4 ? fb_key_addr_v4(tuple, direction) : fb_hash(tuple, config.seed[1]);
	__builtin_memset(cold, 0, sizeof(*cold));
	fb_key_addr(cold->addr, tuple, direction);
	cold->ports = ports;
	cold->proto = fb_key_proto(tuple);
	cold->forward = forward;
	cold->origin = FB_ORIGIN_AUTOMATIC;
	cold->base_packets[0] = first->packets;
	cold->base_packets[1] = second->packets;
	cold->base_bytes[0] = first->bytes;
	cold->base_bytes[1] = second->bytes;

	second->seen = 0;
	second->idle_ms = 0;
	second->addr = addr;
	second->ports = ports;
	second->generation = generation;
	second->added = now;
	__sync_lock_test_and_set(&second->match, match);
	first->seen = 0;
	first->idle_ms = 0;
	first->addr = addr;
	first->ports = ports;
	first->generation = generation;
	first->added = now;
	__sync_lock_test_and_set(&first->match, match);
}

FB_INLINE void fb_set_state(struct fb_record *record, __u32 state)
{
	__u32 others = record->match & ~(FB_STATE_MASK << FB_STATE_SHIFT);

	__sync_lock_test_and_set(&record->match, others | state << FB_STATE_SHIFT);
}

/*
 * Bypasses the packet's flow in a slot from the reserve; returns an enum fb_cutoff | slot << 32. Two that bypass one key at once, here
 * or in user space, each publish a CLAIMED slot first and look for the other one then: so at least one of them sees the
 * other. XDP withdraws when it does; user space waits for what becomes of XDP's.
 */
__noinline __u64 fb_cut_off(struct fb_tuple *tuple, __u32 server_port)
{
	__u32 number, slot;
	struct fb_bucket *bucket1, *bucket2;
	struct fb_record *first, *second;
	struct fb_info *cold;
	__u64 hash, cell;
	int direction, outcome;

	if (!tuple)
		return FB_CUTOFF_CONTENDED;
	if (tuple->proto == IPPROTO_UDP && (fb_is_tunnel(tuple->sport) || fb_is_tunnel(tuple->dport)))
		return FB_CUTOFF_NEVER;
	hash = fb_hash(tuple, config.seed[0]);
	number = fb_bucket1(hash, config.buckets);
	bucket1 = bpf_map_lookup_elem(&index, &number);
	number = fb_bucket2(hash, config.buckets);
	bucket2 = bpf_map_lookup_elem(&index, &number);
	if (!bucket1 || !bucket2)
		return FB_CUTOFF_TABLE_FULL;
	if (bpf_map_pop_elem(&reserve, &slot))
		return FB_CUTOFF_RESERVE_DRY;
	cold = bpf_map_lookup_elem(&info, &slot);
	number = slot * 2;
	first = bpf_map_lookup_elem(&records, &number);
	number++;
	second = bpf_map_lookup_elem(&records, &number);
	if (!cold || !first || !second)
		return FB_CUTOFF_RESERVE_DRY;

	direction = fb_direction(tuple);
	/* Forward is from the client: away from the port that the list names. */
	fb_write(cold, first, second, tuple, direction,
		 direction ^ (bpf_ntohs(tuple->sport) == server_port));
	cell = (__u64)fb_tag(hash) << 32 | slot;
	outcome = FB_CUTOFF_TABLE_FULL;
	if (fb_publish(bucket1, bucket2, cell)) {
		if (!fb_is_taken(bucket1, cell, tuple, direction) &&
		    !fb_is_taken(bucket2, cell, tuple, direction)) {
			fb_set_state(second, FB_LIVE);
			fb_set_state(first, FB_LIVE);
			bpf_ringbuf_output(&events, &slot, sizeof(slot), 0);
			return FB_CUTOFF_DONE | (__u64)slot << 32;
		}
		fb_withdraw(bucket1, bucket2, cell);
		outcome = FB_CUTOFF_CONTENDED;
	}
	fb_set_state(first, FB_FREE);
	fb_set_state(second, FB_FREE);
	bpf_map_push_elem(&reserve, &slot, BPF_ANY);
	return outcome;
}

FB_INLINE void fb_count_cutoff(__u32 outcome)
{
	__u64 *count = bpf_map_lookup_elem(&cutoffs, &outcome);

	if (count)
		*count += 1;
}

/* The entry that a flow which is not in its line may have: an empty or silent one, else the smallest. */
FB_INLINE int fb_victim(const struct fb_tracker_line *line, __u8 epoch)
{
	__u64 least = ~0ULL;
	int i, victim = 0;

	for (i = 0; i < FB_TRACKED; i++) {
		__u64 id = line->flow[i].id;
		__u64 volume = line->flow[i].volume;

		if (!id || (__u8)(epoch - (id >> FB_TRACK_EPOCH_SHIFT)) >= FB_SILENT_EPOCHS)
			volume = 0;
		if (volume < least) {
			least = volume;
			victim = i;
		}
	}
	return victim;
}

FB_INLINE void fb_begin_tracking(struct fb_tracker_line *line, __u64 id, __u64 volume, __u8 epoch)
{
	struct fb_tracked *flow = &line->flow[fb_victim(line, epoch) & (FB_TRACKED - 1)];
	__u64 before = flow->id;

	if (before && (__u8)(epoch - (before >> FB_TRACK_EPOCH_SHIFT)) < FB_SILENT_EPOCHS)
		fb_count_cutoff(FB_CUTOFF_TRACKER_FULL);
	if (__sync_val_compare_and_swap(&flow->id, before, id) == before)
		*(volatile __u64 *)&flow->volume = volume;
	else
		fb_count_cutoff(FB_CUTOFF_CONTENDED);
}

/* A flow that passed a threshold, and the id of its entry. */
FB_INLINE void fb_end_tracking(struct fb_tracked *flow, __u64 id, const struct fb_tuple *tuple, struct fb_tuple *spare,
			       __u32 server_port)
{
	__u64 result, after;
	__u32 outcome;

	if (__sync_val_compare_and_swap(&flow->id, id, id | FB_TRACK_CUTTING) != id) {
		fb_count_cutoff(FB_CUTOFF_CONTENDED);
		return;
	}
	*spare = *tuple;
	result = fb_is_never_cut(spare) ? FB_CUTOFF_NEVER : fb_cut_off(spare, server_port);
	outcome = result;
	fb_count_cutoff(outcome);
	after = *(volatile __u64 *)&flow->id;
	if ((after & FB_TRACK_ID) != (id & FB_TRACK_ID))
		return;
	if (outcome == FB_CUTOFF_DONE) {
		/* A SYN took the mark off: what was cut off has ended, and the next connection has begun. */
		if (!(after & FB_TRACK_CUTTING))
			fb_reopen(result >> 32);
		else
			__sync_val_compare_and_swap(&flow->id, after, 0);
		return;
	}
	/* Whether it still may never be cut is asked again after as much traffic; all else with the next packet. */
	if (outcome == FB_CUTOFF_NEVER)
		*(volatile __u64 *)&flow->volume = 0;
	__sync_fetch_and_and(&flow->id, ~(__u64)FB_TRACK_CUTTING);
}

/*
 * A SYN of a flow that was not found, after the tracker has it: another CPU may have cut its flow off meanwhile. Whoever
 * cuts off makes the slot LIVE first and looks at the tracker then, so one of the two sees the other.
 */
FB_INLINE void fb_look_again(const struct fb_tuple *tuple, struct fb_tuple *spare, __u64 hash)
{
	__u64 slot;

	*spare = *tuple;
	slot = fb_search_all(spare, hash);
	if (slot != FB_NO_SLOT && slot != FB_BAD_SLOT)
		fb_reopen(slot);
}

/* Counts a packet that belongs to no flow of the table, and cuts its flow off when that passes a threshold. spare: as above. */
FB_INLINE void fb_track(const struct fb_packet *packet, struct fb_tuple *spare, __u64 hash)
{
	__u32 number = fb_bucket1(hash, config.buckets);
	__u64 now, id, volume, before, mark;
	struct fb_tracker_line *line;
	struct fb_tracked *flow;
	int i, server_port, syn = fb_is_syn(packet);
	__u8 epoch;

	server_port = fb_allowed(&packet->tuple);
	if (server_port < 0 || config.paused)
		return;
	now = fb_now();
	if ((__s64)(now - config.heartbeat) > (__s64)config.lease)
		return;
	line = bpf_map_lookup_elem(&tracker, &number);
	if (!line)
		return;
	epoch = now >> FB_EPOCH_SHIFT;
	mark = 1 << fb_direction(&packet->tuple);
	/* Never 0, which is an empty entry: there is a mark. */
	id = (hash & FB_TRACK_ID) | (__u64)epoch << FB_TRACK_EPOCH_SHIFT | mark;
	volume = 1ULL << FB_TRACK_PACKET_SHIFT | packet->bytes;

	for (i = 0; i < FB_TRACKED; i++) {
		flow = &line->flow[i];
		before = *(volatile __u64 *)&flow->id;
		if ((before & FB_TRACK_ID) == (hash & FB_TRACK_ID) && before)
			break;
	}
	if (i == FB_TRACKED) {
		fb_begin_tracking(line, id, volume, epoch);
		if (syn)
			fb_look_again(&packet->tuple, spare, hash);
		return;
	}
	if (syn) {
		/* A new connection: what the one before sent does not count, nor whom it was seen from. */
		__sync_fetch_and_and(&flow->id, ~(__u64)(FB_TRACK_BOTH | FB_TRACK_CUTTING));
		*(volatile __u64 *)&flow->volume = volume;
		fb_look_again(&packet->tuple, spare, hash);
		return;
	}
	id |= before & (FB_TRACK_BOTH | FB_TRACK_CUTTING);
	if (id != before && __sync_val_compare_and_swap(&flow->id, before, id) != before) {
		fb_count_cutoff(FB_CUTOFF_CONTENDED);
		return;
	}
	volume += __sync_fetch_and_add(&flow->volume, volume);
	if (id & FB_TRACK_CUTTING || (id & FB_TRACK_BOTH) != FB_TRACK_BOTH)
		return;
	if ((config.cutoff_packets && volume >> FB_TRACK_PACKET_SHIFT >= config.cutoff_packets) ||
	    (config.cutoff_bytes && (volume & ((1ULL << FB_TRACK_PACKET_SHIFT) - 1)) >= config.cutoff_bytes))
		fb_end_tracking(flow, id, &packet->tuple, spare, server_port);
}

#endif
