/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From a frame to a key. A cursor walks Ethernet, VLAN tags, IPv4 or IPv6 with extension headers, TCP or UDP; whatever
 * cannot be a whole packet of a flow ends with the verdict that passes it.
 */
#ifndef FLOWBYPASS_PARSE_H
#define FLOWBYPASS_PARSE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "key.h"

#define FB_VLAN_TAGS 2		/* tags skipped; a frame with more is passed */
#define FB_IPV6_HEADERS 8	/* extension headers followed; a packet with more is passed */

#define FB_IPV4_FRAGMENT 0x3fff	/* RFC 791: more-fragments bit and offset */
#define FB_IPV6_FRAGMENT 0xfff9	/* RFC 8200 4.5: offset and more-fragments bit */

#define FB_TCP_SYN 0x02
#define FB_TCP_ACK 0x10

/* Extension headers that RFC 8200 and RFC 6275 number, where linux/in.h does not. */
#define FB_IPPROTO_MOBILITY 135

/* Not a verdict: the packet has a key. */
#define FB_PARSED -1

struct fb_packet {
	struct fb_key key;
	int direction;
	__u8 tcp_flags;
};

struct fb_cursor {
	void *at;
	void *end;
};

struct fb_vlan {
	__be16 tci;
	__be16 type;
};

struct fb_ipv6_option {
	__u8 next;
	__u8 length;	/* in 8 bytes without the first 8; AH: in 4 bytes without the first 8 */
};

struct fb_ipv6_fragment {
	__u8 next;
	__u8 reserved;
	__be16 offset;
	__be32 id;
};

FB_INLINE void *fb_take(struct fb_cursor *cursor, __u32 bytes)
{
	void *header = cursor->at;

	if (header + bytes > cursor->end)
		return NULL;
	cursor->at = header + bytes;
	return header;
}

/* left: bytes of the IP packet from here on, by its own length field. */
FB_INLINE int fb_parse_ports(struct fb_cursor *cursor, __u32 left, __u8 proto, __be16 *sport, __be16 *dport,
			     __u8 *tcp_flags)
{
	if (proto == IPPROTO_TCP) {
		struct tcphdr *tcp = fb_take(cursor, sizeof(*tcp));

		if (!tcp || tcp->doff < 5 || tcp->doff * 4 > left)
			return FB_PASSED_MALFORMED;
		*sport = tcp->source;
		*dport = tcp->dest;
		*tcp_flags = ((__u8 *)tcp)[13];
		return FB_PARSED;
	}
	if (proto == IPPROTO_UDP) {
		struct udphdr *udp = fb_take(cursor, sizeof(*udp));

		if (!udp || left < sizeof(*udp))
			return FB_PASSED_MALFORMED;
		*sport = udp->source;
		*dport = udp->dest;
		return FB_PARSED;
	}
	return FB_PASSED_OTHER;
}

FB_INLINE int fb_parse_ipv4(struct fb_cursor *cursor, struct fb_packet *packet)
{
	__u32 frame_left = cursor->end - cursor->at;
	struct iphdr *ip = fb_take(cursor, sizeof(*ip));
	__be16 sport, dport;
	__u32 header, total;
	int parsed;

	if (!ip || ip->version != 4)
		return FB_PASSED_MALFORMED;
	header = ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len);
	if (header < sizeof(*ip) || total < header || total > frame_left)
		return FB_PASSED_MALFORMED;
	if (ip->frag_off & bpf_htons(FB_IPV4_FRAGMENT))
		return FB_PASSED_FRAGMENT;
	if (!fb_take(cursor, header - sizeof(*ip)))
		return FB_PASSED_MALFORMED;
	parsed = fb_parse_ports(cursor, total - header, ip->protocol, &sport, &dport, &packet->tcp_flags);
	if (parsed == FB_PARSED)
		packet->direction = fb_key_v4(&packet->key, ip->saddr, ip->daddr, sport, dport, ip->protocol);
	return parsed;
}

/* Takes one extension header. Returns FB_PARSED when there was one, 0 when next is no extension header, or a verdict. */
FB_INLINE int fb_take_extension(struct fb_cursor *cursor, __u8 *next)
{
	struct fb_ipv6_fragment *fragment;
	struct fb_ipv6_option *option;
	__u32 rest;

	switch (*next) {
	case IPPROTO_FRAGMENT:
		fragment = fb_take(cursor, sizeof(*fragment));
		if (!fragment)
			return FB_PASSED_MALFORMED;
		/* An atomic fragment (RFC 6946) is a whole packet. */
		if (fragment->offset & bpf_htons(FB_IPV6_FRAGMENT))
			return FB_PASSED_FRAGMENT;
		*next = fragment->next;
		return FB_PARSED;
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_AH:
	case FB_IPPROTO_MOBILITY:
		option = fb_take(cursor, sizeof(*option));
		if (!option)
			return FB_PASSED_MALFORMED;
		rest = *next == IPPROTO_AH ? (option->length + 2) * 4 : (option->length + 1) * 8;
		if (!fb_take(cursor, rest - sizeof(*option)))
			return FB_PASSED_MALFORMED;
		*next = option->next;
		return FB_PARSED;
	default:
		return 0;
	}
}

FB_INLINE int fb_parse_ipv6(struct fb_cursor *cursor, struct fb_packet *packet)
{
	struct ipv6hdr *ip = fb_take(cursor, sizeof(*ip));
	__be16 sport, dport;
	void *payload_end;
	__u64 src[2], dst[2];
	int i, parsed;
	__u8 next;

	if (!ip || ip->version != 6)
		return FB_PASSED_MALFORMED;
	payload_end = cursor->at + bpf_ntohs(ip->payload_len);
	if (payload_end > cursor->end)
		return FB_PASSED_MALFORMED;
	__builtin_memcpy(src, &ip->saddr, sizeof(src));
	__builtin_memcpy(dst, &ip->daddr, sizeof(dst));
	next = ip->nexthdr;

#pragma unroll
	for (i = 0; i < FB_IPV6_HEADERS; i++) {
		parsed = fb_take_extension(cursor, &next);
		if (parsed == 0)
			break;
		if (parsed != FB_PARSED)
			return parsed;
	}
	if (cursor->at > payload_end)
		return FB_PASSED_MALFORMED;
	parsed = fb_parse_ports(cursor, payload_end - cursor->at, next, &sport, &dport, &packet->tcp_flags);
	if (parsed == FB_PARSED)
		packet->direction = fb_key_v6(&packet->key, src, dst, sport, dport, next);
	return parsed;
}

/* Returns FB_PARSED and fills the packet, or the verdict that passes it. */
FB_INLINE int fb_parse(struct fb_cursor *cursor, struct fb_packet *packet)
{
	struct ethhdr *eth = fb_take(cursor, sizeof(*eth));
	__be16 type;
	int i;

	if (!eth)
		return FB_PASSED_MALFORMED;
	type = eth->h_proto;
	packet->tcp_flags = 0;

#pragma unroll
	for (i = 0; i < FB_VLAN_TAGS; i++) {
		struct fb_vlan *vlan;

		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		vlan = fb_take(cursor, sizeof(*vlan));
		if (!vlan)
			return FB_PASSED_MALFORMED;
		type = vlan->type;
	}
	if (type == bpf_htons(ETH_P_IP))
		return fb_parse_ipv4(cursor, packet);
	if (type == bpf_htons(ETH_P_IPV6))
		return fb_parse_ipv6(cursor, packet);
	return FB_PASSED_OTHER;
}

#endif
