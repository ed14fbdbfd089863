/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From a frame to a key. A cursor walks Ethernet, VLAN tags, IPv4 or IPv6 with extension headers, and the ports of TCP,
 * UDP, UDP-Lite, SCTP or DCCP; every other protocol has the ports 0. Whatever cannot be a whole packet of a flow, and
 * what tells of others (ICMP errors), ends with the verdict that passes it.
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

#define FB_VLAN_TAGS 8		/* tags skipped; a frame with more is passed */
#define FB_VLAN_ID 0x0fff	/* IEEE 802.1Q 9.6: the other bits are priority and eligibility */
#define FB_MAX_NETWORK_OFFSET (ETH_HLEN + FB_VLAN_TAGS * 4)
#define FB_IPV6_HEADERS 8	/* extension headers followed; a packet with more is passed */

#define FB_IPV4_FRAGMENT 0x3fff	/* RFC 791: more-fragments bit and offset */
#define FB_IPV6_FRAGMENT 0xfff9	/* RFC 8200 4.5: offset and more-fragments bit */

#define FB_SCTP_HEADER 12	/* RFC 9260 3.1 */
#define FB_DCCP_LONG 16		/* RFC 4340 5.1: the generic header with a sequence number of 48 bits */
#define FB_DCCP_X 0x01		/* that it has one */
#define FB_NO_HEADER 0xffffffff

#define FB_TCP_FIN 0x01
#define FB_TCP_SYN 0x02
#define FB_TCP_RST 0x04
#define FB_TCP_ACK 0x10

#define FB_ICMP_HEADER 8	/* RFC 792: of every message */
#define FB_ICMPV6_HEADER 4	/* RFC 4443 2.1 */

/* Bits of the ICMP types (RFC 792) that are errors: unreachable, source quench, redirect, time exceeded, parameter problem. */
#define FB_ICMP_ERRORS (1 << 3 | 1 << 4 | 1 << 5 | 1 << 11 | 1 << 12)
#define FB_ICMPV6_INFORMATION 128	/* RFC 4443 2.1: types below are errors */
#define FB_ICMPV6_ND_FIRST 133	/* RFC 4861 4: neighbour discovery, from router solicitation */
#define FB_ICMPV6_ND_LAST 137	/* to redirect */

/* Extension headers that RFC 8200 and RFC 6275 number, where linux/in.h does not. */
#define FB_IPPROTO_MOBILITY 135

/* Not verdicts: the packet is one of a flow; it has to be read with more care. */
#define FB_PARSED -1
#define FB_UNUSUAL -2

struct fb_packet {
	struct fb_tuple tuple;	/* with the VLAN ids that the frame has, tracked or not */
	__u32 bytes;		/* of the whole frame; its headers have to lie in the first buffer */
	__u8 tcp_flags;
};

/* As struct ethhdr, which is packed, so that its type would be read by the byte. */
struct fb_ethernet {
	__u8 destination[ETH_ALEN];
	__u8 source[ETH_ALEN];
	__be16 type;
};

/* Whether it begins a TCP connection. */
FB_INLINE int fb_is_syn(const struct fb_packet *packet)
{
	return (packet->tcp_flags & (FB_TCP_SYN | FB_TCP_ACK)) == FB_TCP_SYN;
}

struct fb_cursor {
	void *at;
	void *end;
};

struct fb_vlan {
	__be16 tci;
	__be16 type;
};

struct fb_ports {
	__be16 source;
	__be16 dest;
};

