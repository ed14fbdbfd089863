// SPDX-License-Identifier: Apache-2.0
/** BPF system calls, libbpf and the few calls of libc that go with them. The only package that leads to native code. */
@Export
@Version("1.1.0")
package io.flowbypass.libbpf;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
