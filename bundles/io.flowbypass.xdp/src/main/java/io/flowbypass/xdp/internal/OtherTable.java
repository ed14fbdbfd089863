// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

/** What is pinned is a table of another layout or capacity. */
final class OtherTable extends Refusal {
    private static final long serialVersionUID = 1L;

    OtherTable(String sentence) {
        super(sentence);
    }
}
