/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The maps of the program. The loader sets the number of entries of those that have 1 here for each slot or bucket. */
#ifndef FLOWBYPASS_MAPS_H
#define FLOWBYPASS_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "flowbypass.h"

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

/* The map config, as a section: its address is part of the program, which costs less than a lookup. */
struct fb_config config SEC(".data.config");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FB_VERDICTS);
	__type(key, __u32);
	__type(value, struct fb_count);
} verdicts SEC(".maps");

/* The coarse clock as each CPU read it last; of the program alone, not pinned. */
struct fb_clock {
	__u64 jiffies;
	__u64 now;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fb_clock);
} clock SEC(".maps");

/* Redirect targets. Not a DEVMAP, which cannot be shared by programs with and without frags. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, FB_PORTS);
	__type(key, __u32);
	__type(value, __u32);	/* interface */
} ports SEC(".maps");

/* As many lines as index has buckets. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fb_tracker_line);
} tracker SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * FB_NEVER);
	__type(key, __u32);
	__type(value, struct fb_never);
} never SEC(".maps");

/* FREE slots that user space lends for automatic cut-off. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, FB_RESERVE);
	__type(value, __u32);
} reserve SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FB_CUTOFFS);
	__type(key, __u32);
	__type(value, __u64);
} cutoffs SEC(".maps");

/* Slots of the reserve that were taken. One that is lost only delays that user space notices. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} events SEC(".maps");

#endif
