// SPDX-License-Identifier: Apache-2.0
/*
 * Does to pinned hash maps what monitoring tools of three dialects do to them. Everything that it knows of the maps is
 * written here a second time, on purpose: what it agrees with is right, and not only agrees with itself.
 *
 *	classic_client DIALECT DIR COMMAND [ARGUMENT...]
 *
 * DIALECT is libflowbypass, suricata:IFACE or zeek, DIR a directory on a bpffs. FLOW is PROTO SRC SPORT DST DPORT
 * [OUTER_VLAN [INNER_VLAN]], PROTO is tcp or udp, in zeek also icmp with both ports 0; libflowbypass knows no VLAN.
 *
 *	insert FLOW		the keys of both directions; in zeek the one key of the flow
 *	insert-one FLOW		the key of this direction alone; not in zeek
 *	delete FLOW		the same keys as insert; says of each "deleted" or "absent"
 *	show FLOW		two lines, from SRC and from DST: packets and bytes, or "absent"
 *	pair SRC DST [OUTER_VLAN [INNER_VLAN]]		inserts a pair of addresses; only in zeek
 *	unpair SRC DST [OUTER_VLAN [INNER_VLAN]]	says "deleted" or "absent"
 *	list			two lines: how many entries the two maps have
 *	churn SECONDS FIRST COUNT	inserts and deletes COUNT flows from number FIRST on, at random; then says
 *				"inserted N deleted N existing N absent N", all of them keys
 *	fill FIRST COUNT	inserts these flows in batches, and says how many keys that were
 *	recreate [ENTRIES]	replaces both maps by new ones
 *	unpin			takes both pins away
 *
 * Ends with 0 when that was done, with 1 when something was refused, with 2 when it was asked for what there is not.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REFUSED 1
#define MISUSED 2

#define TABLES 2
#define DIRECTIONS 2
/* Of four bytes. */
#define MAX_KEY_WORDS 11
#define ADDRESS_BYTES 16
/* Where the four bytes of IPv4 are in ::ffff:a.b.c.d. */
#define IPV4_OFFSET 12
#define MAX_VLAN 4095
#define MAX_SECONDS 600
/* A flow's number is the last three bytes of its source. */
#define NUMBERS (1 << 24)
#define DEFAULT_ENTRIES 65536
/* Entries that are read or written by one call; even, so that both directions of a flow are in one. */
#define BLOCK 1024
#define NANOS_PER_SECOND 1000000000ULL
#define BITS_PER_BYTE 8

/* What libflowbypass and suricata have in the same place; the last four bytes of a key are a dialect's own. */
struct tuple4 {
	__u8 source[4], destination[4];
	__be16 source_port, destination_port;
};

struct tuple6 {
	__u8 source[16], destination[16];
	__be16 source_port, destination_port;
};

struct libflowbypass_tail {
	__u32 protocol;
};

/* Bit 0 is set for TCP, the bits above are the outer VLAN. */
struct suricata_tail {
	__u16 tcp_and_vlan;
	__u16 inner_vlan;
};

/* Of each CPU; time is CLOCK_MONOTONIC in nanoseconds. */
struct libflowbypass_value {
	__u64 time, packets, bytes;
};

struct suricata_key4 {
	__u8 source[4], destination[4];
	__be16 source_port, destination_port;
	__u16 tcp_and_vlan;
	__u16 inner_vlan;
};

struct suricata_key6 {
	__u8 source[16], destination[16];
	__be16 source_port, destination_port;
	__u16 tcp_and_vlan;
	__u16 inner_vlan;
};

/* Of each CPU. */
struct suricata_value {
	__u64 packets, bytes;
};

struct zeek_key {
	__u8 ip1[16], ip2[16];
	__u16 port1, port2;
	__u16 protocol;
	__u16 outer_vlan, inner_vlan;
	__u16 padding;
};

struct zeek_pair {
	__u8 ip1[16], ip2[16];
	__u16 outer_vlan, inner_vlan;
};

struct zeek_value {
	struct bpf_spin_lock lock;
	__u32 padding;
	__u64 packets_from_1, packets_from_2;
	__u64 bytes_from_1, bytes_from_2;
	__u64 timestamp;
};

