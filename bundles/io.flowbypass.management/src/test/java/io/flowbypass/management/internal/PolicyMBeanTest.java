// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import javax.management.Attribute;
import javax.management.AttributeNotFoundException;
import javax.management.InvalidAttributeValueException;
import javax.management.MBeanAttributeInfo;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PolicyMBeanTest implements PolicyMBean.Values {
    private final Map<String, Object> service = new HashMap<>();
    private PolicyMBean mbean;

    @BeforeEach
    void read() throws Exception {
        mbean = new PolicyMBean("sample", MetatypeTest.read("the.pid"), this);
    }

    @Override
    public Object inForce(Setting setting) {
        return service.get(setting.id());
    }

    @Override
    public void store(Setting setting, String value) {
        service.put(setting.id(), value);
    }

    @Override
    public String problem() {
        return "something";
    }

    @Override
    public Map<String, Double> readings() {
        return Map.of("now.tcp.seconds", 42.5);
    }

    @Test
    void showsWhatThePolicyTellsOfItselfToBeReadOnly() throws Exception {
        MBeanAttributeInfo now = attribute("NowTcpSeconds");
        assertThat(now.getType()).isEqualTo("java.lang.Double");
        assertThat(now.isWritable()).isFalse();
        assertThat(now.getDescriptor().getFieldValue("units")).isEqualTo("seconds");
        assertThat(mbean.getAttribute("NowTcpSeconds")).isEqualTo(42.5);
        assertThatThrownBy(() -> mbean.setAttribute(new Attribute("NowTcpSeconds", 1.0)))
                .isInstanceOf(AttributeNotFoundException.class).hasMessageContaining("can only be read");
    }

    @Test
    void describesEveryAttributeWithItsBoundsUnitAndLegalValues() {
        MBeanAttributeInfo seconds = attribute("TcpSeconds");

        assertThat(mbean.getMBeanInfo().getAttributes())
                .allSatisfy(attribute -> assertThat(attribute.getDescription()).isNotBlank());
        assertThat(seconds.getType()).isEqualTo("java.lang.Integer");
        assertThat(seconds.isWritable()).isTrue();
        assertThat(seconds.getDescription()).contains("1 to 604800 seconds").contains("default 300");
        assertThat(seconds.getDescriptor().getFieldValue("units")).isEqualTo("seconds");
        assertThat(seconds.getDescriptor().getFieldValue("minValue")).hasToString("1");
        assertThat(seconds.getDescriptor().getFieldValue("maxValue")).hasToString("604800");
        assertThat(attribute("OrderBy").getDescriptor().getFieldValue("legalValues")).asInstanceOf(
                InstanceOfAssertFactories.ITERABLE).hasSize(2);
        assertThat(attribute("Many").isWritable()).isFalse();
        assertThat(attribute("Secret").isReadable()).isFalse();
    }

    private MBeanAttributeInfo attribute(String name) {
        return Arrays.stream(mbean.getMBeanInfo().getAttributes()).filter(each -> each.getName().equals(name)).findFirst()
                .orElseThrow();
    }

    @Test
    void readsTheValueInForceWithItsTypeWhateverTheServiceKeepsItAs() throws Exception {
        assertThat(mbean.getAttribute("TcpSeconds")).isEqualTo(300);
        service.put("tcp.seconds", "77");
        assertThat(mbean.getAttribute("TcpSeconds")).isEqualTo(77);
        service.put("tcp.seconds", 78);
        assertThat(mbean.getAttribute("TcpSeconds")).isEqualTo(78);
        service.put("many", new Integer[] {1, 2});
        assertThat(mbean.getAttribute("Many")).isEqualTo("1,2");
        assertThat(mbean.getAttribute("VolumeBytes")).isNull();
        assertThat(mbean.getAttribute("ConfigurationProblem")).isEqualTo("something");
    }

    @Test
    void storesAValueAsText() throws Exception {
        mbean.setAttribute(new Attribute("TcpSeconds", 120));

        assertThat(service).containsEntry("tcp.seconds", "120");
    }

    @Test
    void refusesAValueOutOfBoundsWithAMessageThatNamesThemAndStoresNothing() {
        assertThatThrownBy(() -> mbean.setAttribute(new Attribute("TcpSeconds", 0)))
                .isInstanceOf(InvalidAttributeValueException.class).hasMessageContaining("1 to 604800 seconds");
        assertThatThrownBy(() -> mbean.setAttribute(new Attribute("TcpSeconds", null)))
                .isInstanceOf(InvalidAttributeValueException.class).hasMessageContaining("1 to 604800 seconds");
        assertThat(service).isEmpty();
    }

    @Test
    void refusesToReadPasswordsAndToSetArraysAndUnknownAttributes() {
        assertThatThrownBy(() -> mbean.getAttribute("Secret")).isInstanceOf(AttributeNotFoundException.class);
        assertThatThrownBy(() -> mbean.setAttribute(new Attribute("Many", "1")))
                .isInstanceOf(AttributeNotFoundException.class).hasMessageContaining("configuration file");
        assertThatThrownBy(() -> mbean.getAttribute("Nothing")).isInstanceOf(AttributeNotFoundException.class)
                .hasMessageContaining("TcpSeconds");
    }

    @Test
    void leavesOutOfABulkReadWhatCannotBeRead() {
        assertThat(mbean.getAttributes(new String[] {"TcpSeconds", "Secret"})).hasSize(1);
    }
}
