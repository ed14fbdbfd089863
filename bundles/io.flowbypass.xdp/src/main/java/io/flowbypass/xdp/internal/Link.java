// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Bpf.XdpMode;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.LinkDescription;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A pinned XDP link. No descriptor of it stays open, so that whoever removes the pin takes the program off the interface,
 * with this process dead, or alive and noticing it.
 *
 * @param pin where it is, or will be, pinned
 */
record Link(Path pin) {
    static final String NATIVE = "native";
    static final String GENERIC = "generic";

    /** How a link that is attached runs its program: {@value #NATIVE} or {@value #GENERIC}. */
    static String modeOf(LinkDescription attached) {
        return Bpf.xdpPrograms(attached.interfaceIndex()).genericId() == attached.programId() ? GENERIC : NATIVE;
    }

    /** What it is now; empty when it is not pinned. */
    Optional<LinkDescription> describe() {
        try (Descriptor link = Bpf.open(pin)) {
            return Optional.of(Bpf.describeLink(link.number()));
        } catch (BpfException refused) {
            if (refused.is("ENOENT")) {
                return Optional.empty();
            }
            throw refused;
        }
    }

    /** Attaches a program; what was pinned here must have been removed before. */
    void attach(int program, int interfaceIndex, XdpMode mode) {
        try (Descriptor link = Bpf.attachXdp(program, interfaceIndex, mode)) {
            Bpf.pin(link.number(), pin);
        }
    }

    /**
     * Lets it run one of these programs, whichever it runs now, without a packet between the two: the first one that its
     * driver takes.
     *
     * @return false when it runs one of them already
     * @throws BpfException when it takes none; it runs what it ran then
     */
    boolean runOneOf(List<Integer> programs) {
        try (Descriptor link = Bpf.open(pin)) {
            int runs = Bpf.describeLink(link.number()).programId();
            if (programs.stream().anyMatch(program -> Bpf.describeProgram(program).id() == runs)) {
                return false;
            }
            BpfException first = null;
            for (int program : programs) {
                try {
                    Bpf.updateLink(link.number(), program);
                    return true;
                } catch (BpfException refused) {
                    first = first == null ? refused : first;
                }
            }
            throw first;
        }
    }

    /** Takes the program off the interface before it returns; false when there is no such pin. */
    boolean remove() throws Refusal {
        try (Descriptor link = Bpf.open(pin)) {
            Bpf.detachLink(link.number());
            return Files.deleteIfExists(pin);
        } catch (BpfException refused) {
            if (refused.is("ENOENT")) {
                return false;
            }
            throw refused;
        } catch (IOException failed) {
            throw new Refusal("The pin " + pin + " cannot be removed: " + failed.getMessage() + ".", failed);
        }
    }
}
