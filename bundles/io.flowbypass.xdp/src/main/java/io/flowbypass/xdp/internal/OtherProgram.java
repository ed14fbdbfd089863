// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Bpf.XdpMode;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.XdpPrograms;
import java.util.Optional;

/**
 * A program that is where ours is to be attached.
 *
 * @param id the kernel's
 * @param name as bpftool shows it; empty when it cannot be asked for, which needs CAP_SYS_ADMIN
 * @param mode how it is attached
 */
record OtherProgram(int id, String name, XdpMode mode) {
    /** How ours is attached in its place. */
    interface Attaching {
        void attach() throws Refusal;
    }

    /** The one on an interface, which has one at most. */
    static Optional<OtherProgram> on(int interfaceIndex) {
        XdpPrograms programs = Bpf.xdpPrograms(interfaceIndex);
        XdpMode mode = programs.nativeId() != 0 ? XdpMode.NATIVE : XdpMode.GENERIC;
        int id = mode == XdpMode.NATIVE ? programs.nativeId() : programs.genericId();
        return id == 0 ? Optional.empty() : Optional.of(new OtherProgram(id, nameOf(id), mode));
    }

    private static String nameOf(int id) {
        try (Descriptor program = Bpf.openProgram(id)) {
            return Bpf.describeProgram(program.number()).name();
        } catch (BpfException unknown) {
            return "";
        }
    }

    @Override
    public String toString() {
        return "id " + id + (name.isEmpty() ? "" : ", named " + name);
    }

    /**
     * Takes it off an interface, and puts it back when ours is refused.
     *
     * @throws Refusal when it cannot be taken off, or ours is refused
     */
    void replace(String interfaceName, int interfaceIndex, Attaching ours) throws Refusal {
        try (Descriptor program = takeOff(interfaceName, interfaceIndex)) {
            try {
                ours.attach();
            } catch (Refusal | RuntimeException refused) {
                putBack(program, interfaceName, interfaceIndex, refused);
                throw refused;
            }
        }
    }

    private Descriptor takeOff(String interfaceName, int interfaceIndex) throws Refusal {
        Descriptor program = null;
        try {
            program = Bpf.openProgram(id);
            Bpf.detachXdpWithoutLink(program.number(), interfaceIndex, mode);
            return program;
        } catch (BpfException refused) {
            if (program != null) {
                program.close();
            }
            throw new Refusal("Another XDP program, " + this + ", is on " + interfaceName + ", and cannot be taken off: "
                    + (refused.is("EBUSY") ? "a BPF link attaches it, so end the program that made the link (bpftool link"
                    + " shows it)." : refused.getMessage() + ". Detach it first."), refused);
        }
    }

    private void putBack(Descriptor program, String interfaceName, int interfaceIndex, Exception why) throws Refusal {
        try {
            Bpf.attachXdpWithoutLink(program.number(), interfaceIndex, mode);
        } catch (BpfException refused) {
            throw new Refusal(why.getMessage() + " And the XDP program " + this + ", which was taken off " + interfaceName
                    + " for it, cannot be put back: " + refused.getMessage(), why);
        }
    }
}