_Static_assert(sizeof(struct tuple4) + sizeof(struct libflowbypass_tail) == 16, "libflowbypass, IPv4");
_Static_assert(sizeof(struct tuple6) + sizeof(struct libflowbypass_tail) == 40, "libflowbypass, IPv6");
_Static_assert(sizeof(struct libflowbypass_value) == 24, "libflowbypass_value");
_Static_assert(sizeof(struct tuple4) + sizeof(struct suricata_tail) == 16, "suricata, IPv4");
_Static_assert(sizeof(struct tuple6) + sizeof(struct suricata_tail) == 40, "suricata, IPv6");
_Static_assert(sizeof(struct suricata_value) == 16, "suricata_value");
_Static_assert(sizeof(struct zeek_key) == 44, "zeek_key");
_Static_assert(sizeof(struct zeek_key) == MAX_KEY_WORDS * sizeof(__u32), "MAX_KEY_WORDS");
_Static_assert(sizeof(struct zeek_pair) == 36, "zeek_pair");
_Static_assert(sizeof(struct zeek_value) == 48, "zeek_value");

/* Addresses are as in IPv6, numbers in host order. */
struct flow {
	int family;
	__u8 source[ADDRESS_BYTES], destination[ADDRESS_BYTES];
	__u16 source_port, destination_port;
	__u16 protocol;
	__u16 outer_vlan, inner_vlan;
};

struct counts {
	__u64 packets, bytes;
};

struct churned {
	__u64 inserted, deleted, existing, absent;
};

struct table {
	const char *name;
	__u32 key_bytes;
};

struct dialect {
	const char *word;
	/* Of the pins below DIR; the interface, if any, and the name of the table follow. */
	const char *prefix;
	bool has_interface, has_vlans, has_icmp, has_pairs, has_time;
	enum bpf_map_type type;
	__u32 value_bytes;
	/* How many keys a flow has. */
	int keys;
	__u64 insert_flags, lookup_flags;
	/* IPv4 and IPv6; or flows and pairs. */
	struct table tables[TABLES];
	void (*make_key)(const struct flow *flow, void *key);
	/* What its source sent. */
	struct counts (*count)(const struct flow *flow, const void *values);
};

struct command {
	const char *name;
	int least, most;
	bool needs_maps;
	void (*run)(char **arguments);
};

struct member {
	const char *name;
	int type;
	__u32 offset;
};

static const struct dialect *dialect;
static const char *interface = "";
static const char *directory;
static int maps[TABLES];
static int cpus;

static __u64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * NANOS_PER_SECOND + time.tv_nsec;
}

/* --- what the dialects make of a flow --- */

/* Returns what comes after it. */
static void *make_tuple(const struct flow *flow, void *key)
{
	struct tuple4 *tuple4 = key;
	struct tuple6 *tuple6 = key;

	if (flow->family == AF_INET) {
		memcpy(tuple4->source, flow->source + IPV4_OFFSET, sizeof(tuple4->source));
		memcpy(tuple4->destination, flow->destination + IPV4_OFFSET, sizeof(tuple4->destination));
		tuple4->source_port = htons(flow->source_port);
		tuple4->destination_port = htons(flow->destination_port);
		return tuple4 + 1;
	}
	memcpy(tuple6->source, flow->source, sizeof(tuple6->source));
	memcpy(tuple6->destination, flow->destination, sizeof(tuple6->destination));
	tuple6->source_port = htons(flow->source_port);
	tuple6->destination_port = htons(flow->destination_port);
	return tuple6 + 1;
}

static void libflowbypass_make_key(const struct flow *flow, void *key)
{
	struct libflowbypass_tail *tail = make_tuple(flow, key);

	tail->protocol = flow->protocol;
}

static struct counts libflowbypass_count(const struct flow *flow __attribute__((unused)), const void *values)
{
	const struct libflowbypass_value *value = values;
	struct counts counts = {};

	for (int cpu = 0; cpu < cpus; cpu++) {
		counts.packets += value[cpu].packets;
		counts.bytes += value[cpu].bytes;
	}
	return counts;
}

static void suricata_make_key(const struct flow *flow, void *key)
{
	struct suricata_tail *tail = make_tuple(flow, key);

	tail->tcp_and_vlan = (flow->protocol == IPPROTO_TCP) | flow->outer_vlan << 1;
	tail->inner_vlan = flow->inner_vlan;
}

