/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How the programs read a packet that Flowbypass is measured against. */
#ifndef FRAME_H
#define FRAME_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define VLAN_TAGS 2
#define VLAN_ID 0x0fff
#define IPV4_FRAGMENT_OFFSET 0x1fff

struct vlan {
	__be16 tci;
	__be16 type;
};

struct ports {
	__be16 source;
	__be16 dest;
};

struct frame {
	void *at;	/* behind Ethernet and VLAN tags */
	void *end;
	__u64 bytes;
	__u32 vlans;	/* first id, second one << 16 */
	__be16 type;	/* of what is at at */
};

/* Reads Ethernet and VLAN tags; 0 when they are not whole. */
static __always_inline int read_frame(struct xdp_md *ctx, struct frame *frame)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	int i;

	frame->at = eth + 1;
	frame->end = (void *)(long)ctx->data_end;
	frame->bytes = frame->end - (void *)eth;
	frame->vlans = 0;
	if (frame->at > frame->end)
		return 0;
	frame->type = eth->h_proto;
	for (i = 0; i < VLAN_TAGS; i++) {
		struct vlan *vlan = frame->at;

		if (frame->type != bpf_htons(ETH_P_8021Q) && frame->type != bpf_htons(ETH_P_8021AD))
			break;
		frame->at = vlan + 1;
		if (frame->at > frame->end)
			return 0;
		frame->type = vlan->type;
		frame->vlans |= (bpf_ntohs(vlan->tci) & VLAN_ID) << 16 * i;
	}
	return 1;
}

static __always_inline int has_ports(__u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

/* The ports behind an IPv4 header that is there, whole, and of a packet that has them; else NULL. */
static __always_inline struct ports *ipv4_ports(const struct frame *frame)
{
	struct iphdr *ip = frame->at;
	struct ports *ports;

	if ((void *)(ip + 1) > frame->end || ip->ihl < 5)
		return NULL;
	if (!has_ports(ip->protocol) || ip->frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET))
		return NULL;
	ports = frame->at + ip->ihl * 4;
	return (void *)(ports + 1) > frame->end ? NULL : ports;
}

#endif
