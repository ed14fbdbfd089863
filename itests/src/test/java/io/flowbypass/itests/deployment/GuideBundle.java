// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import aQute.bnd.osgi.Builder;
import aQute.bnd.osgi.Jar;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.ToolProvider;

/** Code of a page, as a bundle: built as bnd-maven-plugin would build it. */
final class GuideBundle {
    private GuideBundle() {
    }

    /** The first block of a page that begins so. */
    static String block(String page, String fence) {
        Matcher block = Pattern.compile(Pattern.quote(fence) + "(.*?)```", Pattern.DOTALL).matcher(page);
        assertThat(block.find()).as("a block " + fence).isTrue();
        return block.group(1);
    }

    /** A jar with one class, and what its annotations say. */
    static InputStream build(Path directory, String className, String source) throws Exception {
        String packageName = className.substring(0, className.lastIndexOf('.'));
        Path file = directory.resolve("src/" + className.replace('.', '/') + ".java");
        Files.createDirectories(file.getParent());
        Files.writeString(file, source);
        Path classes = Files.createDirectories(directory.resolve("classes"));
        String libraries = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(path -> path.endsWith(".jar")).collect(Collectors.joining(File.pathSeparator));
        assertThat(ToolProvider.getSystemJavaCompiler().run(null, null, null, "--release", "17", "-Xlint:all,-processing",
                "-Werror", "-cp", libraries, "-d", classes.toString(), file.toString())).as("javac").isZero();
        try (Builder bnd = new Builder()) {
            bnd.setProperty("Bundle-SymbolicName", packageName);
            bnd.setProperty("-privatepackage", packageName);
            bnd.addClasspath(classes.toFile());
            for (String library : libraries.split(File.pathSeparator)) {
                bnd.addClasspath(new File(library));
            }
            Jar jar = bnd.build();
            assertThat(bnd.getErrors()).isEmpty();
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            jar.write(bytes);
            return new ByteArrayInputStream(bytes.toByteArray());
        }
    }
}
