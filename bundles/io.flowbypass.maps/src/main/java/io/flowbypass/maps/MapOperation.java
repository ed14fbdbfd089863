// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

/** What is asked of the kernel about maps, and counted. */
public enum MapOperation {
    /** Opening a map by its pin or its id. */
    OPEN,
    /** Creating a map. */
    CREATE,
    /** Pinning a map. */
    PIN,
    /** Freezing a map. */
    FREEZE,
    /** Mapping a map into memory. */
    MMAP,
    /** Reading a value; also the next element of a QUEUE or STACK. */
    LOOKUP,
    /** Setting a value; also adding to a QUEUE or STACK. */
    UPDATE,
    /** Deleting a key. */
    DELETE,
    /** Reading and deleting a key; also taking from a QUEUE or STACK. */
    LOOKUP_AND_DELETE,
    /** Asking for the key after a key. */
    NEXT_KEY,
    /** Reading a block. */
    LOOKUP_BATCH,
    /** Reading and deleting a block. */
    LOOKUP_AND_DELETE_BATCH,
    /** Setting the values of a block. */
    UPDATE_BATCH,
    /** Deleting the keys of a block. */
    DELETE_BATCH,
    /** Listing the maps of this machine. */
    LIST,
    /** Waiting for data, or for running programs. */
    WAIT
}
