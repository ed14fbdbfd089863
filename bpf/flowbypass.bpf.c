// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Cuts the packets of bypassed flows and counts them. A packet costs two cache lines: a bucket of index and a record.
 * An IPv6 packet of a bypassed flow costs a third one, where its whole key stands.
 */
#include "parse.h"

/* The loader sets the number of entries of the first three. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fb_bucket);
} index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct fb_record);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fb_info);
} info SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fb_config);
} config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FB_VERDICTS);
	__type(key, __u32);
	__type(value, struct fb_count);
} verdicts SEC(".maps");

/* Where a packet's flow was found. */
struct fb_hit {
	struct fb_record *record;	/* of the packet's direction */
	__u32 slot;
	__u32 state;
};

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
		state = *(volatile __u32 *)&record->match >> FB_STATE_SHIFT;
		if (state != FB_LIVE && state != FB_CLOSING)
			continue;
		if (!fb_is_key(record, hit->slot, &packet->key, seed))
			continue;
		hit->record = record;
		hit->state = state;
		return FB_PARSED;
	}
	return result;
}

/* A new connection on the tuple of a bypassed one: from here on both directions are passed. */
FB_INLINE void fb_reopen(const struct fb_hit *hit, int direction)
{
	__u32 other = hit->slot * 2 + (~direction & 1);
	struct fb_record *record = bpf_map_lookup_elem(&records, &other);

	__sync_fetch_and_or(&hit->record->seen, FB_SEEN_REOPENED);
	if (record)
		__sync_fetch_and_or(&record->seen, FB_SEEN_REOPENED);
}

FB_INLINE int fb_decide(const struct fb_packet *packet, const struct fb_config *settings, __u64 bytes)
{
	__u64 hash = fb_hash(&packet->key, settings->seed[0]);
	__u32 tag = fb_tag(hash);
	__u32 bucket = fb_bucket1(hash, settings->bucket_mask);
	struct fb_record *record;
	struct fb_hit hit = {};
	__u64 now;
	int found;

	found = fb_search(bucket, tag, packet, settings->seed[1], &hit);
	if (found == FB_PASSED_NO_FLOW)
		found = fb_search(fb_bucket2(bucket, tag, settings->bucket_mask), tag, packet, settings->seed[1], &hit);
	if (found != FB_PARSED)
		return found;

	record = hit.record;
	now = bpf_ktime_get_coarse_ns();
	if ((__s64)(now - record->last_seen) > 0)
		record->last_seen = now;
	if (packet->tcp_flags & ~record->seen)
		__sync_fetch_and_or(&record->seen, packet->tcp_flags);
	if (packet->key.proto == (IPPROTO_TCP | 4 << 8) || packet->key.proto == (IPPROTO_TCP | 6 << 8))
		if ((packet->tcp_flags & (FB_TCP_SYN | FB_TCP_ACK)) == FB_TCP_SYN)
			fb_reopen(&hit, packet->direction);
	/* After the marks: should the flow turn out to have woken up, its SYN is not forgotten. */
	if (hit.state == FB_CLOSING)
		return FB_PASSED_CLOSING;
	if (record->seen & FB_SEEN_REOPENED)
		return FB_PASSED_REOPENED;

	if (settings->paused)
		return FB_PASSED_PAUSED;
	/* Signed: the coarse clock lags the one that user space stamps the heartbeat with. */
	if ((__s64)(now - settings->heartbeat) > (__s64)settings->lease)
		return FB_PASSED_LEASE;

	__sync_fetch_and_add(&record->packets, 1);
	__sync_fetch_and_add(&record->bytes, bytes);
	return FB_CUT_DROPPED;
}

SEC("xdp")
int flowbypass(struct xdp_md *ctx)
{
	__u64 bytes = ctx->data_end - ctx->data;
	struct fb_packet packet = {};
	struct fb_config *settings;
	struct fb_count *count;
	__u32 zero = 0;
	int verdict;

	verdict = fb_parse(ctx, &packet);
	if (verdict == FB_PARSED) {
		settings = bpf_map_lookup_elem(&config, &zero);
		if (!settings)
			return XDP_PASS;
		verdict = fb_decide(&packet, settings, bytes);
	}
	/* After the record's counters: user space reads slots, verdicts, slots, and relies on this order. */
	count = bpf_map_lookup_elem(&verdicts, &verdict);
	if (count) {
		count->packets++;
		count->bytes += bytes;
	}
	return verdict == FB_CUT_DROPPED ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
