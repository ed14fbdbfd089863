// SPDX-License-Identifier: Apache-2.0
/** Native methods and error numbers. */
package io.flowbypass.libbpf.internal;