static struct counts suricata_count(const struct flow *flow __attribute__((unused)), const void *values)
{
	const struct suricata_value *value = values;
	struct counts counts = {};

	for (int cpu = 0; cpu < cpus; cpu++) {
		counts.packets += value[cpu].packets;
		counts.bytes += value[cpu].bytes;
	}
	return counts;
}

/* Whether the source is endpoint 1: addresses are compared as this machine reads them, as two numbers. */
static bool is_first(const struct flow *flow)
{
	__u64 source[2], destination[2];

	memcpy(source, flow->source, sizeof(source));
	memcpy(destination, flow->destination, sizeof(destination));
	if (source[0] != destination[0])
		return source[0] < destination[0];
	if (source[1] != destination[1])
		return source[1] < destination[1];
	return flow->source_port <= flow->destination_port;
}

static struct flow reversed(const struct flow *flow)
{
	struct flow reverse = *flow;

	memcpy(reverse.source, flow->destination, ADDRESS_BYTES);
	memcpy(reverse.destination, flow->source, ADDRESS_BYTES);
	reverse.source_port = flow->destination_port;
	reverse.destination_port = flow->source_port;
	return reverse;
}

static void zeek_make_key(const struct flow *flow, void *key)
{
	struct flow from_1 = is_first(flow) ? *flow : reversed(flow);
	struct zeek_key *zeek = key;

	memcpy(zeek->ip1, from_1.source, sizeof(zeek->ip1));
	memcpy(zeek->ip2, from_1.destination, sizeof(zeek->ip2));
	zeek->port1 = from_1.source_port;
	zeek->port2 = from_1.destination_port;
	zeek->protocol = flow->protocol;
	zeek->outer_vlan = flow->outer_vlan;
	zeek->inner_vlan = flow->inner_vlan;
	zeek->padding = 0;
}

static void zeek_make_pair(const struct flow *flow, struct zeek_pair *pair)
{
	struct flow from_1 = is_first(flow) ? *flow : reversed(flow);

	memcpy(pair->ip1, from_1.source, sizeof(pair->ip1));
	memcpy(pair->ip2, from_1.destination, sizeof(pair->ip2));
	pair->outer_vlan = flow->outer_vlan;
	pair->inner_vlan = flow->inner_vlan;
}

static struct counts zeek_count(const struct flow *flow, const void *values)
{
	const struct zeek_value *value = values;
	struct counts from_1 = { value->packets_from_1, value->bytes_from_1 };
	struct counts from_2 = { value->packets_from_2, value->bytes_from_2 };

	return is_first(flow) ? from_1 : from_2;
}

static const struct dialect dialects[] = {
	{
		.word = "libflowbypass",
		.prefix = "autocutoff/",
		.has_time = true,
		.type = BPF_MAP_TYPE_PERCPU_HASH,
		.value_bytes = sizeof(struct libflowbypass_value),
		.keys = 2,
		.insert_flags = BPF_NOEXIST,
		.tables = {
			{ "flow_table_v4", sizeof(struct tuple4) + sizeof(struct libflowbypass_tail) },
			{ "flow_table_v6", sizeof(struct tuple6) + sizeof(struct libflowbypass_tail) },
		},
		.make_key = libflowbypass_make_key,
		.count = libflowbypass_count,
	},
	{
		.word = "suricata",
		.prefix = "suricata-",
		.has_interface = true,
		.has_vlans = true,
		.type = BPF_MAP_TYPE_PERCPU_HASH,
		.value_bytes = sizeof(struct suricata_value),
		.keys = 2,
		.insert_flags = BPF_NOEXIST,
		.tables = {
			{ "flow_table_v4", sizeof(struct tuple4) + sizeof(struct suricata_tail) },
			{ "flow_table_v6", sizeof(struct tuple6) + sizeof(struct suricata_tail) },
		},
		.make_key = suricata_make_key,
		.count = suricata_count,
	},
	{
		.word = "zeek",
		.prefix = "zeek/",
		.has_vlans = true,
		.has_icmp = true,
		.has_pairs = true,
		.type = BPF_MAP_TYPE_HASH,
		.value_bytes = sizeof(struct zeek_value),
		.keys = 1,
		.insert_flags = BPF_ANY,
		.lookup_flags = BPF_F_LOCK,
		.tables = {
			{ "shunt_map", sizeof(struct zeek_key) },
			{ "ip_pair_map", sizeof(struct zeek_pair) },
		},
		.make_key = zeek_make_key,
		.count = zeek_count,
	},
};

