#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sums the test reports under $1 into one closing line. Fails when no test ran, one failed, or (with CI=true) one was skipped.
set -eu
sum() {
	find "$1" -name 'TEST-*.xml' -exec grep -ho "<testsuite [^>]*" {} + |
		grep -o " $2=\"[0-9]*\"" | tr -dc '0-9\n' | awk '{ n += $1 } END { print n + 0 }'
}
tests=$(sum "$1" tests)
failed=$(($(sum "$1" failures) + $(sum "$1" errors)))
skipped=$(sum "$1" skipped)
echo "$((tests - failed - skipped)) passed, $failed failed, $skipped skipped"
[ "$tests" -gt 0 ] || { echo "itests: no test ran" >&2; exit 1; }
[ "$failed" -eq 0 ] || exit 1
[ "${CI:-}" != true ] || [ "$skipped" -eq 0 ] || { echo "itests: skipped tests are failures under CI=true" >&2; exit 1; }
