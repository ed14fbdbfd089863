#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles flowbypass.bpf.c into the directory $1, next to the properties that the loader compares.
set -eu
cd "$(dirname "$0")"
out=$1

if ! command -v clang >/dev/null; then
	echo "bpf: clang is missing, it compiles the XDP program: apt-get install clang llvm libbpf-dev" >&2
	exit 1
fi
if ! echo '#include <bpf/bpf_helpers.h>' | clang -fsyntax-only -x c -include linux/types.h - 2>/dev/null; then
	echo "bpf: libbpf's headers are missing: apt-get install libbpf-dev" >&2
	exit 1
fi
mkdir -p "$out"
# -fno-builtin: a map is called index, which is also a function of C's library.
# Debian keeps asm/types.h in a directory of the host's architecture, which clang -target bpf does not search.
clang -g -O2 -Wall -Wextra -Werror -target bpf -mcpu=v3 -fno-builtin -ffile-prefix-map="$PWD=." -fdebug-compilation-dir=. \
	-idirafter "/usr/include/$(uname -m)-linux-gnu" -c flowbypass.bpf.c -o "$out/flowbypass.bpf.o"
llvm-strip -g "$out/flowbypass.bpf.o"
# The ABI's digest: the layout, and how a key finds its slot, without comments and with white space folded.
hash=$(cat flowbypass.h key.h | perl -0pe 's#/\*.*?\*/##gs; s#\s+# #g' | sha256sum | cut -c1-16)
echo "abi.hash=$hash" >"$out/flowbypass.bpf.properties"
