// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

/** When an update is to happen. */
public enum Condition {
    /** {@code BPF_NOEXIST}: only where the key is not there. */
    NOEXIST,
    /** {@code BPF_EXIST}: only where it is there. */
    EXIST
}
