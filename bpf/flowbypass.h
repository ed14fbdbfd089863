/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The memory that XDP and user space share. Every fact about it stands here; its digest (comments left out) is the ABI
 * hash that the loader compares before it adopts pinned maps.
 *
 * A flow owns a slot. Slot s owns records[2 * s] and records[2 * s + 1], one per direction, and info[s]. A cell in
 * index names the slot:
 *
 *   index           records                     info
 *   +---- 64 ----+  +---- 64 ----+---- 64 ----+  +---- 144 ----+
 *   | 8 cells    |  | direction 0| direction 1|  | cold part   |
 *   +------------+  +------------+------------+  +-------------+
 *     tag | slot -----^ slot * 2                   ^ slot
 *
 * Words marked (xdp) are written by XDP while a cell names the slot; all others by user space.
 */
#ifndef FLOWBYPASS_H
#define FLOWBYPASS_H

#include <linux/types.h>

/* Raised with every change that an older user space would misread; also the bpf bundle's capability. */
#define FB_ABI 1

#define FB_CELLS 8	/* of 8 bytes in a bucket: one cache line */

/* A cell is 0 when empty, else the tag (never 0) above the slot. */
#define FB_CELL_TAG(cell) ((__u32)((cell) >> 32))
#define FB_CELL_SLOT(cell) ((__u32)(cell))

struct fb_bucket {
	__u64 cell[FB_CELLS];
};

enum fb_state {
	FB_FREE,
	FB_LIVE,	/* cut */
	FB_CLOSING,	/* passed; counters not final yet */
	FB_HARVESTED,	/* record delivered; base not moved yet */
};

/*
 * The canonical key: of the two endpoints (address, then port, as numbers) a is the smaller one. Addresses and ports
 * are in network byte order in memory, VLAN ids in host order.
 *
 *          0       8       16      24
 *   IPv4   a   b   0       0       0       addr
 *   IPv6   a               b               addr
 *
 *          0   2   4      6
 *          a   b   outer  inner            ports (a's port, b's port, VLAN ids: 0, they are not tracked yet)
 */
struct fb_key {
	__u64 addr[4];
	__u64 ports;
	__u32 proto;	/* protocol | family << 8; the family is 4 or 6 */
};

#define FB_PROTO_MASK 0xffff
#define FB_STATE_SHIFT 16

/* In fb_record.seen, above the eight TCP flags. */
#define FB_SEEN_REOPENED 0x100	/* a SYN without ACK came: the bypass is over */

struct fb_record {
	__u64 last_seen;	/* (xdp) coarse monotonic ns; may be older than added */
	__u64 packets;		/* (xdp) never set back */
	__u64 bytes;		/* (xdp) never set back; Ethernet header in, FCS not */
	__u32 seen;		/* (xdp) OR of TCP flags and FB_SEEN_*; atomic on both sides */
	__u32 idle_ms;		/* the flow's own idle timeout, 0 for none */
	__u64 addr;		/* IPv4: addr[0] of the key; IPv6: hash of the key by the second seed */
	__u64 ports;		/* of the key */
	__u32 match;		/* proto of the key | enum fb_state << 16 */
	__u32 generation;	/* of the slot, counts bypasses */
	__u64 added;		/* monotonic ns of the bypass */
};

struct fb_info {
	__u64 addr[4];		/* the key */
	__u64 ports;
	__u32 proto;
	__u8 forward;		/* record of the asker's direction: 0 when the asker's source is a, else 1 */
	__u8 origin;
	__u8 end_reason;	/* why it is CLOSING */
	__u8 reserved;
	__u64 base_packets[2];	/* the counters when the slot was taken, per record */
	__u64 base_bytes[2];
	char asker[16];		/* UTF-8, zero-padded */
	char rule[16];
	char cookie[32];
};

struct fb_config {
	__u64 heartbeat;	/* monotonic ns of user space's last sign of life */
	__u64 lease;		/* ns */
	__u64 seed[2];		/* of the key hash; the second one for fb_record.addr of IPv6 */
	__u32 bucket_mask;	/* buckets - 1; buckets are a power of two */
	__u32 paused;		/* not 0: pass everything */
	__u32 capacity;		/* slots */
	__u32 abi;		/* FB_ABI */
	__u64 abi_hash;
	__u64 table_id;
};

/* Java's io.flowbypass.xdp.Verdict has the same order. */
enum fb_verdict {
	FB_PASSED_NO_FLOW,
	FB_PASSED_OTHER,	/* neither IPv4 nor IPv6, or a protocol without ports */
	FB_PASSED_FRAGMENT,
	FB_PASSED_MALFORMED,
	FB_PASSED_LEASE,
	FB_PASSED_PAUSED,
	FB_PASSED_CLOSING,
	FB_PASSED_REOPENED,
	FB_CUT_DROPPED,
	FB_ERROR,		/* a cell names no slot */
	FB_VERDICTS,
};

struct fb_count {
	__u64 packets;
	__u64 bytes;
};

_Static_assert(sizeof(struct fb_bucket) == 64, "a bucket is a cache line");
_Static_assert(sizeof(struct fb_record) == 64, "a record is a cache line");
_Static_assert(sizeof(struct fb_info) == 144, "no holes in fb_info");
_Static_assert(sizeof(struct fb_config) == 64, "the configuration is a cache line");

#endif
