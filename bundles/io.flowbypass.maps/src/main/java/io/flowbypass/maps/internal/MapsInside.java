// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.InnerMaps;
import java.util.Optional;

/** The maps in an ARRAY_OF_MAPS: an entry is read as the map's id and written as its descriptor. */
final class MapsInside implements InnerMaps {
    private final OpenMap map;
    private final Scratch.Pool pool = new Scratch.Pool(Integer.BYTES, Integer.BYTES);

    MapsInside(OpenMap map) {
        this.map = map;
    }

    @Override
    public Optional<BpfMap> open(int index) {
        Scratch scratch = pool.take();
        try {
            scratch.key.bytes().putInt(0, index);
            if (!map.calls().lookup(scratch.key, 0, scratch.value, 0, 0)) {
                return Optional.empty();
            }
            return Optional.of(map.owner().open(scratch.readable.getInt(0)));
        } catch (BpfException refused) {
            if (refused.is("ENOENT")) {
                // It was replaced between the two calls, and nobody else had it.
                return Optional.empty();
            }
            throw refused;
        } finally {
            pool.give(scratch);
        }
    }

    @Override
    public void update(int index, BpfMap inner) {
        if (!(inner instanceof OpenMap open)) {
            throw new IllegalArgumentException("only a map that this service opened can be put into another one");
        }
        Scratch scratch = pool.take();
        try {
            scratch.key.bytes().putInt(0, index);
            scratch.value.bytes().putInt(0, open.calls().hold());
            try {
                map.calls().update(scratch.key, 0, scratch.value, 0, Bpf.ANY);
            } finally {
                open.calls().end();
            }
        } finally {
            pool.give(scratch);
        }
    }

    @Override
    public boolean delete(int index) {
        Scratch scratch = pool.take();
        try {
            scratch.key.bytes().putInt(0, index);
            return map.calls().delete(scratch.key, 0);
        } finally {
            pool.give(scratch);
        }
    }
}
