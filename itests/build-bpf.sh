#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles the tests' own BPF objects into the directory $1; their type information stays in them.
set -eu
cd "$(dirname "$0")/src/main/bpf"
mkdir -p "$1"
for program in *.bpf.c; do
	# Debian keeps asm/types.h in a directory of the host's architecture, which clang -target bpf does not search.
	clang -g -O2 -Wall -Wextra -Werror -target bpf -mcpu=v3 -fno-builtin -ffile-prefix-map="$PWD=." \
		-fdebug-compilation-dir=. -I../../../../bpf -I../../../bench/src/main/bpf \
		-idirafter "/usr/include/$(uname -m)-linux-gnu" \
		-c "$program" -o "$1/${program%.c}.o"
done
