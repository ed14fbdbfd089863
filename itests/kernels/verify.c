// SPDX-License-Identifier: Apache-2.0
/*
 * Loads each program of the XDP object OBJECT, those too that libbpf leaves out unless asked (SEC("?...")), once as it is
 * and once with all the tables of other tools (bpf/classic.h); prints what verifying it took or why the verifier refused
 * it, and runs it on packets without an interface. Ends with 0 when all
 * were loaded and ran, with 77 when this process may not load programs. As the first process of the kernel that
 * verify.sh starts, it prints its status and switches the machine off instead.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <unistd.h>

#define NOT_ALLOWED 77
/* BPF_LOG_LEVEL1 and BPF_LOG_STATS of the kernel: the path that it is on, and last of all how much it has done. */
#define LOG_LEVEL 5
#define LOG_TAIL 4096
/* Runs per packet. */
#define REPEAT 1000
/* More than fits into a page, so that the kernel makes fragments of it. */
#define LARGE 9000
/* Every bit of the constant that says which tables of other tools are on. */
#define TOOLS ".rodata.classic"
#define ALL_TOOLS 0xffffffff

static char verifier_log[16 << 20];

static int print_warnings(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

static int is_allowed(void)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int program = bpf_prog_load(BPF_PROG_TYPE_XDP, NULL, "GPL", pass, 2, NULL);

	if (program >= 0)
		close(program);
	return program != -EPERM;
}

/* A UDP packet over IPv4 of length bytes, Ethernet included. */
static int run(const struct bpf_program *program, int length)
{
	static char packet[LARGE] = "\2\0\0\0\0\1\2\0\0\0\0\2\10\0\x45\0\0\0\0\0\0\0\x40\21\0\0"
				    "\xc0\0\2\1\xc0\0\2\2\4\0\0\x35";
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = length, .repeat = REPEAT);
	const char *name = bpf_program__name(program);
	int error;

	packet[16] = (length - 14) >> 8;
	packet[17] = length - 14;
	packet[38] = (length - 34) >> 8;
	packet[39] = length - 34;
	error = bpf_prog_test_run_opts(bpf_program__fd(program), &options);
	if (error) {
		printf("%s: a packet of %d bytes cannot be run (%s)\n", name, length, strerror(-error));
		return 1;
	}
	printf("%s: a packet of %d bytes: action %u, %u ns\n", name, length, options.retval, options.duration);
	return 0;
}

static int load(struct bpf_object *object, struct bpf_program *program, const char *how)
{
	const char *name = bpf_program__name(program);
	size_t length;
	char *tail;
	int error;

	bpf_program__set_log_level(program, LOG_LEVEL);
	bpf_program__set_log_buf(program, verifier_log, sizeof(verifier_log));
	error = bpf_object__load(object);
	length = strnlen(verifier_log, sizeof(verifier_log) - 1);
	if (error) {
		tail = verifier_log + (length > LOG_TAIL ? length - LOG_TAIL : 0);
		printf("%s\n%s%s: refused (%s)\n", tail, name, how, strerror(-error));
		return 1;
	}
	/* Its last line. */
	if (length)
		verifier_log[length - 1] = '\0';
	tail = strrchr(verifier_log, '\n');
	printf("%s%s: %s\n", name, how, tail ? tail + 1 : verifier_log);
	if (run(program, 64))
		return 1;
	return strstr(bpf_program__section_name(program), "xdp.frags") ? run(program, LARGE) : 0;
}

/* Alone, so that a refused program does not keep the others from being tried. */
static int verify(const char *file, const char *name, __u32 tools)
{
	struct bpf_object *object = bpf_object__open(file);
	struct bpf_program *program;
	struct bpf_map *constants;
	int failed;

	if (!object)
		return 1;
	constants = bpf_object__find_map_by_name(object, TOOLS);
	if (constants && bpf_map__set_initial_value(constants, &tools, sizeof(tools))) {
		printf("%s cannot be set\n", TOOLS);
		return 1;
	}
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, !strcmp(bpf_program__name(program), name));
	failed = load(object, bpf_object__find_program_by_name(object, name), tools ? ", with other tools' tables" : "");
	bpf_object__close(object);
	return failed;
}

static int verify_all(const char *file)
{
	struct bpf_program *program;
	struct bpf_object *object;
	struct utsname kernel;
	int failed = 0;

	uname(&kernel);
	libbpf_set_print(NULL);
	if (!is_allowed()) {
		printf("Linux %s: not verified, this process may not load programs: start it as root\n", kernel.release);
		return NOT_ALLOWED;
	}
	libbpf_set_print(print_warnings);
	object = bpf_object__open(file);
	if (!object)
		return 1;
	printf("Linux %s\n", kernel.release);
	bpf_object__for_each_program(program, object)
		failed |= verify(file, bpf_program__name(program), 0) ||
			  verify(file, bpf_program__name(program), ALL_TOOLS);
	bpf_object__close(object);
	return failed;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (getpid() != 1)
		return argc == 2 ? verify_all(argv[1]) : (fputs("usage: verify OBJECT\n", stderr), 2);
	printf("\nstatus %d\n", verify_all("/object"));
	reboot(RB_AUTOBOOT);
	return 0;
}
