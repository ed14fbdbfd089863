// SPDX-License-Identifier: Apache-2.0
/** The flows in the tables of other tools, for whoever shows them. */
@Export
@Version("1.0.0")
package io.flowbypass.classic;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
