// SPDX-License-Identifier: Apache-2.0
/*
 * What the scenario churn is measured against: what a tool of the classic design does to bypass flows and to release them, with
 * nothing but libbpf between the program and the kernel. Opens the PERCPU_HASH with the id MAP, laid out as libflowbypass's
 * flow_table_v4, and does a job for each line of its input:
 *
 *	fill	put FLOWS flows in, with counters of zero, BLOCK keys at a time
 *	empty	take them out, BLOCK keys at a time
 *
 * A flow has KEYS keys, 2 for both directions. The flows are those of the bench's class Family: the number is the source
 * address, from FIRST on. Each job is answered by a line: nanoseconds, keys, and 0.
 */
#include "classic.h"
#include "jobs.h"

#define FIRST 0xf0000000
#define SERVER 0xc0000201
#define CLIENT_PORT 40000
#define SERVER_PORT 443
#define TCP 6

static int map;
static __u32 flows;
static __u32 block;
static __u32 keys_of_flow;
static struct key *keys;
static struct counters *values;

static void set_key(struct key *key, __u32 flow, int reverse)
{
	__u32 source = __builtin_bswap32(FIRST + flow), destination = __builtin_bswap32(SERVER);

	key->src = reverse ? destination : source;
	key->dst = reverse ? source : destination;
	key->ports[reverse] = __builtin_bswap16(CLIENT_PORT);
	key->ports[1 - reverse] = __builtin_bswap16(SERVER_PORT);
	key->proto = TCP;
}

static struct tally do_all(int fill)
{
	struct tally tally = {};
	__u32 flow = 0, count, asked;
	int error;

	while (flow < flows) {
		for (count = 0; count + keys_of_flow <= block && flow < flows; flow++) {
			for (__u32 i = 0; i < keys_of_flow; i++)
				set_key(&keys[count++], flow, i);
		}
		asked = count;
		error = fill ? bpf_map_update_batch(map, keys, values, &count, NULL) : bpf_map_delete_batch(map, keys, &count, NULL);
		if (error || count != asked)
			err(EXIT_FAILURE, "the kernel refused a block of keys");
		tally.entries += count;
	}
	return tally;
}

static struct tally do_job(const char *job)
{
	if (!strcmp(job, "fill"))
		return do_all(1);
	if (!strcmp(job, "empty"))
		return do_all(0);
	no_job(job);
}

int main(int argc, char **argv)
{
	int cpus = libbpf_num_possible_cpus();

	if (argc != 5)
		errx(EXIT_FAILURE, "it takes MAP FLOWS BLOCK KEYS");
	map = open_map(argv[1]);
	flows = number(argv[2]);
	block = number(argv[3]);
	keys_of_flow = number(argv[4]);
	if (cpus < 1 || keys_of_flow > 2 || keys_of_flow > block)
		errx(EXIT_FAILURE, "a flow has 1 or 2 keys, which fit into a block");
	keys = block_of(block, sizeof(*keys));
	values = block_of(block, sizeof(*values) * cpus);
	return answer(do_job);
}
