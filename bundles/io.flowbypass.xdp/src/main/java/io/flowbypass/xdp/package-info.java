// SPDX-License-Identifier: Apache-2.0
/** The XDP program and its maps, loaded and attached. */
@Export
@Version("1.2.0")
package io.flowbypass.xdp;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
