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
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* No job takes longer: SIGALRM ends this program. */
#define LIMIT_SECONDS 60
/* Odd, so that no two keys are the same. */
#define SCATTER 0x9e3779b97f4a7c15ULL
#define BYTES_PER_PACKET 100

struct counts {
	__u64 packets;
	__u64 bytes;
};

struct tally {
	__u64 entries;
	__u64 sum;
};

/* bpf_map_lookup_batch() or bpf_map_lookup_and_delete_batch() */
typedef int (*read_batch_t)(int fd, void *in_batch, void *out_batch, void *keys, void *values, __u32 *count,
			    const struct bpf_map_batch_opts *opts);

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

static struct tally read_blocks(read_batch_t read_batch)
{
	struct tally tally = {};
	void *from = NULL;
	__u64 cursor;
	__u32 count;
	int error;

	do {
		count = block;
		error = read_batch(map, from, &cursor, keys, values, &count, NULL);
		if (error && error != -ENOENT)
			err(EXIT_FAILURE, "the kernel refused to read a block of entries");
		for (__u32 i = 0; i < count; i++)
			add(&tally, keys[i], &values[i]);
		from = &cursor;
	} while (!error);
	return tally;
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
	errx(EXIT_FAILURE, "there is no job \"%s\"", job);
}

static __u64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static __u32 number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || !value || value > (__u32)-1)
		errx(EXIT_FAILURE, "\"%s\" is not a positive number of 32 bits", text);
	return value;
}

int main(int argc, char **argv)
{
	struct tally tally;
	char job[16];
	__u64 begun, took;

	if (argc == 2 && !strcmp(argv[1], "--version")) {
		printf("%u.%u\n", libbpf_major_version(), libbpf_minor_version());
		return EXIT_SUCCESS;
	}
	if (argc != 4)
		errx(EXIT_FAILURE, "it takes MAP ENTRIES BLOCK, or --version for the version of libbpf");
	map = bpf_map_get_fd_by_id(number(argv[1]));
	if (map < 0)
		err(EXIT_FAILURE, "the map with the id %s cannot be opened", argv[1]);
	entries = number(argv[2]);
	block = number(argv[3]);
	keys = calloc(block, sizeof(*keys));
	values = calloc(block, sizeof(*values));
	if (!keys || !values)
		errx(EXIT_FAILURE, "there is no memory for a block of %u entries", block);

	while (fgets(job, sizeof(job), stdin)) {
		job[strcspn(job, "\n")] = '\0';
		alarm(LIMIT_SECONDS);
		begun = now();
		tally = do_job(job);
		took = now() - begun;
		alarm(0);
		if (printf("%llu %llu %llu\n", took, tally.entries, tally.sum) < 0 || fflush(stdout))
			err(EXIT_FAILURE, "nobody reads the answers");
	}
	return EXIT_SUCCESS;
}
