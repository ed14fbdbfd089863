// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import org.osgi.annotation.bundle.Requirement;
import org.osgi.framework.Bundle;
import org.osgi.framework.wiring.BundleWiring;

/**
 * The compiled program, from the bundle that this one is wired to.
 *
 * @param content the object file
 * @param abiHash digest of the header that says how the maps' memory is laid out
 */
@Requirement(namespace = ProgramFile.CAPABILITY, filter = "(abi=2)")
record ProgramFile(byte[] content, long abiHash) {
    static final String CAPABILITY = "io.flowbypass.bpf";
    static final String NAME = "flowbypass.bpf.o";
    private static final String PROPERTIES = "flowbypass.bpf.properties";
    private static final int HEXADECIMAL = 16;

    /** Reads it from the bundle that provides what {@code own} requires. */
    static ProgramFile of(Bundle own) throws Refusal {
        Bundle provider = own.adapt(BundleWiring.class).getRequiredWires(CAPABILITY).get(0).getProvider().getBundle();
        try (InputStream object = provider.getEntry(NAME).openStream();
                InputStream properties = provider.getEntry(PROPERTIES).openStream()) {
            return read(object, properties);
        } catch (IOException | IllegalArgumentException broken) {
            throw new Refusal("The bundle " + provider.getSymbolicName() + " cannot be read: " + broken.getMessage()
                    + ". Install it again.", broken);
        }
    }

    /** What a map is called in the object: config is a section of it (maps.h). */
    static String map(String pin) {
        return pin.equals(Pins.CONFIG) ? ".data.config" : pin;
    }

    static ProgramFile read(InputStream object, InputStream properties) throws IOException {
        Properties facts = new Properties();
        facts.load(properties);
        return new ProgramFile(object.readAllBytes(),
                Long.parseUnsignedLong(facts.getProperty("abi.hash"), HEXADECIMAL));
    }
}
