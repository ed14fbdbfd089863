// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfObject;
import io.flowbypass.libbpf.Descriptor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;

/** The XDP program on the maps of the product, but slow between finding a packet's flow and counting it there. */
public final class SlowProgram implements AutoCloseable {
    private static final String FILE = "/slow.bpf.o";

    private final BpfObject object;

    /** Loads it. */
    public SlowProgram() {
        try (InputStream file = SlowProgram.class.getResourceAsStream(FILE)) {
            object = BpfObject.open(FILE, file.readAllBytes());
        } catch (IOException e) {
            throw new IllegalStateException(FILE, e);
        }
        try {
            for (String map : new String[] {"index", "records", "info", "config", "verdicts"}) {
                try (Descriptor pinned = Bpf.open(Path.of(Product.PIN_ROOT, map))) {
                    pinned.run(number -> object.reuse(map.equals("config") ? ".data.config" : map, number));
                }
            }
            object.load();
        } catch (RuntimeException e) {
            object.close();
            throw e;
        }
    }

    /** Its descriptor, for test runs. */
    public int program() {
        return object.programDescriptor("flowbypass");
    }

    @Override
    public void close() {
        object.close();
    }
}
