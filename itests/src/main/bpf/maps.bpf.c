// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Maps and a program that tests of the map-access service need and cannot make from user space. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define WORDS 8

struct example_key {
	__u32 number;
};

/* A value that is torn when its words differ. */
struct example_value {
	struct bpf_spin_lock lock;
	__u32 unused;
	__u64 words[WORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct example_value);
} locked_array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, struct example_key);
	__type(value, struct example_value);
} locked_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

/* What to write next: the record's number, its length, and whether it is thrown away. */
struct order {
	__u32 number;
	__u32 length;
	__u32 discard;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct order);
} orders SEC(".maps");

/* Each run writes the order's next record; its first word is the number. XDP_ABORTED when the ring has no room. */
SEC("xdp")
int emit(struct xdp_md *ctx __attribute__((unused)))
{
	static const __u32 first;
	struct order *order = bpf_map_lookup_elem(&orders, &first);
	__u32 *record;

	if (!order)
		return XDP_ABORTED;
	if (order->length == 4)
		record = bpf_ringbuf_reserve(&ring, 4, 0);
	else if (order->length == 100)
		record = bpf_ringbuf_reserve(&ring, 100, 0);
	else
		record = bpf_ringbuf_reserve(&ring, 1200, 0);
	if (!record)
		return XDP_ABORTED;
	*record = order->number++;
	if (order->discard)
		bpf_ringbuf_discard(record, 0);
	else
		bpf_ringbuf_submit(record, 0);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
