// SPDX-License-Identifier: Apache-2.0
/*
 * The traffic of the scenario chaos, and an account of it that outlives whatever is killed meanwhile. On each CPU a thread
 * gives packets to the program with the id PROGRAM, one by one, each of a random flow and direction, and counts those that
 * were dropped: what the flows' counters have to say in the end.
 *
 * Flow n has the source address of the frame plus n; even ones are of FRAME4, odd ones of FRAME6, which are TCP packets
 * without options, with a flag other than SYN. Behind each come n % 64 bytes of padding, so that hardly any two flows that are
 * taken for one another have counters alike. The first RESIDENTS flows are bypassed all the time, and each of their
 * packets has to be dropped. The other FLOWS come and go; some of them have many packets, most have few.
 * When SYNS is not 0, some of their packets are a SYN, which must not be dropped.
 *
 * A line of input is answered by a line:
 *
 *	go		ok, and packets are sent from then on
 *	stop		packets, dropped ones, passed ones of residents, SYNs, dropped SYNs; nothing is sent any more
 *	write FILE	ok, and FILE has two 64-bit numbers for each flow: dropped packets from its source, and to it
 *
 * It ends with its input.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <err.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FRAME 256
#define PADDING 64
#define RESIDENT_ONE_IN 4	/* packets */
#define SYN_ONE_IN 64		/* packets of flows that come and go */

struct frame {
	unsigned char bytes[MAX_FRAME + PADDING];
	size_t length;
	size_t addresses;	/* where both stand, the ports behind them */
	size_t address_length;
	size_t flags;		/* where those of TCP stand */
};

struct sender {
	pthread_t thread;
	int cpu;
	__u64 random;
	struct frame frames[2];
	__u64 *dropped;
	__u64 packets, all_dropped, residents_passed, syns, syns_dropped;
};

static int program;
static __u32 residents, flows;
static int with_syns;
static struct sender *senders;
static int cpus;
static atomic_int sending;

static __u32 number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || value > (__u32)-1)
		errx(EXIT_FAILURE, "\"%s\" is not a number of 32 bits", text);
	return value;
}

static struct frame read_frame(const char *hex)
{
	struct frame frame = {.length = strlen(hex) / 2};

	if (frame.length > MAX_FRAME)
		errx(EXIT_FAILURE, "a frame has more than %d bytes", MAX_FRAME);
	for (size_t i = 0; i < frame.length; i++) {
		if (sscanf(hex + 2 * i, "%2hhx", &frame.bytes[i]) != 1)
			errx(EXIT_FAILURE, "a frame is not in hexadecimal");
	}
	if (((struct ethhdr *)frame.bytes)->h_proto == __builtin_bswap16(ETH_P_IP)) {
		frame.addresses = ETH_HLEN + offsetof(struct iphdr, saddr);
		frame.address_length = sizeof(__u32);
	} else {
		frame.addresses = ETH_HLEN + offsetof(struct ipv6hdr, saddr);
		frame.address_length = sizeof(struct in6_addr);
	}
	/* Ports, sequence numbers and the data offset, a byte, come before the flags. */
	frame.flags = frame.addresses + 2 * frame.address_length + 2 * sizeof(__be16) + 2 * sizeof(__be32) + 1;
	return frame;
}

/* Marsaglia's xorshift. */
static __u32 dice(struct sender *sender, __u32 sides)
{
	sender->random ^= sender->random << 13;
	sender->random ^= sender->random >> 7;
	sender->random ^= sender->random << 17;
	return (sender->random >> 32) * sides >> 32;
}

/* The number of one of the flows that come and go: a low one much more often. */
static __u32 low(struct sender *sender, __u32 sides)
{
	return dice(sender, dice(sender, dice(sender, sides) + 1) + 1);
}

static void swap(unsigned char *one, unsigned char *other, size_t length)
{
	unsigned char between[sizeof(struct in6_addr)];

	memcpy(between, one, length);
	memcpy(one, other, length);
	memcpy(other, between, length);
}

/* Makes a packet of a flow, from the frame of its family; returns its length. */
static size_t make_packet(const struct frame *frame, __u32 flow, int reverse, int syn, unsigned char *packet)
{
	unsigned char *source = packet + frame->addresses;
	unsigned char *ports = source + 2 * frame->address_length;
	unsigned char *end = source + frame->address_length - sizeof(__be32);
	__be32 low;

	memcpy(packet, frame->bytes, frame->length + PADDING);
	memcpy(&low, end, sizeof(low));
	low = __builtin_bswap32(__builtin_bswap32(low) + flow);
	memcpy(end, &low, sizeof(low));
	if (syn)
		packet[frame->flags] = 0x02;
	if (reverse) {
		swap(source, source + frame->address_length, frame->address_length);
		swap(ports, ports + sizeof(__be16), sizeof(__be16));
	}
	return frame->length + flow % PADDING;
}

