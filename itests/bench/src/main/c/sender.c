// SPDX-License-Identifier: Apache-2.0
/*
 * The traffic of the scenario wire: sends packets out of INTERFACE, as fast as that goes. Each is FRAME with the number of a flow
 * at OFFSET, in network byte order: one of FLOWS from IN on, or of as many from OUT on. For each line of its input, which is
 *
 *	MILLISECONDS PERCENT
 *
 * it sends for so long, and so many percent of the packets are of the flows from IN on. It answers with a line: nanoseconds,
 * packets, and the nanoseconds of CPU time that it took, with what the kernel did meanwhile on its account.
 */
#define _GNU_SOURCE
#include "jobs.h"
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define MAX_FRAME 128
#define AT_ONCE 100	/* packets in a system call, so that each percent is one of them */

static int line;
static __u32 flows, in, out, offset;
static unsigned char frames[AT_ONCE][MAX_FRAME];
static struct iovec parts[AT_ONCE];
static struct mmsghdr messages[AT_ONCE];

static __u64 cpu_time(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000ULL +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000ULL;
}

static struct tally do_job(const char *job)
{
	struct tally tally = {};
	__u32 milliseconds, percent, flow = 0;
	__u64 end, spent = cpu_time();

	if (sscanf(job, "%u %u", &milliseconds, &percent) != 2)
		no_job(job);
	end = now() + milliseconds * 1000000ULL;
	while (now() < end) {
		int sent;

		for (__u32 i = 0; i < AT_ONCE; i++) {
			__u32 number = __builtin_bswap32((i < percent ? in : out) + flow);

			memcpy(frames[i] + offset, &number, sizeof(number));
			flow = flow + 1 == flows ? 0 : flow + 1;
		}
		sent = sendmmsg(line, messages, AT_ONCE, 0);
		if (sent < 0 && errno != ENOBUFS)
			err(EXIT_FAILURE, "packets cannot be sent");
		tally.entries += sent > 0 ? sent : 0;
	}
	tally.sum = cpu_time() - spent;
	return tally;
}

int main(int argc, char **argv)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET};
	size_t length;
	int on = 1;

	if (argc != 7)
		errx(EXIT_FAILURE, "it takes INTERFACE FRAME OFFSET IN OUT FLOWS");
	length = strlen(argv[2]) / 2;
	offset = number(argv[3]);
	in = number(argv[4]);
	out = number(argv[5]);
	flows = number(argv[6]);
	if (length > MAX_FRAME || offset + sizeof(__u32) > length)
		errx(EXIT_FAILURE, "the frame is too long, or the number is not in it");
	for (int i = 0; i < AT_ONCE; i++) {
		for (size_t j = 0; j < length; j++) {
			if (sscanf(argv[2] + 2 * j, "%2hhx", &frames[i][j]) != 1)
				errx(EXIT_FAILURE, "the frame is not in hexadecimal");
		}
		parts[i] = (struct iovec){frames[i], length};
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	line = socket(AF_PACKET, SOCK_RAW, 0);
	address.sll_ifindex = if_nametoindex(argv[1]);
	if (line < 0 || !address.sll_ifindex || bind(line, (struct sockaddr *)&address, sizeof(address)))
		err(EXIT_FAILURE, "%s cannot be used", argv[1]);
	if (setsockopt(line, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)))
		err(EXIT_FAILURE, "the queue of %s cannot be bypassed", argv[1]);
	return answer(do_job);
}