struct fb_dccp {
	struct fb_ports ports;
	__u8 data_offset;	/* in 4 bytes */
	__u8 ccval_cscov;
	__be16 checksum;
	__u8 type_x;
	__u8 sequence[3];
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

/* Bytes of the header of a protocol that begins with two ports; 0 when proto has none, FB_NO_HEADER when it is not whole. */
FB_INLINE __u32 fb_port_header(const struct fb_cursor *cursor, __u8 proto)
{
	const struct fb_dccp *dccp = cursor->at;
	const struct tcphdr *tcp = cursor->at;
	const struct udphdr *udp = cursor->at;
	__u32 bytes;

	switch (proto) {
	case IPPROTO_TCP:
		if ((void *)(tcp + 1) > cursor->end)
			return FB_NO_HEADER;
		bytes = tcp->doff * 4;
		return bytes >= sizeof(*tcp) ? bytes : FB_NO_HEADER;
	case IPPROTO_UDP:
		if ((void *)(udp + 1) > cursor->end)
			return FB_NO_HEADER;
		bytes = bpf_ntohs(udp->len);
		return bytes >= sizeof(*udp) ? bytes : FB_NO_HEADER;
	case IPPROTO_UDPLITE:
		if ((void *)(udp + 1) > cursor->end)
			return FB_NO_HEADER;
		/* RFC 3828 3.1: how many bytes the checksum covers, 0 for all, in the place of UDP's length. */
		bytes = bpf_ntohs(udp->len);
		if (!bytes)
			return sizeof(*udp);
		return bytes >= sizeof(*udp) ? bytes : FB_NO_HEADER;
	case IPPROTO_SCTP:
		return FB_SCTP_HEADER;
	case IPPROTO_DCCP:
		if ((void *)(dccp + 1) > cursor->end)
			return FB_NO_HEADER;
		bytes = dccp->data_offset * 4;
		return bytes >= (dccp->type_x & FB_DCCP_X ? FB_DCCP_LONG : sizeof(*dccp)) ? bytes : FB_NO_HEADER;
	default:
		return 0;
	}
}

/* left: bytes of the IP packet from here on, by its own length field. A protocol without ports has the ports 0. */
FB_INLINE int fb_parse_portless(struct fb_cursor *cursor, __u32 left, __u8 proto)
{
	__u8 *type = cursor->at;

	switch (proto) {
	case IPPROTO_ICMP:
		if (left < FB_ICMP_HEADER || !fb_take(cursor, FB_ICMP_HEADER))
			return FB_PASSED_MALFORMED;
		return *type < 32 && FB_ICMP_ERRORS & 1U << *type ? FB_PASSED_ICMP_ERROR : FB_PARSED;
	case IPPROTO_ICMPV6:
		if (left < FB_ICMPV6_HEADER || !fb_take(cursor, FB_ICMPV6_HEADER))
			return FB_PASSED_MALFORMED;
		return *type < FB_ICMPV6_INFORMATION || (*type >= FB_ICMPV6_ND_FIRST && *type <= FB_ICMPV6_ND_LAST) ?
			       FB_PASSED_ICMP_ERROR : FB_PARSED;
	default:
		return FB_PARSED;
	}
}

/* left: as above. */
FB_INLINE int fb_parse_transport(struct fb_cursor *cursor, __u32 left, __u8 proto, struct fb_packet *packet)
{
	__u32 bytes = fb_port_header(cursor, proto);
	struct tcphdr *tcp = cursor->at;
	struct fb_ports *ports;

	packet->tuple.proto = proto;
	if (!bytes)
		return fb_parse_portless(cursor, left, proto);
	if (bytes > left)
		return FB_PASSED_MALFORMED;
	ports = fb_take(cursor, sizeof(*ports));
	if (!ports)
		return FB_PASSED_MALFORMED;
	packet->tuple.sport = ports->source;
	packet->tuple.dport = ports->dest;
	if (proto == IPPROTO_TCP) {
		if ((void *)(tcp + 1) > cursor->end)
			return FB_PASSED_MALFORMED;
		packet->tcp_flags = ((__u8 *)tcp)[13];
	}
	return FB_PARSED;
}

/* frame_left: bytes of the frame from here on. */
FB_INLINE int fb_parse_ipv4(struct fb_cursor *cursor, __u32 frame_left, struct fb_packet *packet)
{
	struct iphdr *ip = fb_take(cursor, sizeof(*ip));
	__u32 header, total;

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
	packet->tuple.family = 4;
	packet->tuple.src[0] = ip->saddr;
	packet->tuple.dst[0] = ip->daddr;
	return fb_parse_transport(cursor, total - header, ip->protocol, packet);
}

FB_INLINE int fb_is_extension(__u8 next)
{
	return next == IPPROTO_FRAGMENT || next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING ||
	       next == IPPROTO_DSTOPTS || next == IPPROTO_AH || next == FB_IPPROTO_MOBILITY;
}

/*
 * Takes one extension header out of what is left of the packet. Returns FB_PARSED, or the verdict that passes the packet.
 */
FB_INLINE int fb_take_extension(struct fb_cursor *cursor, __u32 *left, __u8 *next)
{
	struct fb_ipv6_fragment *fragment;
	struct fb_ipv6_option *option;
	__u32 bytes;

	if (*next == IPPROTO_FRAGMENT) {
		fragment = fb_take(cursor, sizeof(*fragment));
		if (!fragment || *left < sizeof(*fragment))
			return FB_PASSED_MALFORMED;
		/* An atomic fragment (RFC 6946) is a whole packet. */
		if (fragment->offset & bpf_htons(FB_IPV6_FRAGMENT))
			return FB_PASSED_FRAGMENT;
		*left -= sizeof(*fragment);
		*next = fragment->next;
		return FB_PARSED;
	}
	option = fb_take(cursor, sizeof(*option));
	if (!option)
		return FB_PASSED_MALFORMED;
	bytes = *next == IPPROTO_AH ? (option->length + 2) * 4 : (option->length + 1) * 8;
	if (*left < bytes || !fb_take(cursor, bytes - sizeof(*option)))
		return FB_PASSED_MALFORMED;
	*left -= bytes;
	*next = option->next;
	return FB_PARSED;
}

/* frame_left: as above. */
FB_INLINE int fb_parse_ipv6(struct fb_cursor *cursor, __u32 frame_left, struct fb_packet *packet)
{
	struct ipv6hdr *ip = fb_take(cursor, sizeof(*ip));
	int i, parsed;
	__u32 left;
	__u8 next;

	if (!ip || ip->version != 6)
		return FB_PASSED_MALFORMED;
	left = bpf_ntohs(ip->payload_len);
	if (sizeof(*ip) + left > frame_left)
		return FB_PASSED_MALFORMED;
	packet->tuple.family = 6;
	__builtin_memcpy(packet->tuple.src, &ip->saddr, sizeof(packet->tuple.src));
	__builtin_memcpy(packet->tuple.dst, &ip->daddr, sizeof(packet->tuple.dst));
	next = ip->nexthdr;

#pragma unroll
	for (i = 0; i < FB_IPV6_HEADERS; i++) {
		if (!fb_is_extension(next))
			break;
		parsed = fb_take_extension(cursor, &left, &next);
		if (parsed != FB_PARSED)
			return parsed;
	}
	if (fb_is_extension(next))
		return FB_PASSED_OTHER;
	return fb_parse_transport(cursor, left, next, packet);
}

/*
 * From the network header on, which begins at that offset in the frame. Not inline and not static, so that the verifier
 * looks at it once, for any offset, and not once for each number of VLAN tags.
 */
__noinline int fb_parse_network(struct xdp_md *ctx, __u32 offset, __be16 type, struct fb_packet *packet)
{
	struct fb_cursor cursor = {
		.at = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
	};

	if (!packet || offset > FB_MAX_NETWORK_OFFSET || !fb_take(&cursor, offset))
		return FB_PASSED_MALFORMED;
	if (type == bpf_htons(ETH_P_IP))
		return fb_parse_ipv4(&cursor, packet->bytes - offset, packet);
	if (type == bpf_htons(ETH_P_IPV6))
		return fb_parse_ipv6(&cursor, packet->bytes - offset, packet);
	return FB_PASSED_OTHER;
}

/* Fills a packet that is 0 but for its bytes. Returns FB_PARSED, or the verdict that passes it. */
FB_INLINE int fb_parse(struct xdp_md *ctx, struct fb_packet *packet)
{
	struct fb_cursor cursor = {
		.at = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
	};
	struct fb_ethernet *eth = fb_take(&cursor, sizeof(*eth));
	__u32 offset = sizeof(*eth);
	__be16 type;
	int i;

	if (!eth)
		return FB_PASSED_MALFORMED;
	type = eth->type;
#pragma unroll
	for (i = 0; i < FB_VLAN_TAGS; i++) {
		struct fb_vlan *vlan;

		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		vlan = fb_take(&cursor, sizeof(*vlan));
		if (!vlan)
			return FB_PASSED_MALFORMED;
		if (i < 2)
			packet->tuple.vlans |= (__u32)(bpf_ntohs(vlan->tci) & FB_VLAN_ID) << 16 * i;
		type = vlan->type;
		offset += sizeof(*vlan);
	}
	return fb_parse_network(ctx, offset, type, packet);
}

#define FB_TOO_LONG 0x10000	/* bytes: more than any IP packet has */

/*
 * The usual transport header, of TCP or UDP. Returns how many bytes the IP packet has to have from here on, or FB_TOO_LONG
 * where it is none or not whole. proto: of the IP header; there are 8 bytes from udp on.
 */
FB_INLINE __u32 fb_parse_usual_transport(struct udphdr *udp, void *end, __u8 proto, struct fb_packet *packet)
{
	struct tcphdr *tcp = (void *)udp;
	__u32 bytes;

	if (proto == IPPROTO_TCP) {
		if ((void *)(tcp + 1) > end || tcp->doff * 4 < sizeof(*tcp))
			return FB_TOO_LONG;
		bytes = tcp->doff * 4;
		packet->tcp_flags = ((__u8 *)tcp)[13];
	} else if (proto == IPPROTO_UDP) {
		bytes = bpf_ntohs(udp->len);
		if (bytes < sizeof(*udp))
			return FB_TOO_LONG;
	} else {
		return FB_TOO_LONG;
	}
	packet->tuple.proto = proto;
	packet->tuple.sport = udp->source;
	packet->tuple.dport = udp->dest;
	return bytes;
}

/*
 * Does what fb_parse() does for the usual packet: TCP or UDP in IPv4, untagged, without options, whole. Every other one is
 * FB_UNUSUAL. What the compiler then knows of the packet makes all that follows much shorter.
 */
FB_INLINE int fb_parse_usual(struct xdp_md *ctx, struct fb_packet *packet)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct fb_ethernet *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);
	__u32 total;

	if ((void *)(udp + 1) > end || eth->type != bpf_htons(ETH_P_IP) ||
	    *(__u8 *)ip != (4 << 4 | sizeof(*ip) / 4) || ip->frag_off & bpf_htons(FB_IPV4_FRAGMENT))
		return FB_UNUSUAL;
	total = bpf_ntohs(ip->tot_len);
	if (sizeof(*ip) + fb_parse_usual_transport(udp, end, ip->protocol, packet) > total ||
	    sizeof(*eth) + total > packet->bytes)
		return FB_UNUSUAL;
	packet->tuple.family = 4;
	packet->tuple.src[0] = ip->saddr;
	packet->tuple.dst[0] = ip->daddr;
	return FB_PARSED;
}

/* The same for IPv6, without extension headers. */
FB_INLINE int fb_parse_usual_ipv6(struct xdp_md *ctx, struct fb_packet *packet)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct fb_ethernet *eth = data;
	struct ipv6hdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);
	__u32 left;

	if ((void *)(udp + 1) > end || eth->type != bpf_htons(ETH_P_IPV6) || ip->version != 6)
		return FB_UNUSUAL;
	left = bpf_ntohs(ip->payload_len);
	if (fb_parse_usual_transport(udp, end, ip->nexthdr, packet) > left || sizeof(*eth) + sizeof(*ip) + left > packet->bytes)
		return FB_UNUSUAL;
	packet->tuple.family = 6;
	__builtin_memcpy(packet->tuple.src, &ip->saddr, sizeof(packet->tuple.src));
	__builtin_memcpy(packet->tuple.dst, &ip->daddr, sizeof(packet->tuple.dst));
	return FB_PARSED;
}

#endif