static void send_one(struct sender *sender)
{
	int resident = residents && !dice(sender, RESIDENT_ONE_IN);
	__u32 flow = resident ? dice(sender, residents) : residents + low(sender, flows);
	int reverse = dice(sender, 2);
	int syn = with_syns && !resident && !reverse && !dice(sender, SYN_ONE_IN);
	unsigned char packet[MAX_FRAME + PADDING];
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .repeat = 1);

	run.data_size_in = make_packet(&sender->frames[flow & 1], flow, reverse, syn, packet);
	if (bpf_prog_test_run_opts(program, &run))
		err(EXIT_FAILURE, "the kernel does not run the program");
	if (run.retval != XDP_DROP && run.retval != XDP_PASS)
		errx(EXIT_FAILURE, "the program returned %u", run.retval);
	sender->packets++;
	sender->syns += syn;
	if (run.retval == XDP_PASS) {
		sender->residents_passed += resident;
		return;
	}
	sender->all_dropped++;
	sender->syns_dropped += syn;
	sender->dropped[2 * flow + reverse]++;
}

static void *send_all(void *argument)
{
	struct sender *sender = argument;
	cpu_set_t own;

	CPU_ZERO(&own);
	CPU_SET(sender->cpu, &own);
	if (sched_setaffinity(0, sizeof(own), &own))
		err(EXIT_FAILURE, "CPU %d cannot be used", sender->cpu);
	while (atomic_load_explicit(&sending, memory_order_relaxed))
		send_one(sender);
	return NULL;
}

static void go(void)
{
	atomic_store(&sending, 1);
	for (int i = 0; i < cpus; i++) {
		if (pthread_create(&senders[i].thread, NULL, send_all, &senders[i]))
			errx(EXIT_FAILURE, "a thread cannot be made");
	}
	puts("ok");
}

static void stop(void)
{
	struct sender sum = {};

	if (atomic_exchange(&sending, 0)) {
		for (int i = 0; i < cpus; i++)
			pthread_join(senders[i].thread, NULL);
	}
	for (int i = 0; i < cpus; i++) {
		sum.packets += senders[i].packets;
		sum.all_dropped += senders[i].all_dropped;
		sum.residents_passed += senders[i].residents_passed;
		sum.syns += senders[i].syns;
		sum.syns_dropped += senders[i].syns_dropped;
	}
	printf("%llu %llu %llu %llu %llu\n", sum.packets, sum.all_dropped, sum.residents_passed, sum.syns, sum.syns_dropped);
}

static void write_counts(const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file)
		err(EXIT_FAILURE, "%s cannot be written", path);
	for (__u32 i = 0; i < 2 * (residents + flows); i++) {
		__u64 sum = 0;

		for (int j = 0; j < cpus; j++)
			sum += senders[j].dropped[i];
		fwrite(&sum, sizeof(sum), 1, file);
	}
	if (fclose(file))
		err(EXIT_FAILURE, "%s cannot be written", path);
	puts("ok");
}

int main(int argc, char **argv)
{
	cpu_set_t own;
	char line[4096];

	if (argc != 8)
		errx(EXIT_FAILURE, "it takes PROGRAM RESIDENTS FLOWS SYNS SEED FRAME4 FRAME6");
	program = bpf_prog_get_fd_by_id(number(argv[1]));
	if (program < 0)
		err(EXIT_FAILURE, "the program with the id %s cannot be opened", argv[1]);
	residents = number(argv[2]);
	flows = number(argv[3]);
	with_syns = number(argv[4]);
	if (sched_getaffinity(0, sizeof(own), &own))
		err(EXIT_FAILURE, "it cannot be told which CPUs may be used");
	cpus = CPU_COUNT(&own);
	senders = calloc(cpus, sizeof(*senders));
	for (int i = 0, cpu = 0; senders && i < cpus; i++, cpu++) {
		while (!CPU_ISSET(cpu, &own))
			cpu++;
		senders[i].cpu = cpu;
		/* Never 0, and apart. */
		senders[i].random = (number(argv[5]) + 1ULL) * 0x9e3779b97f4a7c15ULL + i * 0x2545f4914f6cdd1dULL;
		senders[i].frames[0] = read_frame(argv[6]);
		senders[i].frames[1] = read_frame(argv[7]);
		senders[i].dropped = calloc(2 * ((size_t)residents + flows), sizeof(__u64));
	}
	if (!senders || !senders[cpus - 1].dropped || !flows)
		errx(EXIT_FAILURE, "there is no memory, or there are no flows");
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "go"))
			go();
		else if (!strcmp(line, "stop"))
			stop();
		else if (!strncmp(line, "write ", 6))
			write_counts(line + 6);
		else
			errx(EXIT_FAILURE, "there is no job \"%s\"", line);
		if (fflush(stdout))
			err(EXIT_FAILURE, "nobody reads the answers");
	}
	return EXIT_SUCCESS;
}
