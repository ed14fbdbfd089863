// SPDX-License-Identifier: Apache-2.0
/** What an expiry policy implements, and what helps it. */
@Export
@Version("1.1.0")
package io.flowbypass.policy;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
