// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Root;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanNotificationInfo;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanParameterInfo;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page of every setting and MBean is what the distribution itself says. */
class ReferenceTest {
    private static final Path PAGE = Path.of("../docs/reference.md");
    private static final Path ETC = Path.of("../felix-config/src/main/etc");
    private static final Path WRITTEN = Path.of("target/reference.md");

    @TempDir
    Path directory;

    @Test
    void thePageHasEverySettingAndEveryAttributeOperationAndNotification() throws Exception {
        Root.required();
        String page;
        Distribution felix = new Distribution(directory).start();
        try {
            Jmx.eventually(() -> Jmx.isThere("Policy,name=tcp") && Jmx.isThere("Policy,name=lifetime")
                    && Jmx.isThere("Policy,name=adaptive") && Jmx.isThere("Policy,name=idle")
                    && Jmx.isThere("Health,name=attached") && Jmx.isThere("Classic"), "all MBeans are there");
            page = page();
        } finally {
            felix.close();
        }
        Files.writeString(WRITTEN, page);
        assertThat(page).as("what is now in itests/" + WRITTEN + ": copy it to docs/reference.md")
                .isEqualTo(Files.exists(PAGE) ? Files.readString(PAGE) : "");
    }

    private static String page() throws Exception {
        StringBuilder text = new StringBuilder("# Every setting and every MBean\n\n`ReferenceTest` writes this page from what the"
                + " distribution says of itself. How to use it: [operate](operate.md), [in use](guide.md),"
                + " [JConsole](jconsole.md).\n\n## Settings\n\nIn `etc/`, a file each; a change holds at once unless it says"
                + " otherwise.\n");
        try (Stream<Path> files = Files.list(ETC)) {
            for (Path file : files.sorted().toList()) {
                settings(text, file);
            }
        }
        text.append("\n## MBeans\n\nAttributes in **bold** can be set.\n");
        for (ObjectName name : new TreeSet<>(ManagementFactory.getPlatformMBeanServer()
                .queryNames(new ObjectName("io.flowbypass:*"), null))) {
            // The six are alike.
            if (!"Health".equals(name.getKeyProperty("type")) || "attached".equals(name.getKeyProperty("name"))) {
                mbean(text, name);
            }
        }
        return text.toString();
    }

    private static void settings(StringBuilder text, Path file) throws IOException {
        text.append("\n### ").append(file.getFileName()).append("\n\n```\n");
        List<String> lines = Files.readAllLines(file);
        text.append(String.join("\n", lines.subList(1, lines.size()))).append("\n```\n");
    }

    private static void mbean(StringBuilder text, ObjectName name) throws Exception {
        MBeanInfo info = ManagementFactory.getPlatformMBeanServer().getMBeanInfo(name);
        text.append("\n### ").append(name.getKeyPropertyListString()).append("\n\n").append(info.getDescription()).append('\n');
        text.append("\n| attribute | unit | |\n|---|---|---|\n");
        for (MBeanAttributeInfo attribute : info.getAttributes()) {
            String mark = attribute.isWritable() ? "**" : "";
            Object unit = attribute.getDescriptor().getFieldValue("units");
            row(text, mark + attribute.getName() + mark, unit == null ? "" : unit.toString(), attribute.getDescription());
        }
        if (info.getOperations().length > 0) {
            text.append("\n| operation | |\n|---|---|\n");
            for (MBeanOperationInfo operation : info.getOperations()) {
                row(text, "`" + operation.getName() + Arrays.stream(operation.getSignature()).map(MBeanParameterInfo::getName)
                        .collect(Collectors.joining(", ", "(", ")`")), operation.getDescription());
            }
        }
        for (MBeanNotificationInfo notification : info.getNotifications()) {
            text.append("\nNotification ").append(String.join(", ", notification.getNotifTypes())).append(": ")
                    .append(notification.getDescription()).append('\n');
        }
    }

    private static void row(StringBuilder text, String... cells) {
        text.append("| ").append(Arrays.stream(cells).map(cell -> cell.replace("|", "\\|")).collect(Collectors.joining(" | ")))
                .append(" |\n");
    }
}
