// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.records.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.text.MessageFormat;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordFileTest {
    private static final long DAY = 86400;

    @TempDir
    Path directory;
    private Path path;
    private Instant now = Instant.now();
    private final List<RecordFile> opened = new ArrayList<>();
    private final List<String> logged = new ArrayList<>();
    private final Logger logger = Logger.getLogger(RecordFile.class.getName());
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord record) {
            logged.add(record.getLevel() + " " + MessageFormat.format(record.getMessage(), record.getParameters()));
        }

        @Override
        public void flush() {
            // nothing is kept back
        }

        @Override
        public void close() {
            // nothing is open
        }
    };

    @BeforeEach
    void listenToTheLog() {
        path = directory.resolve("made/for/it/flows.json");
        logger.addHandler(handler);
    }

    @AfterEach
    void close() {
        logger.removeHandler(handler);
        opened.forEach(RecordFile::close);
    }

    private RecordFile file(long maxBytes, long periodSeconds, int kept) {
        RecordFile made = new RecordFile(path, maxBytes, periodSeconds, kept, () -> now);
        opened.add(made);
        return made;
    }

    private static void append(RecordFile file, String lines) throws IOException {
        file.append(lines.getBytes(StandardCharsets.UTF_8));
    }

    /** The content of each file, by its name. */
    private List<String> files() throws IOException {
        try (Stream<Path> all = Files.list(path.getParent())) {
            List<String> found = new ArrayList<>();
            for (Path each : all.sorted().toList()) {
                found.add(each.getFileName() + " " + Files.readString(each).replace("\n", "/"));
            }
            return found;
        }
    }

    @Test
    void makesItsDirectoryAndItselfForTheOwnerAndHisGroupOnly() throws IOException {
        append(file(1000, 0, 3), "a\n");

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path))).startsWith("rw-").endsWith("---");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path.getParent()))).startsWith("rwx")
                .endsWith("---");
    }

    @Test
    void isFollowedByTheNextOneWhenItIsTooLargeAndKeepsAsManyAsItMay() throws IOException {
        RecordFile file = file(10, 0, 2);
        for (String lines : List.of("aaaa\n", "bbbb\n", "c\n", "dddd\nddd\n", "e\n", "ffffffffffffff\n", "g\n")) {
            append(file, lines);
        }

        assertThat(files()).containsExactly("flows.json g/", "flows.json.1 ffffffffffffff/", "flows.json.2 e/");
    }

    @Test
    void losesNoLineAndBreaksNoneWhenItIsRotatedOverAndOver() throws IOException {
        RecordFile file = file(100, 0, 1000);
        StringBuilder all = new StringBuilder();
        for (int line = 0; line < 2000; line++) {
            append(file, line + "\n");
            all.append(line).append('\n');
        }
        StringBuilder found = new StringBuilder();
        int count = files().size();
        for (int number = count - 1; number > 0; number--) {
            String text = Files.readString(path.resolveSibling("flows.json." + number));
            assertThat(text).hasSizeLessThanOrEqualTo(100).endsWith("\n");
            found.append(text);
        }
        assertThat(found.append(Files.readString(path)).toString()).isEqualTo(all.toString());
        assertThat(count).isGreaterThan(80);
    }

    @Test
    void deletesWhatIsTooManySinceFewerAreKept() throws IOException {
        RecordFile many = file(1, 0, 5);
        for (int line = 0; line < 6; line++) {
            append(many, line + "\n");
        }
        many.close();

        append(file(1, 0, 2), "6\n");
        assertThat(files()).containsExactly("flows.json 6/", "flows.json.1 5/", "flows.json.2 4/");
    }

    @Test
    void isFollowedByTheNextOneInTheNextPeriodAlsoWhenItWasReopenedMeanwhile() throws IOException {
        now = Instant.parse("2026-11-28T23:59:59Z");
        RecordFile file = file(1000, DAY, 3);
        append(file, "a\n");
        append(file, "b\n");
        now = Instant.parse("2026-11-29T00:00:00Z");
        append(file, "c\n");
        now = Instant.parse("2026-11-29T23:59:59Z");
        append(file, "d\n");
        assertThat(files()).containsExactly("flows.json c/d/", "flows.json.1 a/b/");

        file.close();
        Files.setLastModifiedTime(path, FileTime.from(now));
        now = now.plusSeconds(1);
        append(file(1000, DAY, 3), "e\n");
        assertThat(files()).containsExactly("flows.json e/", "flows.json.1 c/d/", "flows.json.2 a/b/");
    }

    @Test
    void takesALineAwayThatIsNotWholeWhenItIsOpened() throws IOException {
        Files.createDirectories(path.getParent());
        Files.writeString(path, "whole\n" + "x".repeat(10_000));
        append(file(100_000, 0, 3), "next\n");
        assertThat(Files.readString(path)).isEqualTo("whole\nnext\n");

        Files.writeString(path, "not whole");
        append(file(1000, 0, 3), "next\n");
        assertThat(Files.readString(path)).isEqualTo("next\n");
    }

    @Test
    void isMadeAnewWhenSomebodyRenamedItAndGoesOnAtTheBeginningWhenSomebodyTruncatedIt() throws IOException {
        RecordFile file = file(1000, 0, 3);
        append(file, "a\n");
        Files.move(path, path.resolveSibling("moved"));
        append(file, "b\n");
        append(file, "c\n");
        assertThat(files()).containsExactly("flows.json b/c/", "moved a/");

        Files.writeString(path, "");
        append(file, "d\n");
        assertThat(files()).containsExactly("flows.json d/", "moved a/");
    }

    @Test
    void isMadeAnewWhenSomebodyRenamedItJustBeforeItIsRotated() throws IOException {
        RecordFile file = new RecordFile(path, 1, 0, 3, () -> {
            // Its name has been looked at by now.
            if (path.toFile().length() > 0) {
                path.toFile().renameTo(path.resolveSibling("theirs").toFile());
            }
            return now;
        });
        opened.add(file);
        append(file, "a\n");
        append(file, "b\n");

        assertThat(files()).containsExactly("flows.json b/", "theirs a/");
        assertThat(logged).noneMatch(line -> line.startsWith("SEVERE"));
    }

    @Test
    void saysOnceThatItCannotBeWrittenAndOnceThatItIsAgain() throws IOException {
        Path notADirectory = Files.writeString(directory.resolve("made"), "");
        RecordFile file = file(1000, 0, 3);
        for (int times = 0; times < 3; times++) {
            assertThatThrownBy(() -> append(file, "a\n")).isInstanceOf(IOException.class);
        }
        Files.delete(notADirectory);
        append(file, "a\n");
        append(file, "b\n");

        assertThat(logged).hasSize(2);
        assertThat(logged.get(0)).startsWith("SEVERE flow records cannot be written to " + path);
        assertThat(logged.get(1)).startsWith("INFO flow records are written to " + path + " again");
        assertThat(files()).containsExactly("flows.json a/b/");
    }

    /** A device takes neither lines nor back what it took. */
    @Test
    void saysOfAFullDiskThatItIsFull() throws IOException {
        Files.createDirectories(path.getParent());
        Files.createSymbolicLink(path, Path.of("/dev/full"));
        RecordFile file = file(1000, 0, 3);
        assertThatThrownBy(() -> append(file, "a\n")).hasMessageContaining("No space left on device");
        assertThatThrownBy(() -> append(file, "a\n")).hasMessageContaining("No space left on device");
        Files.delete(path);
        append(file, "a\n");
        assertThat(files()).containsExactly("flows.json a/");
        assertThat(logged.get(0)).contains("No space left on device");
    }
}
