// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.expiry.Expiry;
import io.flowbypass.flow.Decision;
import io.flowbypass.flow.Difference;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.Protocols;
import java.util.ArrayList;
import java.util.List;
import javax.management.Notification;
import org.junit.jupiter.api.Test;

class ExpiryMBeanTest {
    private List<String> active = List.of("tcp", "idle");

    private final Expiry expiry = Fakes.of(Expiry.class, (method, arguments) -> switch (method) {
        case "activePolicies" -> active;
        case "quarantinedPolicies" -> List.of();
        case "lastSweepMillis" -> 0.141052;
        case "selectPolicies" -> {
            active = ((List<?>) arguments[0]).stream().map(Object::toString).toList();
            yield null;
        }
        case "compare" -> List.of(new Difference(FlowKey.of(Protocols.TCP, "192.0.2.1", 1, "192.0.2.2", 2), Decision.KEEP,
                Decision.end(EndReason.IDLE, "idle")));
        default -> throw new AssertionError(method);
    });
    private final ExpiryMBean mbean = new ExpiryMBean(expiry);

    @Test
    void showsPoliciesAsSelectPoliciesTakesThem() {
        assertThat(mbean.getActivePolicies()).isEqualTo("tcp, idle");
        assertThat(mbean.getQuarantinedPolicies()).isEmpty();
        assertThat(mbean.getLastSweepMillis()).isEqualTo(0.141);
        assertThat(mbean.selectPolicies("idle, tcp")).isEqualTo("active from the next sweep on: idle, tcp");
        assertThat(mbean.selectPolicies(mbean.getActivePolicies())).endsWith(": idle, tcp");
    }

    @Test
    void beginsEachDifferenceWithItsFlow() {
        assertThat(mbean.compare("idle", 0)).singleElement().asString()
                .startsWith("TCP 192.0.2.1:1 > 192.0.2.2:2\n  active ").contains(", other ").contains("IDLE");
    }

    /** JConsole shows the first words only. */
    @Test
    void tellsFirstWhichPoliciesAreActiveNow() {
        List<Notification> sent = new ArrayList<>();
        mbean.addNotificationListener((notification, with) -> sent.add(notification), null, null);
        mbean.policiesSwapped(List.of("tcp", "idle"), List.of("idle"), "tcp has gone");

        assertThat(sent).singleElement().satisfies(notification -> {
            assertThat(notification.getType()).isEqualTo("policy.swapped");
            assertThat(notification.getMessage()).isEqualTo("now [idle], before [tcp, idle]: tcp has gone");
        });
    }
}
