// SPDX-License-Identifier: Apache-2.0
/** Flows, the table of bypassed flows, and what listens to it or sweeps it. */
@Export
@Version("1.2.0")
package io.flowbypass.flow;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
