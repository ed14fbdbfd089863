#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles the tests' own programs for this machine into the directory $1.
set -eu
cd "$(dirname "$0")/src/main/c"
mkdir -p "$1"
for program in *.c; do
	clang -std=gnu17 -O2 -Wall -Wextra -Werror "$program" -o "$1/${program%.c}" -lbpf
done
