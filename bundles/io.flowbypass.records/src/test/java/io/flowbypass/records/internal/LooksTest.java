// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.records.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.CutAction;
import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowSweeper;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.FlowView;
import io.flowbypass.flow.Origin;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LooksTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long PERIOD = 300 * SECOND;

    private final Looks looks = new Looks();
    private final List<String> found = new ArrayList<>();
    /** Port to the time of the bypass. */
    private final Map<Integer, Long> bypassed = new LinkedHashMap<>();
    private long now = Long.MAX_VALUE - 10 * SECOND;
    private final FlowTable table = newTable();

    /** A table that shows and finds the flows above. */
    private FlowTable newTable() {
        return (FlowTable) Proxy.newProxyInstance(getClass().getClassLoader(),
                new Class<?>[] {FlowTable.class, FlowSweeper.class}, (proxy, method, arguments) ->
                switch (method.getName()) {
                    case "compare" -> {
                        bypassed.forEach((port, added) -> ((FlowTest) arguments[1]).decide(view(port, added)));
                        yield List.of();
                    }
                    case "find" -> Optional.of(state((FlowKey) arguments[0]));
                    case "equals" -> proxy == arguments[0];
                    case "hashCode" -> System.identityHashCode(proxy);
                    default -> throw new AssertionError(method);
                });
    }

    private static FlowKey key(int port) {
        return FlowKey.of(17, "10.0.0.1", port, "10.0.0.2", 53);
    }

    private FlowView view(int port, long added) {
        return (FlowView) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {FlowView.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "ageNanos" -> Math.max(0, now - added);
                    case "key" -> key(port);
                    default -> throw new InvocationTargetException(new AssertionError(method));
                });
    }

    private static FlowState state(FlowKey key) {
        return new FlowState(key, new DirectionCounts(0, 0, 0), new DirectionCounts(0, 0, 0), Instant.EPOCH, Instant.EPOCH,
                CutAction.DROP, Origin.OTHER, "", "", "");
    }

    private List<String> look(long after) {
        now += after;
        found.clear();
        looks.look(table, now, PERIOD, (event, flow) -> found.add(event + " " + flow.key().sourcePort()));
        return List.copyOf(found);
    }

    @Test
    void tellsOnceThatAFlowBeganAndThenWheneverItIsAPeriodOlder() {
        look(0);
        bypassed.put(1, now + SECOND / 2);
        List<String> told = new ArrayList<>();
        for (int second = 1; second <= 1000; second++) {
            int at = second;
            look(SECOND).forEach(event -> told.add(at + " " + event));
        }
        assertThat(told).containsExactly("1 start 1", "301 update 1", "601 update 1", "901 update 1");
    }

    @Test
    void tellsOfEachOnItsOwnTimeAndOnceHoweverTheLooksCome() {
        look(0);
        bypassed.put(1, now + 1);
        bypassed.put(2, now + 7 * SECOND);
        assertThat(look(10 * SECOND)).containsExactly("start 1", "start 2");
        assertThat(look(280 * SECOND)).isEmpty();
        assertThat(look(13 * SECOND)).containsExactly("update 1");
        assertThat(look(700 * SECOND)).containsExactly("update 1", "update 2");
    }

    @Test
    void findsAFlowThatCameDuringALookInTheNextOne() {
        look(0);
        bypassed.put(1, now + SECOND + 5);
        assertThat(look(SECOND)).as("bypassed a moment later than the look's time").isEmpty();
        assertThat(look(SECOND)).containsExactly("start 1");
        assertThat(look(SECOND)).isEmpty();
    }

    @Test
    void tellsNothingOfWhatWasThereBeforeTheFirstLookAtATable() {
        bypassed.put(1, now - 299 * SECOND);
        assertThat(look(0)).isEmpty();
        assertThat(look(2 * SECOND)).as("it is due").containsExactly("update 1");
        now += 600 * SECOND;
        looks.look(newTable(), now, PERIOD, (event, flow) -> found.add(event));
        assertThat(found).as("the table was gone for long").containsExactly("update 1");
    }
}
