// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A table is moved aside, and removed there, with an end in the middle; on files, which are moved and removed like pins. */
class PinsTest {
    @TempDir
    Path root;
    private Pins pins;
    private Path obstacle;

    @BeforeEach
    void pinATable() throws IOException {
        pins = new Pins(root);
        for (String name : Pins.MAPS) {
            Files.createFile(pins.map(name));
        }
        obstacle = pins.oldMap("info").resolve("obstacle");
    }

    @Test
    void shouldMoveWhatHasToBeDrained() throws IOException {
        pins.moveAside();
        assertThat(pins.hasOld()).isTrue();
        assertThat(pins.oldMap("records")).exists();
        assertThat(pins.oldMap("info")).exists();
        pins.resumeOld();
        assertThat(pins.hasOld()).as("it stays until it is removed").isTrue();
        pins.removeOld();
        assertThat(root.resolve("old")).doesNotExist();
        pins.resumeOld();
        assertThat(root.resolve("old")).doesNotExist();
    }

    @Test
    void shouldGoOnWithAMoveThatEndedInTheMiddle() throws IOException {
        Files.createDirectories(obstacle);
        assertThatThrownBy(pins::moveAside).isInstanceOf(IOException.class);
        assertThat(pins.hasOld()).as("not before all are moved").isFalse();
        Files.delete(obstacle);
        Files.delete(pins.oldMap("info"));
        pins.resumeOld();
        assertThat(pins.hasOld()).isTrue();
        assertThat(pins.oldMap("info")).isRegularFile();
        assertThat(pins.missing()).isNotEmpty();
    }

    @Test
    void shouldGoOnWithARemovalThatEndedInTheMiddle() throws IOException {
        pins.moveAside();
        Files.delete(pins.oldMap("info"));
        Files.createDirectories(obstacle);
        assertThatThrownBy(pins::removeOld).isInstanceOf(IOException.class);
        assertThat(pins.oldMap("records")).as("what tells that it was drained goes first").doesNotExist();
        Files.delete(obstacle);
        pins.resumeOld();
        assertThat(root.resolve("old")).doesNotExist();
        assertThat(pins.map("index")).as("the new table stays").exists();
    }
}
