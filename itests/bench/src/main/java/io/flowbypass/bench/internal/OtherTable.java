// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;

/**
 * A table of another capacity in the place of the one that this Flowbypass has, which stays pinned and is adopted again in the end.
 * Its capacity needs a restart of what uses it: the bundle of the loader is stopped and started. For one thread.
 */
final class OtherTable implements AutoCloseable {
    private static final String LOADER = "io.flowbypass.xdp";
    private static final String CAPACITY = "capacity";
    private static final String NAME = "other-table";

    private final Run run;
    private final Configurations configurations;
    private final Bundle loader;
    private final Object capacityBefore;

    OtherTable(Run run, BundleContext context, Configurations configurations, int capacity) throws IOException {
        this.run = run;
        this.configurations = configurations;
        loader = Stream.of(context.getBundles()).filter(bundle -> LOADER.equals(bundle.getSymbolicName())).findFirst()
                .orElseThrow();
        capacityBefore = restart(pins(), capacity);
    }

    Path pins() {
        return run.pins().resolveSibling(NAME);
    }

    private Object restart(Path pins, Object capacity) throws IOException {
        try {
            loader.stop(Bundle.STOP_TRANSIENT);
            Map<String, Object> before =
                    configurations.set(LOADER, Map.of("pin.root", pins.toString(), CAPACITY, capacity.toString()));
            loader.start(Bundle.START_TRANSIENT);
            return before.get(CAPACITY);
        } catch (BundleException e) {
            throw new IOException("The bundle " + LOADER + " cannot be restarted: " + e.getMessage(), e);
        }
    }

    /** Puts the one before back in its place, and removes this one. */
    @Override
    public void close() throws IOException {
        restart(run.pins(), capacityBefore);
        Shell.run("rm -rf " + pins());
    }
}
