#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles each program in src/main/c, and each BPF object in src/main/bpf, into the directory $1.
set -eu
cd "$(dirname "$0")/src/main"
out=$1

if ! command -v clang >/dev/null; then
	echo "bench: clang is missing, it compiles what Flowbypass is measured against: apt-get install clang libbpf-dev" >&2
	exit 1
fi
if ! echo '#include <bpf/bpf.h>' | clang -fsyntax-only -x c - 2>/dev/null; then
	echo "bench: libbpf's headers are missing: apt-get install libbpf-dev" >&2
	exit 1
fi
mkdir -p "$out"
for program in c/*.c; do
	name=${program##*/}
	clang -std=gnu17 -O2 -Wall -Wextra -Werror -I../../../../bpf "$program" -o "$out/${name%.c}" -lbpf
done
for object in bpf/*.bpf.c; do
	name=${object##*/}
	# As bpf/build.sh compiles what they are measured against.
	clang -g -O2 -Wall -Wextra -Werror -target bpf -mcpu=v3 -idirafter "/usr/include/$(uname -m)-linux-gnu" \
		-fno-builtin -I../../../../bpf -c "$object" -o "$out/${name%.c}.o"
	llvm-strip -g "$out/${name%.c}.o"
done
