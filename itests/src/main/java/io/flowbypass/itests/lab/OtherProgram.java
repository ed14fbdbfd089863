// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** An XDP program, named emit, that somebody else has on an interface; it passes its first {@value #PASSES} packets. */
public final class OtherProgram implements AutoCloseable {
    /** As many records of 4 bytes, and 8 more each, fit into its ring. */
    public static final int PASSES = 200;

    private static final String FILE = "/maps.bpf.o";

    private final BpfObject object;

    /** Loads it. */
    public OtherProgram() {
        try (InputStream file = OtherProgram.class.getResourceAsStream(FILE)) {
            object = BpfObject.open(FILE, file.readAllBytes());
        } catch (IOException e) {
            throw new IllegalStateException(FILE, e);
        }
        try {
            object.load();
            // struct order { number; length; discard; }
            Bpf.update(object.mapDescriptor("orders"), new byte[Integer.BYTES],
                    ByteBuffer.allocate(12).order(ByteOrder.nativeOrder()).putInt(4, 4).array());
        } catch (RuntimeException e) {
            object.close();
            throw e;
        }
    }

    /** Its descriptor. */
    public int program() {
        return object.programDescriptor("emit");
    }

    /** The kernel's id of it. */
    public int id() {
        return Bpf.describeProgram(program()).id();
    }

    /** Its id and name, as a refusal tells them. */
    public String named() {
        return "id " + id() + ", named emit";
    }

    @Override
    public void close() {
        object.close();
    }
}
