// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowRecord;
import java.io.FileWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** A bundle with a flow listener, {@code log}: it appends each record to a file, and what it has taken outlives the JVM. */
public final class RecordLog implements BundleActivator, FlowListener {
    /** Its name, and the property of the framework that says where the file is. */
    static final String NAME = "log";
    /** Framework property: path of the file. */
    static final String FILE = "flowbypass.test.records";
    private volatile String file;

    @Override
    public void start(BundleContext context) {
        file = context.getProperty(FILE);
        context.registerService(FlowListener.class, this, new Hashtable<>(Map.of(FlowListener.NAME, NAME)));
    }

    @Override
    public void stop(BundleContext context) {
        // The framework takes the service back.
    }

    /** A line of it: what identifies the record, and what it counts. */
    static String line(String id, int sourcePort, long forward, long reverse, String reason) {
        return String.join(" ", id, Integer.toString(sourcePort), Long.toString(forward), Long.toString(reverse), reason);
    }

    @Override
    public void ended(List<FlowRecord> records) {
        StringBuilder lines = new StringBuilder();
        for (FlowRecord record : records) {
            lines.append(line(record.id(), record.flow().key().sourcePort(), record.flow().forward().packets(),
                    record.flow().reverse().packets(), record.reason().name())).append('\n');
        }
        try (Writer to = new FileWriter(file, true)) {
            to.write(lines.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
