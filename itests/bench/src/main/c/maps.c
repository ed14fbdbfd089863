// SPDX-License-Identifier: Apache-2.0
/*
 * What the scenario maps is measured against: the same jobs with nothing but libbpf between the program and the kernel.
 * Opens the HASH with the id MAP, whose keys are u64 and whose values are struct counts, and does a job for each line
 * of its input:
 *
 *	lookup	read all entries, BLOCK at a time
 *	walk	read all entries, one key after the other
 *	drain	read all entries, BLOCK at a time, and take them out
 *	fill	put ENTRIES entries in, BLOCK at a time
 *
 * Each is answered by a line: nanoseconds, entries, and the sum of their keys and values.
 */
#include "jobs.h"

/* Odd, so that no two keys are the same. */
#define SCATTER 0x9e3779b97f4a7c15ULL
#define BYTES_PER_PACKET 100

struct counts {
	__u64 packets;
	__u64 bytes;
};

static int map;
static __u32 entries;
static __u32 block;
static __u64 *keys;
static struct counts *values;

static void add(struct tally *tally, __u64 key, const struct counts *value)
{
	tally->entries++;
	tally->sum += key + value->packets + value->bytes;
}

static void add_block(struct tally *tally, __u32 count)
{
	for (__u32 i = 0; i < count; i++)
		add(tally, keys[i], &values[i]);
}

static struct tally read_blocks(read_batch_t read_batch)
{
	return read_all(read_batch, map, block, keys, values, add_block);
}

static struct tally walk(void)
{
	struct tally tally = {};
	struct counts value;
	__u64 key;
	int error;

	for (error = bpf_map_get_next_key(map, NULL, &key); !error; error = bpf_map_get_next_key(map, &key, &key)) {
		if (bpf_map_lookup_elem(map, &key, &value))
			err(EXIT_FAILURE, "the kernel refused to look a key up");
		add(&tally, key, &value);
	}
	if (error != -ENOENT)
		err(EXIT_FAILURE, "the kernel refused to name the next key");
	return tally;
}

static struct tally fill(void)
{
	struct tally tally = {};
	__u32 i = 0;
	__u32 count;

	while (i < entries) {
		for (count = 0; count < block && i < entries; count++, i++) {
			keys[count] = i * SCATTER;
			values[count].packets = i;
			values[count].bytes = (__u64)i * BYTES_PER_PACKET;
			add(&tally, keys[count], &values[count]);
		}
		if (bpf_map_update_batch(map, keys, values, &count, NULL))
			err(EXIT_FAILURE, "the kernel refused a block of entries");
	}
	return tally;
}

static struct tally do_job(const char *job)
{
	if (!strcmp(job, "lookup"))
		return read_blocks(bpf_map_lookup_batch);
	if (!strcmp(job, "walk"))
		return walk();
	if (!strcmp(job, "drain"))
		return read_blocks(bpf_map_lookup_and_delete_batch);
	if (!strcmp(job, "fill"))
		return fill();
	no_job(job);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		printf("%u.%u\n", libbpf_major_version(), libbpf_minor_version());
		return EXIT_SUCCESS;
	}
	if (argc != 4)
		errx(EXIT_FAILURE, "it takes MAP ENTRIES BLOCK, or --version for the version of libbpf");
	map = open_map(argv[1]);
	entries = number(argv[2]);
	block = number(argv[3]);
	keys = block_of(block, sizeof(*keys));
	values = block_of(block, sizeof(*values));
	return answer(do_job);
}
