// SPDX-License-Identifier: Apache-2.0
/*
 * Computes for TableKeyTest what XDP computes: reads struct question from standard input until it ends, answers each with
 * a struct answer. With an argument it prints the layout instead, a name and a number a line.
 */
#include <stddef.h>
#include <stdio.h>

#include "key.h"

struct question {
	__u64 src[2], dst[2];	/* as 16 bytes each; IPv4: the first four */
	__be16 sport, dport;
	__u8 proto, family;
	__u8 padding[2];
	__u64 seed[2];
	__u32 buckets;
	__u32 vlans;
};

struct answer {
	__u64 hash, second;
	__u64 addr[4], ports;
	__u32 tag, bucket1, bucket2, direction;
};

#define SAY(name, number) printf("%s %zu\n", name, (size_t)(number))

static void layout(void)
{
	SAY("BUCKET_BYTES", sizeof(struct fb_bucket));
	SAY("CELLS", FB_CELLS);
	SAY("OFTEN", FB_OFTEN);
	SAY("BUCKET_ELSEWHERE", offsetof(struct fb_bucket, elsewhere));
	SAY("RECORD_BYTES", sizeof(struct fb_record));
	SAY("RECORD_LAST_SEEN", offsetof(struct fb_record, last_seen));
	SAY("RECORD_PACKETS", offsetof(struct fb_record, packets));
	SAY("RECORD_BYTE_COUNT", offsetof(struct fb_record, bytes));
	SAY("RECORD_SEEN", offsetof(struct fb_record, seen));
	SAY("RECORD_IDLE_MS", offsetof(struct fb_record, idle_ms));
	SAY("RECORD_ADDR", offsetof(struct fb_record, addr));
	SAY("RECORD_PORTS", offsetof(struct fb_record, ports));
	SAY("RECORD_MATCH", offsetof(struct fb_record, match));
	SAY("RECORD_GENERATION", offsetof(struct fb_record, generation));
	SAY("RECORD_ADDED", offsetof(struct fb_record, added));
	SAY("INFO_BYTES", sizeof(struct fb_info));
	SAY("INFO_ADDR", offsetof(struct fb_info, addr));
	SAY("INFO_PORTS", offsetof(struct fb_info, ports));
	SAY("INFO_PROTO", offsetof(struct fb_info, proto));
	SAY("INFO_FORWARD", offsetof(struct fb_info, forward));
	SAY("ORIGIN_SHIFT", 8 * (offsetof(struct fb_info, origin) - offsetof(struct fb_info, forward)));
	SAY("END_REASON_SHIFT", 8 * (offsetof(struct fb_info, end_reason) - offsetof(struct fb_info, forward)));
	SAY("INFO_BASE_PACKETS", offsetof(struct fb_info, base_packets));
	SAY("INFO_BASE_BYTES", offsetof(struct fb_info, base_bytes));
	SAY("INFO_ASKER", offsetof(struct fb_info, asker));
	SAY("INFO_RULE", offsetof(struct fb_info, rule));
	SAY("INFO_COOKIE", offsetof(struct fb_info, cookie));
	SAY("STATE_SHIFT", FB_STATE_SHIFT);
	SAY("PROTO_MASK", FB_PROTO_MASK);
	SAY("FREE", FB_FREE);
	SAY("LIVE", FB_LIVE);
	SAY("CLOSING", FB_CLOSING);
	SAY("HARVESTED", FB_HARVESTED);
	SAY("CLAIMED", FB_CLAIMED);
	SAY("STATE_MASK", FB_STATE_MASK);
	SAY("ACTION_SHIFT", FB_ACTION_SHIFT);
	SAY("ACTION_MASK", FB_ACTION_MASK);
	SAY("PASS_CONTROL", FB_PASS_CONTROL);
	SAY("PORT_SHIFT", FB_PORT_SHIFT);
	SAY("NEVER_BYTES", sizeof(struct fb_never));
	SAY("NEVER_ADDR", offsetof(struct fb_never, addr));
	SAY("NEVER_MASK", offsetof(struct fb_never, mask));
	SAY("NEVER_PORT", offsetof(struct fb_never, port));
	SAY("NEVER_PROTO_SHIFT", 8 * (offsetof(struct fb_never, proto) - offsetof(struct fb_never, port)));
	SAY("NEVER_FAMILY_SHIFT", 8 * (offsetof(struct fb_never, family) - offsetof(struct fb_never, port)));
	SAY("NEVER", FB_NEVER);
	SAY("RESERVE", FB_RESERVE);
	SAY("SEEN_REOPENED", FB_SEEN_REOPENED);
}

int main(int argc, char **argv)
{
	struct question asked;

	(void)argv;
	if (argc > 1) {
		layout();
		return 0;
	}
	while (fread(&asked, sizeof(asked), 1, stdin) == 1) {
		struct answer answer;
		struct fb_tuple tuple = {
			.src = { asked.src[0], asked.src[1] },
			.dst = { asked.dst[0], asked.dst[1] },
			.sport = asked.sport,
			.dport = asked.dport,
			.vlans = asked.vlans,
			.proto = asked.proto,
			.family = asked.family,
		};

		answer.direction = fb_direction(&tuple);
		fb_key_addr(answer.addr, &tuple, answer.direction);
		answer.ports = fb_key_ports(&tuple, answer.direction);
		answer.hash = fb_hash(&tuple, asked.seed[0]);
		answer.second = fb_hash(&tuple, asked.seed[1]);
		answer.tag = fb_tag(answer.hash);
		answer.bucket1 = fb_bucket1(answer.hash, asked.buckets);
		answer.bucket2 = fb_bucket2(answer.hash, asked.buckets);
		if (fwrite(&answer, sizeof(answer), 1, stdout) != 1)
			return 1;
	}
	return 0;
}
