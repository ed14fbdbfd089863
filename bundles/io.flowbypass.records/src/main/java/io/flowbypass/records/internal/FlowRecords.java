// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.records.internal;

import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.xdp.Attachment;
import io.flowbypass.xdp.DataPlane;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * The flow listener {@code records}: it has taken a record once that is a line in the file. Every five seconds it looks for flows
 * that began or are due for an update, whose records are best effort.
 */
@Component(service = FlowListener.class, immediate = true, configurationPid = FlowRecords.PID,
        property = FlowListener.NAME + "=" + FlowRecords.NAME)
@Designate(ocd = FlowRecords.Config.class)
public final class FlowRecords implements FlowListener {
    static final String PID = "io.flowbypass.records";
    /** What {@code durable.listeners} calls it. */
    static final String NAME = "records";

    /** What an operator can set. */
    @ObjectClassDefinition(name = "Flowbypass flow records",
            description = "A line of JSON for each flow that is bypassed, goes on, and ends.")
    public @interface Config {
        /** Path. */
        @AttributeDefinition(name = "File", description = "The file, whose directory is made where there is none; a relative"
                + " path begins where Flowbypass was started. Empty: no file.")
        String file() default Settings.FILE;

        /** Size. */
        @AttributeDefinition(name = "Rotate by size", min = "65536", max = "1099511627776",
                description = "A record that would make the file larger than this many bytes goes into the next one.")
        long rotate_bytes() default Settings.ROTATE_BYTES;

        /** Age. */
        @AttributeDefinition(name = "Rotate by age", min = "0", max = "31536000",
                description = "A file has records of one period of this many seconds; periods begin with 1970, UTC. 0: of"
                        + " any age.")
        int rotate_seconds() default Settings.ROTATE_SECONDS;

        /** Number. */
        @AttributeDefinition(name = "Kept files", min = "1", max = "1000",
                description = "How many files are kept beside the one that is written.")
        int kept_files() default Settings.KEPT_FILES;

        /** Updates. */
        @AttributeDefinition(name = "Update interval", min = "0", max = "86400",
                description = "A flow that goes on has a record each time it is this many seconds older. 0: neither these,"
                        + " nor records of flows that begin.")
        int update_seconds() default Settings.UPDATE_SECONDS;

        /** Seed. */
        @AttributeDefinition(name = "Community ID seed", min = "0", max = "65535",
                description = "The seed of the field community_id: the one that the monitor has.")
        int community_id_seed() default 0;

        /** Events. */
        @AttributeDefinition(name = "OSGi events",
                description = "Whether each record is also an event of the EventAdmin, io/flowbypass/record/ and START,"
                        + " UPDATE or END.")
        boolean events_enabled() default false;
    }

    private static final Logger LOG = System.getLogger(FlowRecords.class.getName());
    private static final Path HOST = Path.of("/proc/sys/kernel/hostname");
    private static final long LOOK_SECONDS = 5;

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    private volatile FlowTable table;
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    private volatile DataPlane dataPlane;

