// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.util.Map;
import java.util.stream.Stream;
import javax.management.Attribute;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanParameterInfo;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/** The product's MBeans in another JVM, connected as JConsole does. */
final class RemoteJmx implements AutoCloseable {
    private final JMXConnector connector;
    private final MBeanServerConnection server;

    RemoteJmx(String pid) throws Exception {
        VirtualMachine jvm = VirtualMachine.attach(pid);
        try {
            connector = JMXConnectorFactory.connect(new JMXServiceURL(jvm.startLocalManagementAgent()));
        } finally {
            jvm.detach();
        }
        server = connector.getMBeanServerConnection();
    }

    /** Through a connector that asks for a password. */
    RemoteJmx(String url, String user, String password) throws IOException {
        connector = JMXConnectorFactory.connect(new JMXServiceURL(url),
                Map.of(JMXConnector.CREDENTIALS, new String[] {user, password}));
        server = connector.getMBeanServerConnection();
    }

    /** Whether {@code io.flowbypass:type=} is there. */
    boolean isThere(String type) throws Exception {
        return server.isRegistered(name(type));
    }

    Object attribute(String type, String attribute) throws Exception {
        return server.getAttribute(name(type), attribute);
    }

    void setAttribute(String type, String attribute, Object value) throws Exception {
        server.setAttribute(name(type), new Attribute(attribute, value));
    }

    Object invoke(String type, String operation, Object... arguments) throws Exception {
        MBeanOperationInfo found = Stream.of(server.getMBeanInfo(name(type)).getOperations())
                .filter(info -> info.getName().equals(operation) && info.getSignature().length == arguments.length)
                .findFirst().orElseThrow(() -> new IllegalStateException("no operation " + operation));
        return server.invoke(name(type), operation, arguments,
                Stream.of(found.getSignature()).map(MBeanParameterInfo::getType).toArray(String[]::new));
    }

    private static ObjectName name(String type) throws Exception {
        return new ObjectName("io.flowbypass:type=" + type);
    }

    @Override
    public void close() throws IOException {
        connector.close();
    }
}
