// SPDX-License-Identifier: Apache-2.0
/** Safe access to BPF maps of any tool: open, read, change, map into memory. */
@Export
@Version("1.1.0")
package io.flowbypass.maps;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
