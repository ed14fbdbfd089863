// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp;

import io.flowbypass.maps.BpfMap;
import java.util.Locale;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A native table of another layout or capacity that was moved aside: no program adds to it once those that run have ended.
 * Its flows are to become records; then it is to be {@linkplain #remove() removed}. Thread-safe.
 *
 * <p>Where things lie in its memory is asked by name. What the bits of {@code match} mean is as in this version.
 */
@ProviderType
public interface OldTable {
    /** What of {@code flowbypass.h} a record is made from; there, in small letters, each is explained. */
    enum Member {
        LAST_SEEN("records", Long.BYTES),
        PACKETS("records", Long.BYTES),
        BYTES("records", Long.BYTES),
        SEEN("records", Integer.BYTES),
        MATCH("records", Integer.BYTES),
        GENERATION("records", Integer.BYTES),
        ADDED("records", Long.BYTES),
        ADDR("info", 4 * Long.BYTES),
        PORTS("info", Long.BYTES),
        PROTO("info", Integer.BYTES),
        FORWARD("info", Byte.BYTES),
        ORIGIN("info", Byte.BYTES),
        END_REASON("info", Byte.BYTES),
        BASE_PACKETS("info", 2 * Long.BYTES),
        BASE_BYTES("info", 2 * Long.BYTES),
        ASKER("info", 0),
        RULE("info", 0),
        COOKIE("info", 0);

        private final String map;
        private final int bytes;

        Member(String map, int bytes) {
            this.map = map;
            this.bytes = bytes;
        }

        /** The map in whose values it lies. */
        public String map() {
            return map;
        }

        /** Its size; 0 for text, which may have any. */
        public int bytes() {
            return bytes;
        }

        /** Its name in C. */
        public String memberName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** The table's id. */
    long tableId();

    /** Its map {@code records}: two per slot. Owned by the data plane; do not close it. */
    BpfMap records();

    /** Its map {@code info}: one per slot. Owned by the data plane; do not close it. */
    BpfMap info();

    /** Offset of a member in a value. */
    int offset(Member member);

    /** Bytes of a member in a value. */
    int size(Member member);

    /** Removes its pins: every record that had to be taken was taken. Does nothing when the data plane is gone. */
    void remove();
}
