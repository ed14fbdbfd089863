#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles each program in src/main/c into the directory $1.
set -eu
cd "$(dirname "$0")/src/main/c"
out=$1

if ! command -v clang >/dev/null; then
	echo "bench: clang is missing, it compiles what Java is measured against: apt-get install clang libbpf-dev" >&2
	exit 1
fi
if ! echo '#include <bpf/bpf.h>' | clang -fsyntax-only -x c - 2>/dev/null; then
	echo "bench: libbpf's headers are missing: apt-get install libbpf-dev" >&2
	exit 1
fi
mkdir -p "$out"
for program in *.c; do
	clang -std=gnu17 -O2 -Wall -Wextra -Werror "$program" -o "$out/${program%.c}" -lbpf
done
