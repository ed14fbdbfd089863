// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.policy;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.osgi.service.component.annotations.ComponentPropertyType;

/** Component property {@code flowbypass.policy.name}: the name by which operators select a policy; no comma in it. */
@ComponentPropertyType
@Retention(RetentionPolicy.CLASS)
@Target(ElementType.TYPE)
public @interface PolicyName {
    /** Property prefix. */
    String PREFIX_ = "flowbypass.";

    /** The name, such as {@code idle}. */
    String value();
}