/* In which of the dialect's tables a flow is. */
static int table_of(const struct flow *flow)
{
	return dialect->has_pairs ? 0 : flow->family == AF_INET6;
}

/* --- what the command line says --- */

static __u32 number(const char *text, __u32 least, __u32 most)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value < least || value > most)
		errx(MISUSED, "\"%s\" is not a number from %u to %u", text, least, most);
	return value;
}

/* Returns its family. */
static int parse_address(const char *text, __u8 *address)
{
	static const __u8 mapped[IPV4_OFFSET] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET6, text, address) == 1)
		return AF_INET6;
	if (inet_pton(AF_INET, text, address + IPV4_OFFSET) != 1)
		errx(MISUSED, "\"%s\" is no address of IPv4 or IPv6", text);
	memcpy(address, mapped, sizeof(mapped));
	return AF_INET;
}

static void parse_addresses(const char *source, const char *destination, struct flow *flow)
{
	flow->family = parse_address(source, flow->source);
	if (parse_address(destination, flow->destination) != flow->family)
		errx(MISUSED, "%s and %s are not of one family", source, destination);
}

/* Up to two words, the outer VLAN first. */
static void parse_vlans(char **words, struct flow *flow)
{
	if (!words[0])
		return;
	if (!dialect->has_vlans)
		errx(MISUSED, "%s knows no VLAN", dialect->word);
	flow->outer_vlan = number(words[0], 0, MAX_VLAN);
	if (words[1])
		flow->inner_vlan = number(words[1], 0, MAX_VLAN);
}

static __u16 parse_protocol(const char *word)
{
	if (!strcmp(word, "tcp"))
		return IPPROTO_TCP;
	if (!strcmp(word, "udp"))
		return IPPROTO_UDP;
	if (!strcmp(word, "icmp") && dialect->has_icmp)
		return IPPROTO_ICMP;
	errx(MISUSED, "%s does not bypass \"%s\"", dialect->word, word);
}

static struct flow parse_flow(char **words)
{
	struct flow flow = {};
	__u32 most = 65535;

	flow.protocol = parse_protocol(words[0]);
	if (flow.protocol == IPPROTO_ICMP)
		most = 0;
	parse_addresses(words[1], words[3], &flow);
	flow.source_port = number(words[2], 0, most);
	flow.destination_port = number(words[4], 0, most);
	parse_vlans(words + 5, &flow);
	return flow;
}

static struct flow numbered(__u32 n)
{
	struct flow flow = {
		.family = AF_INET,
		.source = { [10] = 0xff, 0xff, 10 },
		.destination = { [10] = 0xff, 0xff, 192, 0, 2, 1 },
		.source_port = 4000,
		.destination_port = 5000,
		.protocol = IPPROTO_UDP,
	};
	__u8 *source = flow.source + IPV4_OFFSET;

	source[1] = n >> 16;
	source[2] = n >> 8;
	source[3] = n;
	return flow;
}

/* --- the maps --- */

/* Of the length PATH_MAX. */
static void path_of(const struct table *table, char *path)
{
	const char *hyphen = dialect->has_interface ? "-" : "";

	if (snprintf(path, PATH_MAX, "%s/%s%s%s%s", directory, dialect->prefix, interface, hyphen, table->name) >= PATH_MAX)
		errx(MISUSED, "%s is too long for a path", directory);
}

static size_t value_bytes(void)
{
	return dialect->type == BPF_MAP_TYPE_PERCPU_HASH ? (size_t)dialect->value_bytes * cpus : dialect->value_bytes;
}

static void *allocate(size_t count, size_t bytes)
{
	void *memory = calloc(count, bytes);

	if (!memory)
		errx(REFUSED, "there is no memory for %zu times %zu bytes", count, bytes);
	return memory;
}

/* Makes of zeros what a flow begins with. */
static void stamp(void *values, size_t count)
{
	struct libflowbypass_value *value = values;
	__u64 time = now();

	if (!dialect->has_time)
		return;
	for (size_t i = 0; i < count * cpus; i++)
		value[i].time = time;
}

