// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal.chaos;

import io.flowbypass.flow.FlowTable;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.SynchronousBundleListener;
import org.osgi.framework.startlevel.FrameworkStartLevel;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;

/**
 * The socket to the scenario, in a Flowbypass that the scenario has started. When the scenario is gone, this JVM ends at once.
 * Thread-safe.
 */
@Component(service = Line.class, immediate = true, configurationPid = Line.PID,
        configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class Line {
    /** What the scenario configures here. */
    static final String PID = "io.flowbypass.bench.load";
    private static final String LOADER = "io.flowbypass.xdp";
    private static final int BATCH = 4096;
    private static final long START_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    /** What the scenario says. */
    @interface Config {
        /** Path of its socket. */
        String socket();

        /** Flows that are bypassed all the time. */
        int residents();

        /** Flows that come and go. */
        int flows();

        /** Of what is random. */
        int seed();
    }

    private final Config config;
    private final SocketChannel socket;
    private final ByteBuffer buffer = Message.buffer(BATCH);
    private volatile long loaderStarted;
    private volatile long tableThere;
    private volatile Consumer<Byte> answer = request -> { };

    /** Connects. */
    @Activate
    public Line(BundleContext context, Config config) throws IOException, InvalidSyntaxException {
        this.config = config;
        context.addBundleListener((SynchronousBundleListener) event -> {
            if (event.getType() == BundleEvent.STARTING && LOADER.equals(event.getBundle().getSymbolicName())) {
                loaderStarted = System.nanoTime();
            }
        });
        context.addServiceListener(event -> {
            if (event.getType() == ServiceEvent.REGISTERED) {
                tableThere = System.nanoTime();
            }
        }, "(objectClass=" + FlowTable.class.getName() + ")");
        try {
            socket = SocketChannel.open(StandardProtocolFamily.UNIX);
            socket.connect(UnixDomainSocketAddress.of(config.socket()));
        } catch (IOException gone) {
            halt();
            throw gone;
        }
        Thread reader = new Thread(this::read, "scenario");
        reader.setDaemon(true);
        reader.start();
    }

    Config config() {
        return config;
    }

    /** How long it took from the start of the loader until there was a table, with all that was pinned adopted; 0: unknown. */
    long adoptionMillis() {
        return loaderStarted == 0 ? 0 : TimeUnit.NANOSECONDS.toMillis(tableThere - loaderStarted);
    }

    /** Who answers what the scenario asks, on a thread of this line. */
    void onRequest(Consumer<Byte> who) {
        answer = who;
    }

    /** Sends messages; returns once they cannot be lost any more. */
    synchronized void send(Iterable<Message> messages) {
        for (Message message : messages) {
            message.writeTo(buffer);
            if (!buffer.hasRemaining()) {
                flush();
            }
        }
        flush();
    }

    private void flush() {
        buffer.flip();
        try {
            while (buffer.hasRemaining()) {
                socket.write(buffer);
            }
        } catch (IOException gone) {
            halt();
        }
        buffer.clear();
    }

    private void read() {
        ByteBuffer request = ByteBuffer.allocate(1);
        try {
            while (socket.read(request) > 0) {
                if (request.get(0) == Message.ASK_HEAP) {
                    send(List.of(Message.of(Message.HEAP, heapAfterCollection(),
                            ManagementFactory.getThreadMXBean().getThreadCount())));
                } else {
                    answer.accept(request.get(0));
                }
                request.clear();
            }
        } catch (IOException gone) {
            // As when it ends.
        }
        halt();
    }

    /** Once all bundles have started: what they open at their start is no leak. */
    private static long heapAfterCollection() {
        BundleContext framework = FrameworkUtil.getBundle(Line.class).getBundleContext().getBundle(0).getBundleContext();
        int last = Integer.parseInt(framework.getProperty(Constants.FRAMEWORK_BEGINNING_STARTLEVEL));
        long end = System.nanoTime() + START_NANOS;
        while (framework.getBundle().adapt(FrameworkStartLevel.class).getStartLevel() < last && System.nanoTime() - end < 0) {
            LockSupport.parkNanos(LOOK_NANOS);
        }
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static void halt() {
        Runtime.getRuntime().halt(1);
    }
}
