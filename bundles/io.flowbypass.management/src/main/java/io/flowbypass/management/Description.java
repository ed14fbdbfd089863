// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import javax.management.DescriptorKey;

/** Tells a JMX console what an MBean, an attribute, an operation or a parameter is. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD, ElementType.PARAMETER})
public @interface Description {
    /** What it is, in a sentence. */
    @DescriptorKey("description")
    String value();

    /** Unit of an attribute's or parameter's value, such as {@code packets}; empty for none. */
    @DescriptorKey("units")
    String unit() default "";
}
