// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import io.flowbypass.libbpf.BpfException;
import java.nio.file.Path;
import org.osgi.annotation.versioning.ProviderType;

/**
 * An open BPF map, and the views through which its content is used.
 *
 * <p>Thread-safe. Whatever asks the kernel throws {@link IllegalStateException} once the map is closed, and
 * {@link BpfException} when the kernel refuses; {@link UnsupportedOperationException} says what maps of this type do not
 * have. A view keeps the map from being taken for forgotten.
 */
@ProviderType
public interface BpfMap extends AutoCloseable {
    /** What the kernel said of this map when it was opened. */
    MapInfo info();

    /** The descriptor, for a library call that needs one; owned by this object, valid until it is closed. */
    int descriptor();

    /**
     * Its entries; of a map that has one value under a key.
     *
     * @throws IllegalArgumentException when a codec has another size than the map, naming both
     */
    <K, V> TypedMap<K, V> typed(Codec<K> key, Codec<V> value);

    /**
     * Its entries; of a map that has a value for each CPU under a key.
     *
     * @param value for one CPU's value
     * @throws IllegalArgumentException when a codec has another size than the map, naming both
     */
    <K, V> TypedMap<K, PerCpu<V>> perCpu(Codec<K> key, Codec<V> value);

    /**
     * Its elements; of a QUEUE or a STACK.
     *
     * @throws IllegalArgumentException when the codec has another size than the map, naming both
     */
    <V> ElementQueue<V> queue(Codec<V> value);

    /** Its records; of a RINGBUF of at most 512 MiB. To be closed when reading ends. */
    RingBuffer ringBuffer();

    /** Its maps; of an ARRAY_OF_MAPS. */
    InnerMaps innerMaps();

    /**
     * Forbids user space all changes of this map from now on, for all processes and for good; programs go on changing it.
     *
     * @throws UnsupportedFeatureException before Linux 5.2
     */
    void freeze();

    /** Pins this map with mode 0600; the parent directory must be on a bpf file system. */
    void pin(Path path);

    /**
     * Maps an ARRAY made with {@code BPF_F_MMAPABLE} into memory, for reading and writing.
     *
     * @param gate the gate through which the mapping is used and closed; made by {@link MapService#newGate()}
     * @throws UnsupportedOperationException when this map cannot be mapped
     * @throws IllegalStateException when the gate is closed
     */
    Mapping map(Gate gate);

    /**
     * Closes the descriptor, once the calls under way have returned, and the readers of its ring, see
     * {@link RingBuffer#close()}. Its mappings stay until their gate closes.
     */
    @Override
    void close();
}
