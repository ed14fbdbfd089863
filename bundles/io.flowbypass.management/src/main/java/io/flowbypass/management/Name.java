// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import javax.management.DescriptorKey;

/** Tells a JMX console the name of a parameter; without it, it would show {@code p0}. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.PARAMETER)
public @interface Name {
    /** The name. */
    @DescriptorKey("name")
    String value();
}
