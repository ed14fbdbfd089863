// SPDX-License-Identifier: Apache-2.0
/*
 * What a sweep of the scenario classic is measured against: what a loader of the classic design does to find the flows that
 * have been idle for too long, with nothing but libbpf between the program and the kernel. Opens the PERCPU_HASH with the id
 * MAP, laid out as libflowbypass's flow_table_v4, and does a job for each line of its input:
 *
 *	batch	read all entries, BLOCK at a time
 *	walk	read all entries, one key after the other
 *
 * Of each entry both add up the packets and bytes of all CPUs, and find the newest time. Each is answered by a line:
 * nanoseconds, entries, and the sum of these three.
 */
#include "classic.h"
#include "jobs.h"

static int map;
static int cpus;
static __u32 block;
static struct key *keys;
static struct counters *values;

/* value: one for each CPU */
static void add(struct tally *tally, const struct counters *value)
{
	__u64 time = value->time, packets = 0, bytes = 0;

	for (int cpu = 0; cpu < cpus; cpu++) {
		if ((__s64)(value[cpu].time - time) > 0)
			time = value[cpu].time;
		packets += value[cpu].packets;
		bytes += value[cpu].bytes;
	}
	tally->entries++;
	tally->sum += time + packets + bytes;
}

static void add_block(struct tally *tally, __u32 count)
{
	for (__u32 i = 0; i < count; i++)
		add(tally, &values[i * cpus]);
}

static struct tally walk(void)
{
	struct tally tally = {};
	struct key key;
	int error;

	for (error = bpf_map_get_next_key(map, NULL, &key); !error; error = bpf_map_get_next_key(map, &key, &key)) {
		if (bpf_map_lookup_elem(map, &key, values))
			err(EXIT_FAILURE, "the kernel refused to look a key up");
		add(&tally, values);
	}
	if (error != -ENOENT)
		err(EXIT_FAILURE, "the kernel refused to name the next key");
	return tally;
}

static struct tally do_job(const char *job)
{
	if (!strcmp(job, "batch"))
		return read_all(bpf_map_lookup_batch, map, block, keys, values, add_block);
	if (!strcmp(job, "walk"))
		return walk();
	no_job(job);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(EXIT_FAILURE, "it takes MAP BLOCK");
	map = open_map(argv[1]);
	block = number(argv[2]);
	cpus = libbpf_num_possible_cpus();
	if (cpus < 1)
		errx(EXIT_FAILURE, "libbpf cannot tell how many CPUs this machine can have");
	keys = block_of(block, sizeof(*keys));
	values = block_of(block, sizeof(*values) * cpus);
	return answer(do_job);
}
