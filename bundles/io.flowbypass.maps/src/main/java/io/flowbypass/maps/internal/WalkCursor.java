// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.CursorLostException;
import io.flowbypass.maps.LostCursor;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.Way;
import java.nio.ByteBuffer;

/**
 * A walk by {@code bpf_map_get_next_key}. Its keys lie in a ring; the one that comes next is asked for before the pending
 * one is given:
 *
 * <pre>
 *     ... | given | given | pending | following | ...       and one more place, to ask a second time
 *           \__ previous keys __/
 * </pre>
 *
 * <p>The kernel's answer for {@code following} counts only if the pending key was there when it was asked. So the pending
 * key is looked up afterwards, which its value needs anyway: what is gone then may have been gone before, and
 * {@code following} may be the first key of the map.
 *
 * <p>Where others change the map, that is not all. A deleted entry's memory is used again at once, for another key, in
 * another bucket: a kernel that was about to go on from it, or to copy its key, and was interrupted, goes on there and skips
 * what lies between. Nothing tells from one answer that this happened, so it is asked for twice, and believed when it comes
 * twice.
 */
final class WalkCursor<K, V> extends EntryCursor<K, V> {
    /** Places of the ring: the pending key, the following one, and the previous ones that {@link LostCursor} promises. */
    private static final int RING = 256;
    /** Before the first key. */
    private static final int NOWHERE = -1;
    private static final int STEPS_PER_ENTRY = 8;
    private static final int MORE_STEPS = 10_000;

    private final MapInfo info;
    private final LostCursor choice;
    private final boolean indexed;
    private final NativeBuffer keys;
    private final SeenKeys seen;
    private long stepsLeft;
    private int pending;
    private int previous;
    private boolean started;
    private boolean more;

    WalkCursor(OpenMap map, EntryForm<K, V> form, LostCursor choice) {
        super(map, form);
        this.info = map.info();
        this.choice = choice;
        this.indexed = TypeRules.isIndexed(info.type());
        this.keys = NativeBuffer.allocate(Math.multiplyExact(RING + 1, form.keySize()));
        this.seen = choice == LostCursor.CONTINUE && !indexed ? new SeenKeys(form.keySize()) : null;
        this.stepsLeft = STEPS_PER_ENTRY * info.capacity() + MORE_STEPS;
    }

    @Override
    public boolean next() {
        standNowhere();
        if (!started) {
            started = true;
            more = first();
        }
        while (more) {
            int following = after(pending);
            boolean another = successor(pending, following);
            if (!isThere(pending, following, another)) {
                if (indexed) {
                    step(following, another);
                } else {
                    recover();
                }
            } else if (indexed || isConfirmed(pending, following, another)) {
                int present = pending;
                step(following, another);
                if (seen == null || seen.add(keys.bytes(), at(present))) {
                    standOn(keys, at(present));
                    return true;
                }
            }
        }
        return false;
    }

    @Override
    public Way way() {
        return Way.WALK;
    }

    /** Moves on; the key that was pending is the newest of the previous ones. */
    private void step(int following, boolean another) {
        pending = following;
        more = another;
        previous = Math.min(previous + 1, RING - 2);
    }

    private boolean successor(int of, int into) {
        if (--stepsLeft < 0) {
            throw new CursorLostException("the walk over the map " + info.name() + " did not end after " + STEPS_PER_ENTRY
                    + " times its " + info.capacity() + " entries and " + MORE_STEPS
                    + " steps more: its keys change faster than they can be read; walk when less is going on");
        }
        return calls.nextKey(of == NOWHERE ? null : keys, of == NOWHERE ? 0 : at(of), keys, at(into));
    }

    /**
     * Whether a key was there when its successor was asked for; reads its value. A trie finds a value for a key that is not
     * there, that of a shorter prefix; but only such a key is followed by the first one.
     */
    private boolean isThere(int of, int following, boolean another) {
        return calls.lookup(keys, at(of), values, 0, form.flags()) && (info.type() != MapType.LPM_TRIE || !another
                || !successor(NOWHERE, RING) || !isSame(at(following), at(RING)));
    }

    /** Whether the kernel gives the same answer again. */
    private boolean isConfirmed(int of, int following, boolean another) {
        boolean again = successor(of, RING);
        return again == another && (!again || isSame(at(following), at(RING)));
    }

    private boolean isSame(int one, int other) {
        ByteBuffer bytes = keys.bytes();
        for (int i = 0; i < form.keySize(); i++) {
            if (bytes.get(one + i) != bytes.get(other + i)) {
                return false;
            }
        }
        return true;
    }

    /** Goes to the first key. */
    private boolean first() {
        pending = 0;
        previous = 0;
        boolean any;
        do {
            any = successor(NOWHERE, pending);
        } while (!indexed && !isConfirmed(NOWHERE, pending, any));
        return any;
    }

    /** Somebody else deleted the pending key. */
    private void recover() {
        if (choice == LostCursor.FAIL) {
            throw lost();
        }
        while (previous > 0) {
            int last = (pending + RING - 1) % RING;
            boolean another = successor(last, pending);
            if (isThere(last, pending, another)) {
                if (isConfirmed(last, pending, another)) {
                    more = another;
                    return;
                }
            } else {
                pending = last;
                previous--;
            }
        }
        more = first();
    }

    private int at(int place) {
        return place * form.keySize();
    }

    private static int after(int place) {
        return (place + 1) % RING;
    }
}
