#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles the tests' own BPF object into the directory $1; its type information stays in it.
set -eu
cd "$(dirname "$0")/src/main/bpf"
mkdir -p "$1"
# Debian keeps asm/types.h in a directory of the host's architecture, which clang -target bpf does not search.
clang -g -O2 -Wall -Wextra -Werror -target bpf -mcpu=v3 -ffile-prefix-map="$PWD=." -fdebug-compilation-dir=. \
	-idirafter "/usr/include/$(uname -m)-linux-gnu" -c maps.bpf.c -o "$1/maps.bpf.o"
