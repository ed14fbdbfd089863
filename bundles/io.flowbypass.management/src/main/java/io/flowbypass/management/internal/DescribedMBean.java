// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Arrays;
import java.util.Comparator;
import javax.management.Attribute;
import javax.management.AttributeNotFoundException;
import javax.management.Descriptor;
import javax.management.DescriptorRead;
import javax.management.InvalidAttributeValueException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanException;
import javax.management.MBeanFeatureInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanNotificationInfo;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanParameterInfo;
import javax.management.MBeanRegistration;
import javax.management.MBeanServer;
import javax.management.NotificationBroadcasterSupport;
import javax.management.NotificationEmitter;
import javax.management.ObjectName;
import javax.management.ReflectionException;
import javax.management.StandardEmitterMBean;

/**
 * An MXBean that takes its descriptions, parameter names and impacts from the annotations of its interface, is registered
 * under one name, and throws exceptions that every client has the classes of.
 */
abstract class DescribedMBean extends StandardEmitterMBean implements MBeanRegistration {
    private static final Logger LOG = System.getLogger(DescribedMBean.class.getName());

    private static final int USUAL_LIMIT = 100;
    private static final double DECIMALS = 1000;

    private final ObjectName name;
    private volatile boolean registered;

    /**
     * An MXBean that this object implements.
     *
     * @param type the value of {@code type} in its name
     * @param mxbean its interface
     * @param notifications what it sends
     */
    DescribedMBean(String type, Class<?> mxbean, MBeanNotificationInfo... notifications) {
        this(type, mxbean, new NotificationBroadcasterSupport(notifications));
    }

    private DescribedMBean(String type, Class<?> mxbean, NotificationEmitter emitter) {
        super(mxbean, true, emitter);
        name = MBeans.name("type=" + type);
    }

    /** Its name. */
    final ObjectName name() {
        return name;
    }

    final void register() {
        MBeans.register(this, name);
    }

    /** Does nothing where another MBean has taken the name. */
    final void unregister() {
        if (registered) {
            MBeans.unregister(name);
        }
    }

    @Override
    public final ObjectName preRegister(MBeanServer server, ObjectName given) {
        return given;
    }

    @Override
    public final void postRegister(Boolean done) {
        registered = done;
    }

    @Override
    public final void preDeregister() {
        // nothing stands in the way
    }

    @Override
    public final void postDeregister() {
        registered = false;
    }

    @Override
    public final Object getAttribute(String attribute)
            throws AttributeNotFoundException, MBeanException, ReflectionException {
        try {
            return super.getAttribute(attribute);
        } catch (RuntimeException e) {
            throw portable(e);
        }
    }

    @Override
    public final void setAttribute(Attribute attribute) throws AttributeNotFoundException,
            InvalidAttributeValueException, MBeanException, ReflectionException {
        try {
            super.setAttribute(attribute);
        } catch (RuntimeException e) {
            throw portable(e);
        }
    }

    @Override
    public final Object invoke(String action, Object[] parameters, String[] signature)
            throws MBeanException, ReflectionException {
        try {
            return super.invoke(action, parameters, signature);
        } catch (RuntimeException e) {
            throw portable(e);
        }
    }

    /** A client that does not have our classes could not read an exception of ours: it gets one of the JDK's. */
    private static RuntimeException portable(RuntimeException e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause.getClass().getClassLoader() != null) {
                LOG.log(Level.DEBUG, "a JMX client gets the message of this exception", e);
                return e instanceof IllegalArgumentException ? new IllegalArgumentException(e.getMessage())
                        : new IllegalStateException(e.getMessage());
            }
        }
        return e;
    }

    /**
     * With attributes and operations by their names, of two operations with one name first the one with more parameters:
     * JConsole shows them in the order that they have here, and reflection's is none. And without constructors, which are
     * nothing to call.
     */
    @Override
    public MBeanInfo getMBeanInfo() {
        MBeanInfo info = super.getMBeanInfo();
        MBeanOperationInfo[] operations = info.getOperations();
        Arrays.sort(operations, Comparator.comparing(MBeanOperationInfo::getName)
                .thenComparing(operation -> -operation.getSignature().length));
        MBeanAttributeInfo[] attributes = info.getAttributes();
        Arrays.sort(attributes, Comparator.comparing(MBeanAttributeInfo::getName));
        return new MBeanInfo(info.getClassName(), info.getDescription(), attributes, null, operations,
                info.getNotifications(), info.getDescriptor());
    }

    /** How much an operation shows: JConsole fills a number in with 0 before anybody has typed one. */
    static int limit(int asked) {
        return asked == 0 ? USUAL_LIMIT : asked;
    }

    /** To three decimals: JConsole shows all that a number has. */
    static double rounded(double value) {
        return Math.round(value * DECIMALS) / DECIMALS;
    }

    @Override
    protected String getDescription(MBeanInfo info) {
        return field(info, "description", super.getDescription(info));
    }

    @Override
    protected String getDescription(MBeanFeatureInfo info) {
        return field(info, "description", super.getDescription(info));
    }

    @Override
    protected String getDescription(MBeanAttributeInfo info) {
        return getDescription((MBeanFeatureInfo) info);
    }

    @Override
    protected String getDescription(MBeanOperationInfo info) {
        return getDescription((MBeanFeatureInfo) info);
    }

    @Override
    protected String getDescription(MBeanOperationInfo operation, MBeanParameterInfo parameter, int position) {
        return field(parameter, "description", super.getDescription(operation, parameter, position));
    }

    @Override
    protected String getParameterName(MBeanOperationInfo operation, MBeanParameterInfo parameter, int position) {
        return field(parameter, "name", super.getParameterName(operation, parameter, position));
    }

    @Override
    protected int getImpact(MBeanOperationInfo operation) {
        return operation.getDescriptor().getFieldValue("impact") instanceof Integer impact ? impact
                : super.getImpact(operation);
    }

    private static String field(DescriptorRead of, String name, String otherwise) {
        Descriptor descriptor = of.getDescriptor();
        return descriptor.getFieldValue(name) instanceof String text ? text : otherwise;
    }
}
