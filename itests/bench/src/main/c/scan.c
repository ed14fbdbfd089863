// SPDX-License-Identifier: Apache-2.0
/*
 * The least that a sweep of the scenario sweep can cost: C that reads the same memory, as it lies there. Maps the maps with the
 * ids RECORDS and INFO of flowbypass.h, and does a job for each line of its input:
 *
 *	hot SLOTS	of the first SLOTS slots, what the policy idle asks for: both records
 *	cold SLOTS	and what the sample policy asks for: of the cold part, which direction is which, and its counters' base
 *
 * Each is answered by a line: nanoseconds, LIVE slots, and the sum of their packets, of hot with those of earlier flows.
 */
#include "jobs.h"
#include <sys/mman.h>

#include "flowbypass.h"

#define TIMEOUT_NS 300000000000LL

static const struct fb_record *records;
static const struct fb_info *info;

static const void *map_memory(const char *id)
{
	int map = open_map(id);
	struct bpf_map_info about = {};
	__u32 size = sizeof(about);
	void *memory;

	if (bpf_obj_get_info_by_fd(map, &about, &size))
		err(EXIT_FAILURE, "the kernel does not describe the map with the id %s", id);
	memory = mmap(NULL, (size_t)about.value_size * about.max_entries, PROT_READ, MAP_SHARED, map, 0);
	if (memory == MAP_FAILED)
		err(EXIT_FAILURE, "the map with the id %s cannot be mapped", id);
	return memory;
}

static __s64 latest(__s64 one, __s64 other)
{
	return one - other >= 0 ? one : other;
}

/* cold is a constant where this is inlined. */
static inline __attribute__((always_inline)) struct tally scan(__u32 slots, int cold)
{
	struct tally tally = {};
	__s64 time = now();
	__u32 idle = 0;

	for (__u32 slot = 0; slot < slots; slot++) {
		const struct fb_record *one = &records[2 * slot], *other = one + 1;
		__s64 timeout = one->idle_ms ? one->idle_ms * 1000000LL : TIMEOUT_NS;

		if ((one->match >> FB_STATE_SHIFT & FB_STATE_MASK) != FB_LIVE || (one->seen | other->seen) & FB_SEEN_REOPENED)
			continue;
		idle += time - latest(one->added, latest(one->last_seen, other->last_seen)) >= timeout;
		tally.entries++;
		tally.sum += one->packets + other->packets;
		if (cold) {
			const struct fb_info *rest = &info[slot];

			tally.sum -= rest->base_packets[rest->forward & 1] + rest->base_packets[1 - (rest->forward & 1)];
		}
	}
	/* So that it is not left out: nothing of this bench has been idle for long. */
	if (idle == (__u32)-1)
		errx(EXIT_FAILURE, "all are idle");
	return tally;
}

static struct tally do_job(const char *job)
{
	if (!strncmp(job, "hot ", 4))
		return scan(number(job + 4), 0);
	if (!strncmp(job, "cold ", 5))
		return scan(number(job + 5), 1);
	no_job(job);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(EXIT_FAILURE, "it takes RECORDS INFO");
	records = map_memory(argv[1]);
	info = map_memory(argv[2]);
	return answer(do_job);
}
