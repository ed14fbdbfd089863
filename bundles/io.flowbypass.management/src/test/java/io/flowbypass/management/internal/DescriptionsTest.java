// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.classic.ClassicFlows;
import io.flowbypass.expiry.Expiry;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.maps.MapService;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.Verdict;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.management.DynamicMBean;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanParameterInfo;
import org.apache.felix.hc.api.HealthCheck;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DescriptionsTest {
    /** What JConsole can edit and pass. */
    private static final Set<String> SIMPLE = Set.of("int", "long", "double", "boolean", "java.lang.String");

    static Stream<DynamicMBean> mbeans() {
        return Stream.of(new FlowTableMBean(never(FlowTable.class), () -> 0), new ExpiryMBean(never(Expiry.class)),
                xdp(), new MapsMBean(never(MapService.class)),
                new ClassicMBean(never(ClassicFlows.class), never(DataPlane.class)),
                new HealthMBean("any", never(HealthCheck.class)));
    }

    private static XdpMBean xdp() {
        return new XdpMBean(never(DataPlane.class));
    }

    private static <T> T never(Class<T> service) {
        return Fakes.of(service, (method, arguments) -> {
            throw new AssertionError(method + " is not needed to describe the MBean");
        });
    }

    @ParameterizedTest
    @MethodSource("mbeans")
    void describeEveryAttributeInASentence(DynamicMBean mbean) {
        MBeanInfo info = mbean.getMBeanInfo();

        assertThat(info.getDescription()).endsWith(".");
        assertThat(info.getAttributes()).isNotEmpty().allSatisfy(attribute -> {
            assertThat(attribute.getDescription()).as(attribute.getName()).endsWith(".").contains(" ");
            assertThat(attribute.getDescriptor().getFieldValue("units")).as(attribute.getName()).isNotNull();
        });
    }

    @ParameterizedTest
    @MethodSource("mbeans")
    void giveEveryNumberAUnit(DynamicMBean mbean) {
        assertThat(mbean.getMBeanInfo().getAttributes())
                .filteredOn(attribute -> Set.of("int", "long", "double").contains(attribute.getType()))
                .allSatisfy(attribute -> assertThat((String) attribute.getDescriptor().getFieldValue("units"))
                        .as(attribute.getName()).isNotEmpty());
    }

    @ParameterizedTest
    @MethodSource("mbeans")
    void nameAndDescribeEveryParameterAndOperationAndItsImpact(DynamicMBean mbean) {
        for (MBeanOperationInfo operation : mbean.getMBeanInfo().getOperations()) {
            assertThat(operation.getDescription()).as(operation.getName()).endsWith(".");
            assertThat(operation.getImpact()).as(operation.getName()).isNotEqualTo(MBeanOperationInfo.UNKNOWN);
            for (MBeanParameterInfo parameter : operation.getSignature()) {
                assertThat(parameter.getName()).as(operation.getName()).doesNotMatch("(p|arg)\\d");
                assertThat(parameter.getDescription()).as(operation.getName()).endsWith(".");
                assertThat(parameter.getType()).as(operation.getName()).isIn(SIMPLE);
            }
        }
    }

    /** As JConsole shows them. */
    @ParameterizedTest
    @MethodSource("mbeans")
    void haveTheirAttributesAndOperationsInTheOrderOfTheirNamesAndShowNoConstructors(DynamicMBean mbean) {
        assertThat(mbean.getMBeanInfo().getAttributes()).extracting(MBeanAttributeInfo::getName).isSorted();
        assertThat(mbean.getMBeanInfo().getConstructors()).isEmpty();
        assertThat(mbean.getMBeanInfo().getOperations()).extracting(MBeanOperationInfo::getName).isSorted();
    }

    @Test
    void nameTheParametersOfAnOperationInOrder() {
        MBeanInfo info = new FlowTableMBean(never(FlowTable.class), () -> 0).getMBeanInfo();
        MBeanOperationInfo bypass = Arrays.stream(info.getOperations())
                .filter(operation -> operation.getName().equals("bypass")).findFirst().orElseThrow();

        assertThat(bypass.getSignature()).extracting(MBeanParameterInfo::getName)
                .containsExactly("protocol", "source", "sourcePort", "destination", "destinationPort");
        assertThat(bypass.getImpact()).isEqualTo(MBeanOperationInfo.ACTION);
    }

    @Test
    void haveAnAttributeForEachVerdict() {
        assertThat(xdp().getMBeanInfo().getAttributes()).extracting(MBeanAttributeInfo::getName)
                .containsAll(Stream.of(Verdict.values()).map(DescriptionsTest::camelCase).toList());
    }

    private static String camelCase(Verdict verdict) {
        return Stream.of(verdict.name().split("_"))
                .map(word -> word.charAt(0) + word.substring(1).toLowerCase(Locale.ROOT)).collect(Collectors.joining());
    }

    @Test
    void announceTheNotificationsOfExpiryAndOfTheTable() {
        assertThat(notifications(new ExpiryMBean(never(Expiry.class))))
                .containsExactlyInAnyOrder("policy.swapped", "policy.quarantined", "table.pressure");
        assertThat(notifications(new FlowTableMBean(never(FlowTable.class), () -> 0))).containsExactly("listener.stuck");
    }

    private static List<String> notifications(DynamicMBean mbean) {
        return Arrays.stream(mbean.getMBeanInfo().getNotifications())
                .flatMap(notification -> Arrays.stream(notification.getNotifTypes())).toList();
    }

    @Test
    void announceTheNotificationsOfXdp() {
        assertThat(xdp().getMBeanInfo().getNotifications())
                .flatExtracting(notification -> Arrays.asList(notification.getNotifTypes()))
                .containsExactlyInAnyOrder("xdp.detached", "xdp.attached", "xdp.repinned");
    }
}
