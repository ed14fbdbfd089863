// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import javax.management.DescriptorKey;

/** Tells a JMX console what an operation does to the system. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Impact {
    /** One of the constants of {@link javax.management.MBeanOperationInfo}: INFO, ACTION or ACTION_INFO. */
    @DescriptorKey("impact")
    int value();
}
