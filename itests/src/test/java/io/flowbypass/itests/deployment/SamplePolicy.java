// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The policy that README shows. */
final class SamplePolicy {
    private static final Path PAGE = Path.of("../README.md");
    private static final Path FILE = Path.of("sample-policy/src/main/java/com/example/small/SmallPolicy.java");

    private SamplePolicy() {
    }

    /** What README says of a policy of one's own. */
    static String page() throws IOException {
        String page = Files.readString(PAGE);
        int begin = page.indexOf("**Write your own**");
        return page.substring(begin, page.indexOf("\n### ", begin));
    }

    /** Its source, as README shows it. */
    static String source() throws IOException {
        String shown = GuideBundle.block(page(), "```java\n");
        assertThat(Files.readString(FILE)).as("what is shown is the sample").endsWith("\n" + shown);
        return shown;
    }

    /** The jar of a source that was made of it. */
    static byte[] build(Path directory, String source) throws Exception {
        Matcher name = Pattern.compile("(?s)^package (\\S+);.*public final class (\\w+)").matcher(source);
        assertThat(name.find()).isTrue();
        return GuideBundle.build(directory, name.group(1) + "." + name.group(2), source).readAllBytes();
    }
}
