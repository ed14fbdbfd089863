// SPDX-License-Identifier: Apache-2.0
/** Loads the XDP program, pins it and its maps, and attaches it to interfaces. */
package io.flowbypass.xdp.internal;