    private final Looks looks = new Looks();
    private final ScheduledExecutorService looking = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "flowbypass-records");
        thread.setDaemon(true);
        return thread;
    });
    /** Of the one interface, as the last look found it: asking may take long while another one is attached. */
    private volatile String interfaceName = "";
    /** The lock of all below, held while the file is written. */
    private final Object lock = new Object();
    private Settings settings = Settings.SHIPPED;
    private RecordFile file;
    private Events events;
    private Output output;
    private Fields fields;
    private boolean stopped;
    /** The batch that did not get into the file as a whole, and how many of its records did. */
    private List<FlowRecord> begun;
    private int written;

    private String host;

    @Activate
    void activate(BundleContext context, Config config) {
        host = host();
        events = new Events(context);
        synchronized (lock) {
            Settings first = Settings.of(config, settings);
            RecordFile made = fileOf(first);
            if (made != null) {
                try {
                    made.append(new byte[0]);
                } catch (IOException told) {
                    LOG.log(Level.DEBUG, "the first record tries again", told);
                }
            }
            use(first, made);
        }
        looking.scheduleWithFixedDelay(this::look, 0, LOOK_SECONDS, TimeUnit.SECONDS);
    }

    @Modified
    void modified(Config config) {
        synchronized (lock) {
            Settings wanted = Settings.of(config, settings);
            RecordFile made = fileOf(wanted);
            try {
                if (made != null && !wanted.file().equals(settings.file())) {
                    made.open();
                }
            } catch (IOException e) {
                Settings.refuse("file", "file = " + wanted.file() + " in " + PID + " cannot be written: "
                        + RecordFile.why(e), settings.file());
                wanted = wanted.withFile(settings.file());
                made = fileOf(wanted);
            }
            if (file != null) {
                file.close();
            }
            use(wanted, made);
        }
    }

    private static RecordFile fileOf(Settings of) {
        return of.file().isEmpty() ? null : new RecordFile(Path.of(of.file()), of.rotateBytes(), of.rotateSeconds(),
                of.keptFiles(), InstantSource.system());
    }

    private void use(Settings wanted, RecordFile made) {
        settings = wanted;
        file = made;
        fields = new Fields(host, wanted.communityIdSeed(), ZoneId.systemDefault());
        output = new Output(made, wanted.eventsEnabled() ? events : null);
    }

    @Deactivate
    void deactivate() {
        looking.shutdownNow();
        synchronized (lock) {
            stopped = true;
            if (file != null) {
                file.close();
            }
        }
        events.close();
    }

    private static String host() {
        try {
            return Files.readString(HOST).strip();
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the name of this machine is not known: its records have the host localhost", e);
            return "localhost";
        }
    }

    @Override
    public void ended(List<FlowRecord> records) {
        synchronized (lock) {
            if (stopped) {
                throw new IllegalStateException("the bundle " + PID + " was stopped");
            }
            // The same batch again: what is in the file already is not written twice.
            written = records == begun ? written : 0;
            begun = records;
            try {
                while (written < records.size()) {
                    int next = written;
                    Instant now = Instant.now();
                    while (next < records.size() && !output.isFull()) {
                        output.add(fields.ended(records.get(next), interfaceName, now));
                        next++;
                    }
                    output.flush();
                    written = next;
                }
            } catch (IOException e) {
                throw new UncheckedIOException(records.size() - written + " flow records are not written", e);
            } catch (RuntimeException | Error e) { // what was added comes again with the batch
                output.clear();
                throw e;
            }
            begun = null;
        }
    }

    private void look() {
        try {
            interfaceName = onlyInterface(dataPlane);
            FlowTable current = table;
            int seconds;
            synchronized (lock) {
                seconds = output.leadsSomewhere() ? settings.updateSeconds() : 0;
            }
            if (current != null && seconds > 0) {
                looks.look(current, System.nanoTime(), TimeUnit.SECONDS.toNanos(seconds), this::found);
                synchronized (lock) {
                    flush();
                }
            }
        } catch (IllegalStateException gone) {
            LOG.log(Level.DEBUG, "the table or the data plane left", gone);
        } catch (RuntimeException | Error e) { // one that came through would end the looks
            LOG.log(Level.WARNING, "some records of flows that began or go on are missing", e);
        }
    }

    private void found(String event, FlowState flow) {
        synchronized (lock) {
            try {
                output.add(fields.of(event, flow, interfaceName, Instant.now()));
            } catch (RuntimeException | Error e) { // half a line must not come before the next one
                output.clear();
                throw e;
            }
            if (output.isFull()) {
                flush();
            }
        }
    }

    private void flush() {
        if (stopped) {
            return;
        }
        try {
            output.flush();
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "records of flows that began or go on are lost", e);
        }
    }

    /** Several: a flow is cut on each of them. */
    private static String onlyInterface(DataPlane from) {
        if (from == null) {
            return "";
        }
        List<String> attached = from.attachments().stream().filter(Attachment::attached).map(Attachment::interfaceName)
                .toList();
        return attached.size() == 1 ? attached.get(0) : "";
    }
}
