// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import javax.management.Attribute;
import javax.management.AttributeList;
import javax.management.AttributeNotFoundException;
import javax.management.DynamicMBean;
import javax.management.ImmutableDescriptor;
import javax.management.InvalidAttributeValueException;
import javax.management.JMException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanException;
import javax.management.MBeanInfo;
import javax.management.ReflectionException;

/** The MBean of one policy: the attributes of its configuration, whatever they are. Thread-safe. */
final class PolicyMBean implements DynamicMBean {
    static final String PROBLEM = "ConfigurationProblem";

    private final Values values;
    private final Map<String, Setting> settings = new LinkedHashMap<>();
    /** Attribute to the id of a reading. */
    private final Map<String, String> readings = new TreeMap<>();
    private final MBeanInfo info;

    /** Where the values are. */
    interface Values {
        /** The value in force, or null. */
        Object inForce(Setting setting);

        /**
         * Stores a value and returns when it is in force.
         *
         * @throws IllegalStateException when it is not
         */
        void store(Setting setting, String value);

        /** What is wrong with the configuration; empty when all is well. */
        String problem();

        /** What the policy tells of itself now, by ids of the same form as those of settings; always the same ids. */
        Map<String, Double> readings();
    }

    PolicyMBean(String policy, Metatype metatype, Values values) {
        this.values = values;
        for (Setting setting : metatype.settings()) {
            String taken = settings.containsKey(setting.attribute()) ? setting.id() : setting.attribute();
            settings.put(taken, setting);
        }
        List<MBeanAttributeInfo> attributes = new ArrayList<>();
        settings.forEach((name, setting) -> attributes.add(describe(name, setting)));
        values.readings().keySet().forEach(id -> readings.putIfAbsent(Setting.attribute(id), id));
        readings.keySet().removeAll(settings.keySet());
        readings.forEach((name, id) -> attributes.add(new MBeanAttributeInfo(name, Double.class.getName(),
                "What the policy goes by now (" + id + "), read-only.", true, false, false,
                new ImmutableDescriptor(Map.of("units", Setting.unit(id))))));
        attributes.add(new MBeanAttributeInfo(PROBLEM, String.class.getName(),
                "What is wrong with the configuration, and what is in force instead; empty when all is well.", true, false,
                false));
        info = new MBeanInfo(PolicyMBean.class.getName(),
                metatype.description().isEmpty() ? "Expiry policy " + policy : metatype.description(),
                attributes.toArray(MBeanAttributeInfo[]::new), null, null, null);
    }

    private static MBeanAttributeInfo describe(String name, Setting setting) {
        Map<String, Object> fields = new TreeMap<>();
        fields.put("units", setting.unit());
        if (!setting.array() && setting.type().isNumber()) {
            if (setting.min() != null) {
                fields.put("minValue", setting.min());
            }
            if (setting.max() != null) {
                fields.put("maxValue", setting.max());
            }
        }
        if (!setting.options().isEmpty()) {
            fields.put("legalValues", Set.copyOf(setting.options()));
        }
        if (setting.defaultText() != null && setting.isReadable()) {
            fields.put("defaultValue", setting.defaultText());
        }
        String type = setting.array() ? String.class.getName() : setting.type().javaType().getName();
        return new MBeanAttributeInfo(name, type, setting.fullDescription(), setting.isReadable(), setting.isWritable(),
                false, new ImmutableDescriptor(fields));
    }

    @Override
    public Object getAttribute(String name) throws AttributeNotFoundException {
        if (name.equals(PROBLEM)) {
            return values.problem();
        }
        if (readings.containsKey(name)) {
            return values.readings().get(readings.get(name));
        }
        Setting setting = setting(name);
        if (!setting.isReadable()) {
            throw new AttributeNotFoundException("attribute " + name + " can only be set");
        }
        Object value = values.inForce(setting);
        if (value == null && setting.defaultText() == null) {
            return null;
        }
        String text = value == null ? setting.defaultText() : Setting.text(value);
        return setting.array() ? text : setting.parse(text);
    }

    @Override
    public void setAttribute(Attribute attribute) throws AttributeNotFoundException, InvalidAttributeValueException {
        if (readings.containsKey(attribute.getName())) {
            throw new AttributeNotFoundException("attribute " + attribute.getName() + " can only be read");
        }
        Setting setting = setting(attribute.getName());
        if (!setting.isWritable()) {
            throw new AttributeNotFoundException("attribute " + attribute.getName()
                    + " has several values and can only be read: set " + setting.id() + " in the configuration file");
        }
        if (attribute.getValue() == null) {
            throw new InvalidAttributeValueException(
                    attribute.getName() + " needs a value: allowed is " + setting.allowed());
        }
        String value;
        try {
            value = setting.parse(attribute.getValue().toString()).toString();
        } catch (IllegalArgumentException e) {
            throw new InvalidAttributeValueException(e.getMessage());
        }
        values.store(setting, value);
    }

    private Setting setting(String name) throws AttributeNotFoundException {
        Setting setting = settings.get(name);
        if (setting == null) {
            throw new AttributeNotFoundException("no attribute is named " + name + ": there are " + settings.keySet());
        }
        return setting;
    }

    /** Those that can be read. */
    @Override
    public AttributeList getAttributes(String[] names) {
        AttributeList read = new AttributeList();
        for (String name : names) {
            try {
                read.add(new Attribute(name, getAttribute(name)));
            } catch (JMException | RuntimeException e) {
                continue; // DynamicMBean: an attribute that cannot be read is left out
            }
        }
        return read;
    }

    /** Those that were set. */
    @Override
    public AttributeList setAttributes(AttributeList attributes) {
        AttributeList set = new AttributeList();
        for (Attribute attribute : attributes.asList()) {
            try {
                setAttribute(attribute);
                set.add(attribute);
            } catch (JMException | RuntimeException e) {
                continue; // DynamicMBean: an attribute that cannot be set is left out
            }
        }
        return set;
    }

    @Override
    public Object invoke(String action, Object[] parameters, String[] signature)
            throws MBeanException, ReflectionException {
        throw new ReflectionException(new NoSuchMethodException(action), "a policy has no operations");
    }

    @Override
    public MBeanInfo getMBeanInfo() {
        return info;
    }
}
