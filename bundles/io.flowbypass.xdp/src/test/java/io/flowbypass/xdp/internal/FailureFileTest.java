// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleContext;

class FailureFileTest {
    @TempDir
    Path directory;

    @Test
    void shouldTellTheFirstFailureOnly() throws Exception {
        BundleContext context = naming(file());
        assertThat(FailureFile.write(context, "The first.")).isTrue();
        assertThat(FailureFile.write(context, "The second.")).isFalse();
        FailureFile.works(context);
        assertThat(file()).hasContent("The first.");
    }

    @Test
    void shouldTellNoFailureOnceItWorked() {
        BundleContext context = naming(file());
        FailureFile.works(context);
        assertThat(FailureFile.write(context, "Too late.")).isFalse();
        assertThat(file()).isEmptyFile();
    }

    @Test
    void shouldTellNobodyWhereNobodyAsks() {
        BundleContext context = naming(null);
        FailureFile.works(context);
        assertThat(FailureFile.write(context, "Nobody listens.")).isFalse();
        assertThat(FailureFile.isBeside(context, url("etc/eth0.cfg"))).isFalse();
    }

    @Test
    void shouldNotFailWhereTheFrameworkIsStopping() {
        BundleContext stopping = context(() -> {
            throw new IllegalStateException("Invalid BundleContext");
        });
        assertThat(FailureFile.write(stopping, "Nobody listens.")).isFalse();
    }

    @Test
    void shouldKnowTheConfigurationsOfThisStart() {
        BundleContext context = naming(file());
        assertThat(FailureFile.isBeside(context, url("etc/eth0.cfg"))).isTrue();
        assertThat(FailureFile.isBeside(context, directory.getParent().resolve("etc/eth0.cfg").toUri().toString()))
                .isFalse();
        assertThat(FailureFile.isBeside(context, null)).isFalse();
    }

    private Path file() {
        return directory.resolve("failure");
    }

    private String url(String path) {
        return directory.resolve(path).toUri().toString();
    }

    private static BundleContext naming(Path file) {
        return context(() -> file == null ? null : file.toString());
    }

    private static BundleContext context(Supplier<String> property) {
        return (BundleContext) Proxy.newProxyInstance(BundleContext.class.getClassLoader(),
                new Class<?>[] {BundleContext.class}, (proxy, method, arguments) -> property.get());
    }
}
