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
 *   | 7 cells    |  | direction 0| direction 1|  | cold part   |
 *   +------------+  +------------+------------+  +-------------+
 *     tag | slot -----^ slot * 2                   ^ slot
 *
 * Words marked (xdp) are written by XDP while a cell names the slot; all others by user space.
 */
#ifndef FLOWBYPASS_H
#define FLOWBYPASS_H

#include <linux/types.h>

/* Raised with every change that an older user space would misread; also the bpf bundle's capability. */
#define FB_ABI 2

#define FB_CELLS 7	/* in a bucket, which is a cache line */
#define FB_OFTEN 5	/* cells of a key's first bucket that are used before its second one is thought of */

/* A cell is 0 when empty, else the tag (never 0) above the slot. */
#define FB_CELL_TAG(cell) ((__u32)((cell) >> 32))
#define FB_CELL_SLOT(cell) ((__u32)(cell))

/*
 * A key sits in the first of its two buckets, or when that is rather full and the other one emptier, in the second one. So
 * a packet's second bucket is looked at only when keys sit elsewhere that belong to its first one.
 */
struct fb_bucket {
	__u64 cell[FB_CELLS];
	__u64 elsewhere;	/* keys whose first bucket this is, and that sit in their second one; atomic on both sides */
};

enum fb_state {
	FB_FREE,
	FB_LIVE,	/* cut */
	FB_CLOSING,	/* passed; counters not final yet */
	FB_HARVESTED,	/* record delivered; base not moved yet */
	FB_CLAIMED,	/* not cut yet: whoever writes it still looks for another slot with its key */
};

