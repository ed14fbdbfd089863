#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# verify.sh OBJECT: loads each program of an XDP object file into the running kernel, prints what verifying it took, and
# takes it out again. verify.sh VMLINUZ OBJECT: the same in that kernel, emulated by qemu; needs no root.
# Ends with 0 when all programs were loaded and ran, and with 77 when this process may not load programs.
set -euo pipefail

die() {
	printf 'verify: %s\n' "$*" >&2
	exit 1
}

(($# == 1 || $# == 2)) || die "start it as verify.sh [VMLINUZ] OBJECT."
kernel=${2:+$1}
object=${2:-$1}
for file; do
	[[ -r $file ]] || die "there is no file $file that can be read: name a kernel's vmlinuz, and an object that clang made."
done
for command in clang ${kernel:+cpio qemu-system-x86_64}; do
	command -v "$command" >/dev/null || die "$command is missing: apt-get install clang libbpf-dev cpio qemu-system-x86"
done

work=$(mktemp -d "${TMPDIR:-/tmp}/flowbypass.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
# Static for the other kernel, which finds nothing else.
libraries=(-lbpf)
[[ -z $kernel ]] || libraries=(-static -lbpf -lelf -lz)
clang -std=gnu17 -O2 -Wall -Wextra -Werror "$(dirname "${BASH_SOURCE[0]}")/verify.c" -o "$work/init" "${libraries[@]}" ||
	die "verify.c could not be compiled: apt-get install libbpf-dev libelf-dev zlib1g-dev"

if [[ -z $kernel ]]; then
	status=0
	"$work/init" "$object" || status=$?
	exit "$status"
fi
cp -- "$object" "$work/object"
(cd "$work" && printf '%s\n' init object | cpio -o -H newc --quiet >initramfs)
# Always emulated: a /dev/kvm may be there and not able to run another kernel. In the foreground: Ctrl-C ends qemu too.
timeout --foreground 300 qemu-system-x86_64 -accel tcg -m 2048 -nodefaults -display none -serial stdio -no-reboot \
	-kernel "$kernel" -initrd "$work/initramfs" -append "console=ttyS0 quiet panic=-1" </dev/null |
	tr -d '\r' | tee "$work/output" || die "qemu failed, or the kernel took more than 300 s."
status=$(sed -n 's/^status //p' "$work/output")
exit "${status:-1}"