static struct bpf_map_info info_of(int map, const char *path)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(map, &info, &length))
		err(REFUSED, "%s: what it is the kernel refused to say", path);
	return info;
}

static int open_map(const struct table *table)
{
	char path[PATH_MAX];
	struct bpf_map_info info;
	int map;

	path_of(table, path);
	map = bpf_obj_get(path);
	if (map < 0)
		err(REFUSED, "%s: cannot be opened", path);
	info = info_of(map, path);
	if (info.type != dialect->type || info.key_size != table->key_bytes || info.value_size != dialect->value_bytes)
		errx(REFUSED, "%s: type %u, key %u bytes, value %u bytes; %s has type %u, key %u bytes, value %u bytes", path,
		     info.type, info.key_size, info.value_size, dialect->word, dialect->type, table->key_bytes,
		     dialect->value_bytes);
	return map;
}

static void open_maps(void)
{
	for (int i = 0; i < TABLES; i++)
		maps[i] = open_map(&dialect->tables[i]);
}

/* Returns 0 or a negative errno. */
static int insert_key(int table, const void *key, void *values)
{
	stamp(values, 1);
	return bpf_map_update_elem(maps[table], key, values, dialect->insert_flags);
}

/* Ends this program, by errno. */
static _Noreturn void refused(int table, const char *what)
{
	const char *name = dialect->tables[table].name;

	if (errno == E2BIG)
		errx(REFUSED, "%s: the entry cannot be %s: the map is full (E2BIG)", name, what);
	err(REFUSED, "%s: the entry cannot be %s", name, what);
}

static void insert_new(int table, const void *key)
{
	void *values = allocate(1, value_bytes());

	if (insert_key(table, key, values))
		refused(table, "inserted");
	free(values);
}

static void delete_key(int table, const void *key)
{
	int error = bpf_map_delete_elem(maps[table], key);

	if (error && error != -ENOENT)
		refused(table, "deleted");
	puts(error ? "absent" : "deleted");
}

static void show_from(const struct flow *source)
{
	int table = table_of(source);
	__u32 key[MAX_KEY_WORDS];
	void *values = allocate(1, value_bytes());
	struct counts counts;
	int error;

	dialect->make_key(source, key);
	error = bpf_map_lookup_elem_flags(maps[table], key, values, dialect->lookup_flags);
	if (error && error != -ENOENT)
		refused(table, "looked up");
	counts = dialect->count(source, values);
	if (error)
		puts("absent");
	else
		printf("%llu %llu\n", counts.packets, counts.bytes);
	free(values);
}

/* A bucket after the other, so that every entry is seen once at the most, also when others are deleted meanwhile. */
static __u64 count_entries(const struct table *table, int map)
{
	void *keys = allocate(BLOCK, table->key_bytes);
	void *values = allocate(BLOCK, value_bytes());
	/* Each call gets a bucket further; there are fewer than two times as many buckets as entries. */
	__u64 calls = 2ULL * info_of(map, table->name).max_entries;
	LIBBPF_OPTS(bpf_map_batch_opts, options, .elem_flags = dialect->lookup_flags);
	__u64 entries = 0;
	int error = 0;
	__u32 cursor;
	__u32 count;

	for (__u64 call = 0; !error && call <= calls; call++) {
		count = BLOCK;
		error = bpf_map_lookup_batch(map, call ? &cursor : NULL, &cursor, keys, values, &count, &options);
		if (error && error != -ENOENT)
			err(REFUSED, "%s: its entries cannot be read", table->name);
		entries += count;
	}
	if (!error)
		errx(REFUSED, "%s: it has no end", table->name);
	free(keys);
	free(values);
	return entries;
}

/* --- new maps --- */

static void unpin_all(void)
{
	char path[PATH_MAX];

	for (int i = 0; i < TABLES; i++) {
		path_of(&dialect->tables[i], path);
		if (unlink(path) && errno != ENOENT)
			err(REFUSED, "%s: cannot be unlinked", path);
	}
}

/* Those above the last name of a path. */
static void make_directories(const char *path)
{
	char above[PATH_MAX];

	for (size_t i = 1; path[i]; i++) {
		if (path[i] != '/')
			continue;
		memcpy(above, path, i);
		above[i] = '\0';
		if (mkdir(above, 0700) && errno != EEXIST)
			err(REFUSED, "%s: the directory cannot be made", above);
	}
}

