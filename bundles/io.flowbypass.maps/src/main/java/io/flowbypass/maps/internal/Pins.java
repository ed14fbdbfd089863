// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.Host;
import java.nio.file.Files;
import java.nio.file.Path;

/** Why a path is no pin, or cannot become one: the kernel says EPERM or EACCES to much of it. */
final class Pins {
    private Pins() {
    }

    static BpfException explained(BpfException refused, Path path) {
        if (Files.isDirectory(path)) {
            return new BpfException(refused.operation(), refused.error(), "it is a directory, and no pin");
        }
        Path directory = path.toAbsolutePath().getParent();
        if (refused.is("ENOENT") || directory == null || !Files.isDirectory(directory)) {
            return refused;
        }
        if (!Host.isOnBpfFileSystem(directory)) {
            return new BpfException(refused.operation(), refused.error(),
                    directory + " is not on a bpf file system, which is where pins are: /sys/fs/bpf, usually");
        }
        if (refused.is("EPERM") && path.getFileName().toString().contains(".")) {
            return new BpfException(refused.operation(), refused.error(), "a pin's name has no dots");
        }
        return refused;
    }
}
