// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

/** The running kernel lacks something for which there is no second best way. */
public final class UnsupportedFeatureException extends UnsupportedOperationException {
    private static final long serialVersionUID = 1L;

    private final String feature;
    private final String since;

    /**
     * For a feature.
     *
     * @param feature what is missing: "lookup-and-delete on a HASH"
     * @param since the first kernel that has it: "5.14"
     */
    public UnsupportedFeatureException(String feature, String since) {
        super("this kernel (" + System.getProperty("os.version") + ") has no " + feature + ": Linux " + since
                + " and newer have it");
        this.feature = feature;
        this.since = since;
    }

    /** What is missing. */
    public String feature() {
        return feature;
    }

    /** The first kernel version that has it. */
    public String since() {
        return since;
    }
}
