// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Cuts the packets of bypassed flows and counts them. A packet costs two cache lines: a bucket of index and a record.
 * An IPv6 packet of a bypassed flow costs a third one, where its whole key stands; a packet of no bypassed flow costs
 * another one when automatic cut-off is on.
 */
#include "classic.h"
#include "cutoff.h"

/* Whether this FIN or RST is one of those that a flow with FB_PASS_CONTROL lets pass. */
FB_INLINE int fb_passes_control(struct fb_record *record)
{
	/* Looked at first, so that the count does not overflow. */
	return record->seen >> FB_SEEN_CONTROL_SHIFT < FB_CONTROL_PACKETS &&
	       __sync_fetch_and_add(&record->seen, 1 << FB_SEEN_CONTROL_SHIFT) >> FB_SEEN_CONTROL_SHIFT < FB_CONTROL_PACKETS;
}

/* What becomes of a packet whose flow is to be cut: a verdict, the packet not counted yet. */
FB_INLINE int fb_act(const struct fb_packet *packet, const struct fb_hit *hit)
{
	__u32 action = hit->match >> FB_ACTION_SHIFT & FB_ACTION_MASK;

	if (action == FB_COUNT)
		return FB_CUT_COUNTED;
	if (hit->match & FB_PASS_CONTROL && packet->tcp_flags & (FB_TCP_FIN | FB_TCP_RST) && fb_passes_control(hit->record))
		return FB_PASSED_TCP_CONTROL;
	if (action == FB_DROP)
		return FB_CUT_DROPPED;
	if (action != FB_REDIRECT)
		return FB_ERROR;
	return bpf_redirect_map(&ports, hit->match >> FB_PORT_SHIFT, XDP_PASS) == XDP_REDIRECT ? FB_CUT_REDIRECTED :
											      FB_ERROR_REDIRECT;
}

/* spare: as for fb_find(). */
FB_INLINE int fb_decide(const struct fb_packet *packet, struct fb_tuple *spare, struct fb_hit *hit)
{
	__u64 hash = fb_hash(&packet->tuple, config.seed[0]);
	struct fb_record *record;
	int found, verdict, ended = 0;
	__u64 now;

	if (fb_classic && fb_is_syn(packet)) {
		*spare = packet->tuple;
		ended = fb_classic_end(spare);
	}
	found = fb_find(&packet->tuple, spare, hash, hit);
	if (found == FB_PASSED_NO_FLOW && fb_classic) {
		found = fb_classic_decide(packet, spare);
		if (found == FB_PASSED_NO_FLOW && ended)
			found = FB_PASSED_REOPENED;
		if (found != FB_PASSED_NO_FLOW)
			return found;
	}
	if (found != FB_PARSED) {
		if (found == FB_PASSED_NO_FLOW && config.cutoff)
			fb_track(packet, spare, hash);
		return found;
	}

	record = hit->record;
	now = fb_now();
	if ((__s64)(now - record->last_seen) > 0)
		record->last_seen = now;
	if (packet->tcp_flags & ~record->seen)
		__sync_fetch_and_or(&record->seen, packet->tcp_flags);
	if (fb_is_syn(packet))
		fb_reopen(hit->slot);
	/* After the marks: should the flow turn out to have woken up, its SYN is not forgotten. */
	if (fb_state_of(hit->match) == FB_CLOSING)
		return FB_PASSED_CLOSING;
	if (record->seen & FB_SEEN_REOPENED)
		return FB_PASSED_REOPENED;

	if (config.paused)
		return FB_PASSED_PAUSED;
	/* Signed: the coarse clock lags the one that user space stamps the heartbeat with. */
	if ((__s64)(now - config.heartbeat) > (__s64)config.lease)
		return FB_PASSED_LEASE;

	verdict = fb_act(packet, hit);
	if (verdict == FB_CUT_DROPPED || verdict == FB_CUT_REDIRECTED || verdict == FB_CUT_COUNTED) {
		__sync_fetch_and_add(&record->packets, 1);
		__sync_fetch_and_add(&record->bytes, packet->bytes);
	}
	return verdict;
}

FB_INLINE void fb_readdress(struct xdp_md *ctx, __u64 destination)
{
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) <= (void *)(long)ctx->data_end)
		__builtin_memcpy(eth->h_dest, &destination, ETH_ALEN);
}

/* From what the parser said of a packet to what the kernel does with it. spare: as for fb_find(). */
FB_INLINE int fb_finish(struct xdp_md *ctx, struct fb_packet *packet, struct fb_tuple *spare, int verdict)
{
	struct fb_count *count;
	struct fb_hit hit = {};
	__u64 destination = 0;

	if (verdict == FB_PARSED) {
		packet->tuple.vlans &= config.vlan_mask;
		verdict = fb_decide(packet, spare, &hit);
		if (verdict == FB_CUT_REDIRECTED)
			destination = config.destination[hit.match >> FB_PORT_SHIFT & (FB_PORTS - 1)];
	}
	/* After the record's counters: user space reads slots, verdicts, slots, and relies on this order. */
	count = bpf_map_lookup_elem(&verdicts, &verdict);
	if (count) {
		count->packets++;
		count->bytes += packet->bytes;
	}
	if (verdict == FB_CUT_DROPPED || verdict == FB_CUT_CLASSIC)
		return XDP_DROP;
	if (verdict != FB_CUT_REDIRECTED)
		return XDP_PASS;
	if (destination)
		fb_readdress(ctx, destination);
	return XDP_REDIRECT;
}

/* Neither inline nor static, as the one below, so that it is there once, and does not burden the usual packet of IPv4. */
__noinline int fb_run_unusual(struct xdp_md *ctx, __u32 bytes)
{
	struct fb_packet packet = { .bytes = bytes };
	int verdict = fb_parse(ctx, &packet);

	return fb_finish(ctx, &packet, &packet.tuple, verdict);
}

/* For the usual packet of IPv6; FB_UNUSUAL for any other. */
__noinline int fb_run_ipv6(struct xdp_md *ctx, __u32 bytes)
{
	struct fb_packet packet = { .bytes = bytes };

	if (fb_parse_usual_ipv6(ctx, &packet) != FB_PARSED)
		return FB_UNUSUAL;
	return fb_finish(ctx, &packet, &packet.tuple, FB_PARSED);
}

FB_INLINE int fb_run(struct xdp_md *ctx, __u32 bytes)
{
	struct fb_packet packet = { .bytes = bytes };
	struct fb_tuple spare;
	int result;

	if (FB_LIKELY(fb_parse_usual(ctx, &packet) == FB_PARSED))
		return fb_finish(ctx, &packet, &spare, FB_PARSED);
	result = fb_run_ipv6(ctx, bytes);
	return result == FB_UNUSUAL ? fb_run_unusual(ctx, bytes) : result;
}

SEC("xdp")
int flowbypass(struct xdp_md *ctx)
{
	return fb_run(ctx, ctx->data_end - ctx->data);
}

/* For packets in several buffers (large MTU), where driver and kernel can: Linux 5.18. */
SEC("?xdp.frags")
int flowbypass_frags(struct xdp_md *ctx)
{
	return fb_run(ctx, bpf_xdp_get_buff_len(ctx));
}

char _license[] SEC("license") = "Dual BSD/GPL";
