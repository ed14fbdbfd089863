// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Ports;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Prometheus scrapes what JConsole shows, and the dashboard asks for nothing else. */
class MetricsTest extends CommandLab {
    private static final Pattern METRIC = Pattern.compile("flowbypass_\\w+");
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private int port;

    @Test
    void theAgentOfPrometheusServesEveryMetricOfTheDashboard() throws Exception {
        port = Ports.free();
        try (Lab lab = new Lab()) {
            Path agent = Path.of("target/agents/jmx-exporter.jar").toAbsolutePath();
            start(("env " + shown().replaceFirst("/path/to/\\S+\\.jar=", agent + "=").replace(":9404:", ":" + port + ":")
                    .replace("eth1", lab.cableA())).split(" "));
            Jmx.eventually(() -> scrape().contains("flowbypass_health_ok{check=\"attached\"} 1.0"), "it is attached");

            String scraped = scrape();
            assertThat(scraped).contains("flowbypass_table_capacity 262144.0", "flowbypass_table_flows 0.0",
                    "flowbypass_sweep_interval_seconds 1.0", "flowbypass_lease_seconds 60.0", "flowbypass_paused 0.0",
                    "flowbypass_classic_live_packets 0.0",
                    "flowbypass_policy_value{name=\"tcp_seconds\",policy=\"idle\"} 300.0",
                    "flowbypass_xdp_verdict_packets_total{verdict=\"cut_dropped\"} 0.0");
            assertThat(scraped).as("no two attributes have one metric and labels").doesNotContain("_objectname");
            JsonNode dashboard = new ObjectMapper().readTree(
                    directory.resolve("felix-config/target/flowbypass/metrics/grafana.json").toFile());
            List<String> expressions = dashboard.findValuesAsText("expr");
            assertThat(expressions).hasSizeGreaterThan(10);
            assertThat(metrics(scraped)).containsAll(metrics(String.join(" ", expressions)));
        }
    }

    /** The command that README shows. */
    private static String shown() throws IOException {
        String page = Files.readString(Path.of("../README.md"));
        return GuideBundle.block(page.substring(page.indexOf("through its JMX exporter agent")), "```\n").strip();
    }

    private static Set<String> metrics(String text) {
        Matcher matcher = METRIC.matcher(text);
        Set<String> found = new TreeSet<>();
        while (matcher.find()) {
            found.add(matcher.group());
        }
        return found;
    }

    private String scrape() throws InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics")).timeout(LIMIT).build();
        try {
            return HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
        } catch (IOException notThereYet) {
            return "";
        }
    }
}
