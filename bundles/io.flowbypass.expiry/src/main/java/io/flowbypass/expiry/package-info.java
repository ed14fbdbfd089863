// SPDX-License-Identifier: Apache-2.0
/** The engine that sweeps the flow tables by the active policies. */
@Export
@Version("1.0.0")
package io.flowbypass.expiry;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
