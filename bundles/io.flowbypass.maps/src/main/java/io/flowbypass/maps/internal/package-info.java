// SPDX-License-Identifier: Apache-2.0
/** The map-access service. */
package io.flowbypass.maps.internal;
