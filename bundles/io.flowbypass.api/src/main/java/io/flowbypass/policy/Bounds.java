// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.policy;

/** Refuses what a configuration must not say. */
public final class Bounds {
    private Bounds() {
    }

    /**
     * Checks a value of a configuration.
     *
     * @param pid of the configuration, and the key in it, for the message
     * @param unit of the value, for the message
     * @return the value
     * @throws IllegalArgumentException naming the bounds, when it is out of them
     */
    public static <T extends Number> T check(String pid, String key, T value, long min, long max, String unit) {
        if (value.longValue() < min || value.longValue() > max) {
            throw new IllegalArgumentException(key + " = " + value + " in " + pid + " is out of range: set " + min + " to "
                    + max + " " + unit);
        }
        return value;
    }
}
