// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management;

/**
 * One health check: {@code io.flowbypass:type=Health,name=NAME}. Registered while the check, a service
 * {@code org.apache.felix.hc.api.HealthCheck} with the tag {@code flowbypass}, is there.
 */
@Description("A health check: whether one thing is well, and what is to be done if it is not.")
public interface HealthMXBean {
    /** Whether it is well. */
    @Description("Whether the status is OK.")
    boolean isOk();

    /** How it is. */
    @Description("OK; WARN, to be looked at; CRITICAL, it does not do what it is there for.")
    String getStatus();

    /** Why. */
    @Description("What the check found, in a sentence, and what to do about it.")
    String getMessage();
}
