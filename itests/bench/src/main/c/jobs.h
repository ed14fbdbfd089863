/* SPDX-License-Identifier: Apache-2.0 */
/* What these programs have in common: they do a job for each line of their input, and answer it with a line. */
#ifndef JOBS_H
#define JOBS_H

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

struct tally {
	__u64 entries;
	__u64 sum;
};

/* bpf_map_lookup_batch() or bpf_map_lookup_and_delete_batch() */
typedef int (*read_batch_t)(int fd, void *in_batch, void *out_batch, void *keys, void *values, __u32 *count,
			    const struct bpf_map_batch_opts *opts);

static inline __u64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static inline __u32 number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || !value || value > (__u32)-1)
		errx(EXIT_FAILURE, "\"%s\" is not a positive number of 32 bits", text);
	return value;
}

static inline int open_map(const char *id)
{
	int map = bpf_map_get_fd_by_id(number(id));

	if (map < 0)
		err(EXIT_FAILURE, "the map with the id %s cannot be opened", id);
	return map;
}

static inline void *block_of(__u32 entries, size_t size)
{
	void *memory = calloc(entries, size);

	if (!memory)
		errx(EXIT_FAILURE, "there is no memory for a block of %u entries", entries);
	return memory;
}

/* Reads all entries of a hash map, a block at a time, and has each block added to a tally. */
static inline struct tally read_all(read_batch_t read_batch, int map, __u32 block, void *keys, void *values,
				    void (*add_block)(struct tally *tally, __u32 count))
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
		add_block(&tally, count);
		from = &cursor;
	} while (!error);
	return tally;
}

static inline __attribute__((noreturn)) void no_job(const char *job)
{
	errx(EXIT_FAILURE, "there is no job \"%s\"", job);
}

/* Until the end of the input: nanoseconds, entries, and the sum of what they hold. */
static inline int answer(struct tally (*do_job)(const char *job))
{
	struct tally tally;
	char job[32];
	__u64 begun, took;

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

#endif
