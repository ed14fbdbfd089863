// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.TableFullException;
import io.flowbypass.flow.TableStatistics;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.management.MBeanServer;
import javax.management.Notification;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;

class FlowTableMBeanTest {
    private static final MBeanServer SERVER = ManagementFactory.getPlatformMBeanServer();

    private long now;
    private long packets;
    private volatile int asked;
    private final CountDownLatch looked = new CountDownLatch(1);
    private boolean added = true;

    private final FlowTable table = Fakes.of(FlowTable.class, (method, arguments) -> switch (method) {
        case "statistics" -> {
            asked = asked + 1;
            looked.countDown();
            yield new TableStatistics(3, 1, 8, 0, 0, 0, 6, packets, packets * 100, 0);
        }
        case "bypass" -> added;
        case "release" -> CompletableFuture.completedFuture(Optional.empty());
        default -> throw new TableFullException("the table is full");
    });
    private final BundleContext context = Fakes.of(BundleContext.class,
            (method, arguments) -> Fakes.of(ServiceRegistration.class, (inner, none) -> null));
    private final FlowTableMBean mbean = new FlowTableMBean(table, () -> now);

    @Test
    void looksAtTheTableOnceForAllAttributesOfOneRefresh() {
        now = 1;
        mbean.getActiveFlows();
        mbean.getBypassedBytes();
        now += TimeUnit.MILLISECONDS.toNanos(500);
        assertThat(mbean.getOccupancy()).isEqualTo(50);
        assertThat(asked).isEqualTo(1);
        now += 1;
        mbean.getActiveFlows();
        assertThat(asked).isEqualTo(2);
    }

    @Test
    void givesRatesOverTheTimeSinceTheSampleBeforeAndAtLeastASecond() {
        assertThat(mbean.getBypassedPacketsPerSecond()).isZero();
        packets = 1000;
        now = TimeUnit.MILLISECONDS.toNanos(900);
        assertThat(mbean.getBypassedPacketsPerSecond()).isZero();
        now = TimeUnit.MILLISECONDS.toNanos(2000);
        assertThat(mbean.getBypassedPacketsPerSecond()).isEqualTo(500);
        assertThat(mbean.getBypassedBitsPerSecond()).isEqualTo(500 * 800);
    }

    /** JConsole's first look: nobody has asked before. */
    @Test
    void givesARateOfTheLastSecondsAtTheFirstLook() throws Exception {
        mbean.start(context);
        try {
            assertThat(looked.await(10, TimeUnit.SECONDS)).as("it looks by itself").isTrue();
            mbean.getActiveFlows(); // waits until the one that looked is done
            packets = 1000;
            now = TimeUnit.SECONDS.toNanos(2);
            assertThat(mbean.getBypassedPacketsPerSecond()).isEqualTo(500);
        } finally {
            mbean.stop();
        }
    }

    @Test
    void givesTheNumbersOfNowWhereOnlyItselfHasLooked() {
        mbean.keepRates();
        packets = 1000;
        assertThat(mbean.getBypassedPackets()).isEqualTo(1000);
    }

    @Test
    void showsNumbersThatAPersonCanRead() {
        packets = 123_456_789;
        assertThat(mbean.getBypassedPacketsPerSecond()).isZero();
        packets += 1_000_001;
        now = TimeUnit.SECONDS.toNanos(3);
        assertThat(String.valueOf(mbean.getBypassedBitsPerSecond())).isEqualTo("266666933");
        assertThat(DescribedMBean.rounded(100.0 * 3 / 16384)).hasToString("0.018");
        assertThat(DescribedMBean.rounded(3e-7)).hasToString("0.0");
    }

    @Test
    void takesAFlowAsOneTextToo() {
        assertThat(mbean.bypass("tcp 10.0.0.1:1 > 10.0.0.2:443")).isEqualTo("bypassed TCP 10.0.0.1:1 > 10.0.0.2:443");
        assertThat(mbean.release("TCP [2001:db8::1]:1 > [2001:db8::2]:443"))
                .startsWith("not bypassed: TCP [2001:db8:0:0:0:0:0:1]:1 >");
        assertThatThrownBy(() -> mbean.find("String")).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("write it as list shows it");
    }

    @Test
    void saysInASentenceWhatItDid() {
        assertThat(mbean.bypass("tcp", "10.0.0.1", 1, "10.0.0.2", 443)).isEqualTo("bypassed TCP 10.0.0.1:1 > 10.0.0.2:443");
        added = false;
        assertThat(mbean.bypass("6", "10.0.0.1", 1, "10.0.0.2", 443))
                .isEqualTo("already bypassed: TCP 10.0.0.1:1 > 10.0.0.2:443");
        assertThat(mbean.release("udp", "10.0.0.1", 1, "10.0.0.2", 443))
                .isEqualTo("not bypassed: UDP 10.0.0.1:1 > 10.0.0.2:443");
    }

    @Test
    void saysHowManyRecordsListenersLostAndSendsWhatTheTableSaysOfAStuckOne() throws Exception {
        List<Notification> sent = new ArrayList<>();
        mbean.addNotificationListener((notification, with) -> sent.add(notification), null, null);
        mbean.stuck("records takes nothing");

        assertThat(mbean.getUndeliveredRecords()).isEqualTo(6);
        assertThat(sent).singleElement().satisfies(notification -> {
            assertThat(notification.getType()).isEqualTo("listener.stuck");
            assertThat(notification.getMessage()).isEqualTo("records takes nothing");
        });
    }

    @Test
    void throwsNothingThatAClientHasNoClassFor() {
        assertThatThrownBy(() -> mbean.invoke("flush", new Object[0], new String[0]))
                .isExactlyInstanceOf(IllegalStateException.class).hasMessage("the table is full");
    }

    @Test
    void takesThePlaceOfAnMBeanThatWasLeftBehindAndKeepsItWhenThatOneStops() {
        FlowTableMBean left = new FlowTableMBean(table, () -> now);
        left.start(context);
        mbean.start(context);
        left.stop();

        assertThat(SERVER.isRegistered(mbean.name())).isTrue();
        mbean.stop();
        assertThat(SERVER.isRegistered(mbean.name())).isFalse();
    }
}
