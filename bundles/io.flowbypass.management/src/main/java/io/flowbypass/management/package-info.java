// SPDX-License-Identifier: Apache-2.0
/** The interfaces of the MBeans, for clients that call them through {@code JMX.newMXBeanProxy}. */
@Export
@Version("1.1.0")
package io.flowbypass.management;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