/* The id of a type that was added to the type information, or the end. */
static int added(int id)
{
	if (id < 0) {
		errno = -id;
		err(REFUSED, "the type information cannot be made");
	}
	return id;
}

/* Members end with one without a name. */
static int add_struct(struct btf *btf, const char *name, __u32 bytes, const struct member *members)
{
	int id = added(btf__add_struct(btf, name, bytes));

	for (int i = 0; members[i].name; i++)
		added(btf__add_field(btf, members[i].name, members[i].type, members[i].offset * BITS_PER_BYTE, 0));
	return id;
}

#define MEMBER(type_name, member_name, type_id) { #member_name, type_id, offsetof(struct type_name, member_name) }

static int add_zeek_key(struct btf *btf, int u16, int address)
{
	const struct member members[] = {
		MEMBER(zeek_key, ip1, address), MEMBER(zeek_key, ip2, address), MEMBER(zeek_key, port1, u16),
		MEMBER(zeek_key, port2, u16), MEMBER(zeek_key, protocol, u16), MEMBER(zeek_key, outer_vlan, u16),
		MEMBER(zeek_key, inner_vlan, u16), MEMBER(zeek_key, padding, u16), {},
	};

	return add_struct(btf, "zeek_key", sizeof(struct zeek_key), members);
}

static int add_zeek_pair(struct btf *btf, int u16, int address)
{
	const struct member members[] = {
		MEMBER(zeek_pair, ip1, address), MEMBER(zeek_pair, ip2, address), MEMBER(zeek_pair, outer_vlan, u16),
		MEMBER(zeek_pair, inner_vlan, u16), {},
	};

	return add_struct(btf, "zeek_pair", sizeof(struct zeek_pair), members);
}

/* By the name of the lock's type the kernel knows that it is one. */
static int add_zeek_value(struct btf *btf, int u32, int u64)
{
	const struct member of_lock[] = { MEMBER(bpf_spin_lock, val, u32), {} };
	int lock = add_struct(btf, "bpf_spin_lock", sizeof(struct bpf_spin_lock), of_lock);
	const struct member members[] = {
		MEMBER(zeek_value, lock, lock), MEMBER(zeek_value, padding, u32),
		MEMBER(zeek_value, packets_from_1, u64), MEMBER(zeek_value, packets_from_2, u64),
		MEMBER(zeek_value, bytes_from_1, u64), MEMBER(zeek_value, bytes_from_2, u64),
		MEMBER(zeek_value, timestamp, u64), {},
	};

	return add_struct(btf, "zeek_value", sizeof(struct zeek_value), members);
}

/* Gives zeek's maps their types; the kernel keeps these as long as the maps. */
static struct btf *load_zeek_types(int *key_types, int *value_type)
{
	struct btf *btf = btf__new_empty();
	int u8, u16, u32, u64, address;

	if (!btf)
		err(REFUSED, "the type information cannot be made");
	u8 = added(btf__add_int(btf, "unsigned char", 1, 0));
	u16 = added(btf__add_int(btf, "unsigned short", 2, 0));
	u32 = added(btf__add_int(btf, "unsigned int", 4, 0));
	u64 = added(btf__add_int(btf, "unsigned long long", 8, 0));
	address = added(btf__add_array(btf, u32, u8, ADDRESS_BYTES));
	key_types[0] = add_zeek_key(btf, u16, address);
	key_types[1] = add_zeek_pair(btf, u16, address);
	*value_type = add_zeek_value(btf, u32, u64);
	if (btf__load_into_kernel(btf))
		err(REFUSED, "the kernel refused the type information");
	return btf;
}

static void create_map(const struct table *table, __u32 entries, const struct bpf_map_create_opts *options)
{
	char path[PATH_MAX];
	int map;

	path_of(table, path);
	make_directories(path);
	map = bpf_map_create(dialect->type, table->name, table->key_bytes, dialect->value_bytes, entries, options);
	if (map < 0)
		err(REFUSED, "%s: no map of %u entries can be created", path, entries);
	/* What is pinned has the mode 0600. */
	if (bpf_obj_pin(map, path))
		err(REFUSED, "%s: no map can be pinned there", path);
	close(map);
}

