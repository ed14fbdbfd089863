#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sums all modules' test reports into one closing line. Fails when this module's tests did not run, outside or inside the
# framework, when a test failed, and under CI=true when one was skipped.
set -eu
cd "$(dirname "$0")"
sum() { # ATTRIBUTE DIRECTORY...
	attribute=$1
	shift
	find "$@" -name 'TEST-*.xml' -exec grep -ho '<testsuite [^>]*' {} + |
		grep -o " $attribute=\"[0-9]*\"" | tr -dc '0-9\n' | awk '{ n += $1 } END { print n + 0 }'
}
for directory in target/surefire-reports target/test-reports; do
	[ -d "$directory" ] && [ "$(sum tests "$directory")" -gt 0 ] ||
		{ echo "itests: no test ran, or none reported to itests/$directory" >&2; exit 1; }
done
set -- target/surefire-reports target/test-reports bench/target/surefire-reports ../bundles/*/target/surefire-reports
failed=$(($(sum failures "$@") + $(sum errors "$@")))
skipped=$(sum skipped "$@")
echo "$(($(sum tests "$@") - failed - skipped)) passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] || exit 1
[ "${CI:-}" != true ] || [ "$skipped" -eq 0 ] || { echo "itests: under CI=true a skipped test is a failure" >&2; exit 1; }
