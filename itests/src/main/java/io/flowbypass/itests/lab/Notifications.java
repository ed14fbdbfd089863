// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.management.JMException;
import javax.management.Notification;
import javax.management.NotificationListener;
import javax.management.ObjectName;

/** The notifications of one of the product's MBeans from now on, until it is closed. */
public final class Notifications implements NotificationListener, AutoCloseable {
    private final ObjectName mbean;
    private final List<Notification> sent = new CopyOnWriteArrayList<>();

    /** Of {@code io.flowbypass:type=}. */
    public Notifications(String type) {
        try {
            mbean = new ObjectName("io.flowbypass:type=" + type);
            ManagementFactory.getPlatformMBeanServer().addNotificationListener(mbean, this, null, null);
        } catch (JMException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void handleNotification(Notification notification, Object with) {
        sent.add(notification);
    }

    /** The messages of one type by now. */
    public List<String> of(String type) {
        return sent.stream().filter(each -> each.getType().equals(type)).map(Notification::getMessage).toList();
    }

    /** All of them by now, each as its type, a blank and its message. */
    public List<String> lines() {
        return sent.stream().map(each -> each.getType() + " " + each.getMessage()).toList();
    }

    @Override
    public void close() {
        try {
            ManagementFactory.getPlatformMBeanServer().removeNotificationListener(mbean, this);
        } catch (JMException gone) {
            // With the MBean, its listeners went.
        }
    }
}