static void create_maps(__u32 entries)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);
	struct btf *btf = NULL;
	int key_types[TABLES] = {};
	int value_type = 0;

	if (dialect->has_pairs) {
		btf = load_zeek_types(key_types, &value_type);
		options.btf_fd = btf__fd(btf);
		options.btf_value_type_id = value_type;
	}
	for (int i = 0; i < TABLES; i++) {
		options.btf_key_type_id = key_types[i];
		create_map(&dialect->tables[i], entries, &options);
	}
	btf__free(btf);
}

/* --- many flows --- */

static __u64 random_number(void)
{
	static __u64 state;

	if (!state)
		state = now() | 1;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 16;
}

static void churn_key(const struct flow *flow, bool is_insert, void *values, struct churned *churned)
{
	int table = table_of(flow);
	__u32 key[MAX_KEY_WORDS];
	int error;

	dialect->make_key(flow, key);
	error = is_insert ? insert_key(table, key, values) : bpf_map_delete_elem(maps[table], key);
	if (!error)
		(*(is_insert ? &churned->inserted : &churned->deleted))++;
	else if (is_insert && error == -EEXIST)
		churned->existing++;
	else if (!is_insert && error == -ENOENT)
		churned->absent++;
	else
		refused(table, is_insert ? "inserted" : "deleted");
}

static struct churned churn_for(__u64 nanos, __u32 first, __u32 count)
{
	struct churned churned = {};
	void *values = allocate(1, value_bytes());
	__u64 begun = now();
	struct flow flows[DIRECTIONS];
	__u64 random;

	while (now() - begun < nanos) {
		random = random_number();
		flows[0] = numbered(first + (random >> 1) % count);
		flows[1] = reversed(&flows[0]);
		for (int i = 0; i < dialect->keys; i++)
			churn_key(&flows[i], random & 1, values, &churned);
	}
	free(values);
	return churned;
}

static void insert_block(int table, const void *keys, void *values, __u32 count)
{
	__u32 done = count;

	stamp(values, count);
	if (bpf_map_update_batch(maps[table], keys, values, &done, NULL)) {
		warnx("of a block of %u entries %u were inserted", count, done);
		refused(table, "inserted");
	}
}

static __u64 fill_from(__u32 first, __u32 count)
{
	struct flow flow = numbered(first);
	int table = table_of(&flow);
	__u32 key_bytes = dialect->tables[table].key_bytes;
	__u8 *keys = allocate(BLOCK, key_bytes);
	void *values = allocate(BLOCK, value_bytes());
	__u32 used = 0;

	for (__u32 i = 0; i < count; i++) {
		flow = numbered(first + i);
		for (int j = 0; j < dialect->keys; j++) {
			dialect->make_key(&flow, keys + (size_t)key_bytes * used++);
			flow = reversed(&flow);
		}
		if (used == BLOCK || i + 1 == count) {
			insert_block(table, keys, values, used);
			used = 0;
		}
	}
	free(keys);
	free(values);
	return (__u64)count * dialect->keys;
}

static void parse_numbers(char **words, __u32 *first, __u32 *count)
{
	*first = number(words[0], 0, NUMBERS - 1);
	*count = number(words[1], 1, NUMBERS - *first);
}

/* --- the commands --- */

static void insert_keys(char **arguments, int keys)
{
	struct flow flow = parse_flow(arguments);
	__u32 key[MAX_KEY_WORDS];

	for (int i = 0; i < keys; i++) {
		dialect->make_key(&flow, key);
		insert_new(table_of(&flow), key);
		flow = reversed(&flow);
	}
}

static void insert(char **arguments)
{
	insert_keys(arguments, dialect->keys);
}

static void insert_one(char **arguments)
{
	if (dialect->keys == 1)
		errx(MISUSED, "%s has one key for both directions", dialect->word);
	insert_keys(arguments, 1);
}

static void delete(char **arguments)
{
	struct flow flow = parse_flow(arguments);
	__u32 key[MAX_KEY_WORDS];

	for (int i = 0; i < dialect->keys; i++) {
		dialect->make_key(&flow, key);
		delete_key(table_of(&flow), key);
		flow = reversed(&flow);
	}
}

