// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.management.ManagementFactory;
import javax.management.InstanceAlreadyExistsException;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;

/** The platform MBean server, under our domain. */
final class MBeans {
    private static final Logger LOG = System.getLogger(MBeans.class.getName());
    private static final String DOMAIN = "io.flowbypass:";

    private MBeans() {
    }

    /** A name in our domain. */
    static ObjectName name(String keys) {
        try {
            return new ObjectName(DOMAIN + keys);
        } catch (MalformedObjectNameException e) {
            throw new IllegalArgumentException(DOMAIN + keys + " cannot name an MBean: " + e.getMessage(), e);
        }
    }

    /** Registers an MBean, in place of one that was left there. */
    static synchronized void register(Object mbean, ObjectName name) {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        try {
            try {
                server.registerMBean(mbean, name);
            } catch (InstanceAlreadyExistsException e) {
                LOG.log(Level.WARNING, "MBean {0} was left behind by a component that died; it is replaced", name);
                unregister(name);
                server.registerMBean(mbean, name);
            }
        } catch (JMException e) {
            throw new IllegalStateException("MBean " + name + " cannot be registered: " + e, e);
        }
    }

    /** Takes an MBean out; one that is not there is fine. */
    static synchronized void unregister(ObjectName name) {
        try {
            ManagementFactory.getPlatformMBeanServer().unregisterMBean(name);
        } catch (InstanceNotFoundException e) {
            LOG.log(Level.DEBUG, "MBean {0} was taken out by somebody else", name);
        } catch (JMException e) {
            throw new IllegalStateException("MBean " + name + " cannot be taken out: " + e, e);
        }
    }
}
