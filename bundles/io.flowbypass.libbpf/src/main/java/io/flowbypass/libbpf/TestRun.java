// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

/**
 * What a test run of a program gave.
 *
 * @param result what the program returned the last time
 * @param nanosPerRun mean time of one run
 */
public record TestRun(int result, int nanosPerRun) {
}
