// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.util.ArrayList;
import java.util.List;

/** The product as it runs in this framework, used through its MBeans; for its services see {@link Services}. */
public final class Product implements AutoCloseable {
    /** Where the tests' pins are, as src/main/etc says. */
    public static final String PIN_ROOT = "/sys/fs/bpf/flowbypass-itests";
    /** Removes the pins once the last test is done. */
    private static final Reaper PINS = new Reaper("rm -rf " + PIN_ROOT);

    private final List<String> attached = new ArrayList<>();
    private final long bypassedBefore;

    /** Waits until everything runs. */
    public Product() {
        Root.required();
        Jmx.awaitAll();
        bypassedBefore = (Long) Jmx.attribute("FlowTable", "BypassedPackets");
    }

    /** Packets cut before this test. */
    public long bypassedBefore() {
        return bypassedBefore;
    }

    /** Attaches over JMX; {@link #close()} detaches. */
    public void attach(String cable, String mode) {
        Jmx.invoke("Xdp", "attach", cable, mode);
        attached.add(cable);
    }

    /** Detaches over JMX. */
    public void detach(String cable) {
        Jmx.invoke("Xdp", "detach", cable);
        attached.remove(cable);
    }

    @Override
    public void close() {
        List.copyOf(attached).forEach(this::detach);
        Jmx.invoke("FlowTable", "flush");
    }
}
