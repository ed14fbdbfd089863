// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.ElementQueue;
import java.util.Optional;

/** The elements of a QUEUE or STACK, through a codec. */
final class Elements<V> implements ElementQueue<V> {
    /** The kernel wants no key at all where the map has none. */
    private static final NativeBuffer NO_KEY = NativeBuffer.allocate(0);

    private final OpenMap map;
    private final Codec<V> value;
    private final Scratch.Pool pool;

    Elements(OpenMap map, Codec<V> value) {
        this.map = map;
        this.value = value;
        this.pool = new Scratch.Pool(0, map.info().valueSize());
    }

    @Override
    public void push(V element) {
        push(element, Bpf.ANY);
    }

    @Override
    public void pushOver(V element) {
        push(element, Bpf.EXIST);
    }

    private void push(V element, long flags) {
        Scratch scratch = pool.take();
        try {
            value.write(element, scratch.value.bytes(), 0);
            map.calls().update(NO_KEY, 0, scratch.value, 0, flags);
        } finally {
            pool.give(scratch);
        }
    }

    @Override
    public Optional<V> pop() {
        Scratch scratch = pool.take();
        try {
            return map.calls().lookupAndDelete(NO_KEY, 0, scratch.value, 0, 0)
                    ? Optional.of(value.read(scratch.readable, 0)) : Optional.empty();
        } finally {
            pool.give(scratch);
        }
    }

    @Override
    public Optional<V> peek() {
        Scratch scratch = pool.take();
        try {
            return map.calls().lookup(NO_KEY, 0, scratch.value, 0, 0)
                    ? Optional.of(value.read(scratch.readable, 0)) : Optional.empty();
        } finally {
            pool.give(scratch);
        }
    }
}