static void show(char **arguments)
{
	struct flow flow = parse_flow(arguments);

	for (int i = 0; i < DIRECTIONS; i++) {
		show_from(&flow);
		flow = reversed(&flow);
	}
}

static struct zeek_pair parse_pair(char **words)
{
	struct flow flow = {};
	struct zeek_pair pair;

	if (!dialect->has_pairs)
		errx(MISUSED, "%s does not bypass pairs of addresses", dialect->word);
	parse_addresses(words[0], words[1], &flow);
	parse_vlans(words + 2, &flow);
	zeek_make_pair(&flow, &pair);
	return pair;
}

static void pair(char **arguments)
{
	struct zeek_pair key = parse_pair(arguments);

	insert_new(1, &key);
}

static void unpair(char **arguments)
{
	struct zeek_pair key = parse_pair(arguments);

	delete_key(1, &key);
}

static void list(char **arguments __attribute__((unused)))
{
	for (int i = 0; i < TABLES; i++)
		printf("%llu\n", count_entries(&dialect->tables[i], maps[i]));
}

static void churn(char **arguments)
{
	__u32 seconds = number(arguments[0], 1, MAX_SECONDS);
	struct churned churned;
	__u32 first, count;

	parse_numbers(arguments + 1, &first, &count);
	churned = churn_for(seconds * NANOS_PER_SECOND, first, count);
	printf("inserted %llu deleted %llu existing %llu absent %llu\n", churned.inserted, churned.deleted,
	       churned.existing, churned.absent);
}

static void fill(char **arguments)
{
	__u32 first, count;

	parse_numbers(arguments, &first, &count);
	printf("%llu\n", fill_from(first, count));
}

static void recreate(char **arguments)
{
	__u32 entries = arguments[0] ? number(arguments[0], 1, INT_MAX) : DEFAULT_ENTRIES;

	unpin_all();
	create_maps(entries);
}

static void unpin(char **arguments __attribute__((unused)))
{
	unpin_all();
}

static const struct command commands[] = {
	{ "insert", 5, 7, true, insert },
	{ "insert-one", 5, 7, true, insert_one },
	{ "delete", 5, 7, true, delete },
	{ "show", 5, 7, true, show },
	{ "pair", 2, 4, true, pair },
	{ "unpair", 2, 4, true, unpair },
	{ "list", 0, 0, true, list },
	{ "churn", 3, 3, true, churn },
	{ "fill", 2, 2, true, fill },
	{ "recreate", 0, 1, false, recreate },
	{ "unpin", 0, 0, false, unpin },
};

static void choose_dialect(char *word)
{
	char *colon = strchr(word, ':');

	if (colon) {
		*colon = '\0';
		interface = colon + 1;
	}
	for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
		if (!strcmp(word, dialects[i].word))
			dialect = &dialects[i];
	}
	if (!dialect)
		errx(MISUSED, "there is no dialect \"%s\": it takes libflowbypass, suricata:IFACE or zeek", word);
	if (dialect->has_interface != !!colon)
		errx(MISUSED, "%s takes %s", word, colon ? "no interface" : "an interface: suricata:IFACE");
	if (colon && (!*interface || strlen(interface) >= IF_NAMESIZE || strchr(interface, '/')))
		errx(MISUSED, "\"%s\" is no name of an interface", interface);
}

static const struct command *find_command(const char *name, int count)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(name, commands[i].name))
			continue;
		if (count < commands[i].least || count > commands[i].most)
			errx(MISUSED, "%s takes %d to %d arguments", name, commands[i].least, commands[i].most);
		return &commands[i];
	}
	errx(MISUSED, "there is no command \"%s\"", name);
}

int main(int argc, char **argv)
{
	const struct command *command;

	if (argc < 4)
		errx(MISUSED, "it takes DIALECT DIR COMMAND [ARGUMENT...]");
	choose_dialect(argv[1]);
	directory = argv[2];
	command = find_command(argv[3], argc - 4);
	umask(0077);
	cpus = libbpf_num_possible_cpus();
	if (cpus < 0)
		err(REFUSED, "how many CPUs there can be is not known");
	if (command->needs_maps)
		open_maps();
	command->run(argv + 4);
	if (fflush(stdout))
		err(REFUSED, "nobody reads the answer");
	return EXIT_SUCCESS;
}
