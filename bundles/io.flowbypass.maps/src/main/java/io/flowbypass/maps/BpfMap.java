// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import io.flowbypass.libbpf.BpfException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * An open BPF map. Keys and values are byte arrays of the map's sizes, in the byte order that the map's owner uses.
 *
 * <p>Thread-safe. Every method but {@link #close()} throws {@link IllegalStateException} once the map is closed, and
 * {@link BpfException} when the kernel refuses the call.
 */
@ProviderType
public interface BpfMap extends AutoCloseable {
    /** What the kernel says of this map. */
    MapInfo info();

    /** The descriptor, for a library call that needs one; owned by this object, valid until it is closed. */
    int descriptor();

    /**
     * The value of a key, or empty when it is not there. Not for per-CPU maps.
     *
     * @throws IllegalArgumentException when the key has another size than the map's
     */
    Optional<byte[]> lookup(byte[] key);

    /** The values of a key, one per possible CPU; empty when it is not there. Per-CPU maps only. */
    List<byte[]> lookupPerCpu(byte[] key);

    /** Sets the value of a key, whether it is there or not; in a per-CPU map, that of every CPU. */
    void update(byte[] key, byte[] value);

    /** Takes a key out; false when it was not there. */
    boolean delete(byte[] key);

    /** Pins this map; the parent directory must be on a bpf file system. */
    void pin(Path path);

    /**
     * Maps an ARRAY made with {@code BPF_F_MMAPABLE} into memory, for reading and writing.
     *
     * @param gate the gate through which the mapping is used and closed; made by {@link MapService#newGate()}
     * @throws IllegalArgumentException when this map cannot be mapped
     * @throws IllegalStateException when the gate is closed
     */
    Mapping map(Gate gate);

    /** Closes the descriptor. Its mappings stay until their gate closes. */
    @Override
    void close();
}