/* What happens to the packets of a LIVE flow. */
enum fb_action {
	FB_DROP,
	FB_REDIRECT,	/* to a port of the map ports */
	FB_COUNT,	/* passed after all */
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
 *          a   b   outer  inner            ports (a's port, b's port, VLAN ids: 0 unless they are tracked)
 */
struct fb_key {
	__u64 addr[4];
	__u64 ports;
	__u32 proto;	/* protocol | family << 8; the family is 4 or 6 */
};

/*
 * fb_record.match:
 *
 *   31  30      27  26            25  24  23    16  15     8  7        0
 *   0   port        pass control  action  state     family    protocol
 */
#define FB_PROTO_MASK 0xffff
#define FB_STATE_SHIFT 16
#define FB_STATE_MASK 0xff
#define FB_ACTION_SHIFT 24
#define FB_ACTION_MASK 3
#define FB_PASS_CONTROL (1 << 26)	/* FIN and RST are passed, the first FB_CONTROL_PACKETS of each direction */
#define FB_PORT_SHIFT 27
#define FB_PORTS 16			/* redirect targets */

/* In fb_record.seen, above the eight TCP flags. */
#define FB_SEEN_REOPENED 0x100	/* a SYN without ACK came: the bypass is over */
#define FB_SEEN_CONTROL_SHIFT 16	/* above: FIN and RST that were passed */
#define FB_CONTROL_PACKETS 16

struct fb_record {
	__u64 last_seen;	/* (xdp) coarse monotonic ns; may be older than added */
	__u64 packets;		/* (xdp) never set back */
	__u64 bytes;		/* (xdp) never set back; Ethernet header in, FCS not */
	__u32 seen;		/* (xdp) OR of TCP flags and FB_SEEN_*; atomic on both sides */
	__u32 idle_ms;		/* the flow's own idle timeout, 0 for none */
	__u64 addr;		/* IPv4: addr[0] of the key; IPv6: hash of the key by the second seed */
	__u64 ports;		/* of the key */
	__u32 match;		/* drawn above */
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

#define FB_ALLOWED 8	/* entries of the list of what may be cut off automatically */

/* Four cache lines; a packet reads the first one, the second one when automatic cut-off is on. */
struct fb_config {
	__u64 heartbeat;	/* monotonic ns of user space's last sign of life */
	__u64 lease;		/* ns */
	__u64 seed[2];		/* of the key hash; the second one for fb_record.addr of IPv6 */
	__u32 buckets;
	__u32 paused;		/* not 0: pass everything */
	__u32 vlan_mask;	/* of both ids in a key: 0x0fff0fff when they are tracked, else 0 */
	__u32 cutoff;		/* not 0: cut flows off that pass a threshold */
	__u64 cutoff_packets;	/* of both directions; 0 for no such threshold */
	__u64 cutoff_bytes;	/* the same */
	__u32 allowed[FB_ALLOWED];	/* protocol << 16 | port; 0 ends the list */
	__u64 never;		/* the list in force: its first entry in the map never | its entries << 32 */
	__u32 capacity;		/* slots */
	__u32 abi;		/* FB_ABI */
	__u64 abi_hash;
	__u64 table_id;
	__u64 destination[FB_PORTS];	/* MAC address that a port's packets get, as it stands in memory; 0: keep theirs */
};

/* An entry of the never-cut list. It names flows one of whose addresses lies in the prefix, and one of whose ports is its port. */
struct fb_never {
	__u64 addr[2];		/* the prefix, as in a key; IPv4 in the low half of the first word */
	__u64 mask[2];		/* its bits */
	__be16 port;		/* 0: any */
	__u8 proto;		/* 0: any */
	__u8 family;		/* 4 or 6 */
	__u32 reserved;
};

#define FB_NEVER 1024		/* entries of a list; the map never has room for two, the one in force and the next */
#define FB_RESERVE 1024		/* slots lent to XDP at most */

/*
 * What automatic cut-off knows of flows that are not cut: four of them in a cache line.
 *
 *    63             16 15    8 7     0
 *   +-----------------+-------+-------+  id: the upper 48 bits of the key's hash, epoch of the last packet, marks
 *   +------+----------+-------+-------+
 *   | packets  | bytes                |  volume: of both directions and all CPUs
 *   +----------+----------------------+
 *    63      40 39                   0
 */
#define FB_TRACKED 4		/* flows in a line */
#define FB_TRACK_ID (~0xffffULL)
#define FB_TRACK_EPOCH_SHIFT 8
#define FB_TRACK_EPOCH_MASK 0xff
#define FB_TRACK_BOTH 3		/* marks: packets were seen in direction 0, in direction 1 */
#define FB_TRACK_CUTTING 4	/* mark: a CPU is cutting it off */
#define FB_TRACK_PACKET_SHIFT 40

struct fb_tracked {
	__u64 id;		/* 0: empty */
	__u64 volume;
};

struct fb_tracker_line {
	struct fb_tracked flow[FB_TRACKED];
};

/* How an attempt to cut a flow off ended. Java's io.flowbypass.xdp.CutoffOutcome has the same order. */
enum fb_cutoff {
	FB_CUTOFF_DONE,
	FB_CUTOFF_NEVER,	/* the never-cut list, or a tunnel */
	FB_CUTOFF_TABLE_FULL,	/* both its buckets */
	FB_CUTOFF_TRACKER_FULL,	/* a flow that is still running was forgotten for another one */
	FB_CUTOFF_RESERVE_DRY,	/* user space did not lend new slots yet */
	FB_CUTOFF_CONTENDED,	/* another CPU, or user space, was at the same flow or line */
	FB_CUTOFFS,
};

/* Java's io.flowbypass.xdp.Verdict has the same order. */
enum fb_verdict {
	FB_PASSED_NO_FLOW,
	FB_PASSED_OTHER,	/* neither IPv4 nor IPv6, or more VLAN tags or extension headers than are followed */
	FB_PASSED_FRAGMENT,
	FB_PASSED_MALFORMED,
	FB_PASSED_LEASE,
	FB_PASSED_PAUSED,
	FB_PASSED_CLOSING,
	FB_PASSED_REOPENED,
	FB_PASSED_TCP_CONTROL,	/* FIN or RST of a bypassed flow */
	FB_PASSED_ICMP_ERROR,	/* ICMP errors and neighbour discovery, whatever is bypassed */
	FB_CUT_DROPPED,
	FB_CUT_REDIRECTED,
	FB_CUT_COUNTED,		/* passed after all */
	FB_CUT_CLASSIC,		/* dropped, and counted in the table of another tool (classic.h) */
	FB_ERROR,		/* a cell names no slot, a record no action, or config no bucket */
	FB_ERROR_REDIRECT,	/* there is no such port */
	FB_VERDICTS,
};

struct fb_count {
	__u64 packets;
	__u64 bytes;
};

_Static_assert(sizeof(struct fb_bucket) == 64, "a bucket is a cache line");
_Static_assert(sizeof(struct fb_record) == 64, "a record is a cache line");
_Static_assert(sizeof(struct fb_info) == 144, "no holes in fb_info");
_Static_assert(sizeof(struct fb_config) == 256, "the configuration is four cache lines");
_Static_assert(__builtin_offsetof(struct fb_config, allowed) == 64, "what every packet reads is one of them");
_Static_assert(sizeof(struct fb_never) == 40, "no holes in fb_never");
_Static_assert(sizeof(struct fb_tracker_line) == 64, "a line is a cache line");

#endif
