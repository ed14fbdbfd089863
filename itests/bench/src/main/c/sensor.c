// SPDX-License-Identifier: Apache-2.0
/*
 * The sensor of the scenario wire: captures what arrives at the interface with the number INTERFACE, as capture programs do: through
 * a ring that it shares with the kernel (TPACKET_V3). Of each packet it reads every byte. For each line of its input, all of which
 * are
 *
 *	count
 *
 * it answers with a line: nanoseconds, packets since the line before, those included for which the ring was full, and the
 * nanoseconds of CPU time that reading them took.
 */
#define _GNU_SOURCE
#include "jobs.h"
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define BLOCK_BYTES (1 << 20)
#define BLOCKS 64
#define FRAME_BYTES 2048
#define BLOCK_MILLISECONDS 10

static int ring;
static unsigned char *blocks;
static pthread_t reader;
static atomic_ulong bytes_read;
static __u64 spent_before;

static void read_block(struct tpacket_block_desc *block)
{
	struct tpacket3_hdr *packet = (void *)((unsigned char *)block + block->hdr.bh1.offset_to_first_pkt);
	unsigned long sum = 0;

	for (__u32 i = 0; i < block->hdr.bh1.num_pkts; i++) {
		const unsigned char *bytes = (unsigned char *)packet + packet->tp_mac;

		for (__u32 j = 0; j < packet->tp_snaplen; j++)
			sum += bytes[j];
		packet = (void *)((unsigned char *)packet + packet->tp_next_offset);
	}
	atomic_fetch_add_explicit(&bytes_read, sum, memory_order_relaxed);
}

static void *read_all_blocks(void *argument __attribute__((unused)))
{
	struct pollfd wait = {.fd = ring, .events = POLLIN | POLLERR};

	for (int i = 0;; i = (i + 1) % BLOCKS) {
		struct tpacket_block_desc *block = (void *)(blocks + (size_t)i * BLOCK_BYTES);

		while (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			poll(&wait, 1, -1);
		read_block(block);
		__atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	}
	return NULL;
}

static struct tally do_job(const char *job)
{
	struct tpacket_stats_v3 stats;
	socklen_t size = sizeof(stats);
	struct timespec time;
	struct tally tally;
	clockid_t clock;
	__u64 spent;

	if (strcmp(job, "count"))
		no_job(job);
	/* Reading them sets them back. */
	if (getsockopt(ring, SOL_PACKET, PACKET_STATISTICS, &stats, &size) || pthread_getcpuclockid(reader, &clock) ||
	    clock_gettime(clock, &time))
		err(EXIT_FAILURE, "the kernel does not say what was captured");
	spent = time.tv_sec * 1000000000ULL + time.tv_nsec;
	tally.entries = stats.tp_packets;
	tally.sum = spent - spent_before;
	spent_before = spent;
	return tally;
}

int main(int argc, char **argv)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct tpacket_req3 request = {
		.tp_block_size = BLOCK_BYTES,
		.tp_block_nr = BLOCKS,
		.tp_frame_size = FRAME_BYTES,
		.tp_frame_nr = BLOCK_BYTES / FRAME_BYTES * BLOCKS,
		.tp_retire_blk_tov = BLOCK_MILLISECONDS,
	};
	int version = TPACKET_V3;

	if (argc != 2)
		errx(EXIT_FAILURE, "it takes INTERFACE");
	address.sll_ifindex = number(argv[1]);
	ring = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	if (ring < 0 || setsockopt(ring, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
	    setsockopt(ring, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)))
		err(EXIT_FAILURE, "the kernel refuses a ring for packets");
	blocks = mmap(NULL, (size_t)BLOCK_BYTES * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, ring, 0);
	if (blocks == MAP_FAILED || bind(ring, (struct sockaddr *)&address, sizeof(address)))
		err(EXIT_FAILURE, "the interface %s cannot be captured", argv[1]);
	if (pthread_create(&reader, NULL, read_all_blocks, NULL))
		errx(EXIT_FAILURE, "a thread cannot be made");
	return answer(do_job);
}
