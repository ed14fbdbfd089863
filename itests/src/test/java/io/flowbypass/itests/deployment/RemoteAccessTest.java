// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Ports;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.HashMap;
import java.util.Map;
import javax.management.Attribute;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.rmi.ssl.SslRMIClientSocketFactory;
import org.junit.jupiter.api.Test;

/** JMX clients from other machines are let in only where that was asked for, and then never without TLS and a password. */
class RemoteAccessTest extends CommandLab {
    private int port;

    @Test
    void remoteClientsNeedTlsAndThePasswordOfARoleWhichMayWhatItsNameSays() throws Exception {
        port = Ports.free();
        try (Lab lab = new Lab()) {
            start("./flowbypass", "run", "-i", lab.cableA(), "--remote-jmx", Integer.toString(port));
            Jmx.eventually(() -> said("out").contains("jconsole"), "it runs");
            Path place = directory.resolve("felix-config/target/flowbypass/conf/remote-jmx");
            for (String file : new String[] {"password", "key.p12", "ssl.properties"}) {
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(place.resolve(file)))).as(file)
                        .isEqualTo("rw-------");
            }
            trust(place.resolve("certificate.pem"));
            String monitor = passwordOf("monitor");
            String control = passwordOf("control");
            Jmx.eventually(() -> reads("monitor", monitor), "the MBeans are there");

            assertThatThrownBy(() -> connect(true, "monitor", control)).isInstanceOf(SecurityException.class);
            assertThatThrownBy(() -> connect(true)).isInstanceOf(SecurityException.class);
            assertThatThrownBy(() -> connect(false, "control", control)).isInstanceOf(IOException.class);
            try (JMXConnector reader = connect(true, "monitor", monitor); JMXConnector writer = connect(true, "control", control)) {
                assertThatThrownBy(() -> pause(reader)).isInstanceOf(SecurityException.class);
                assertThat(isPaused(reader)).isEqualTo(false);
                pause(writer);
                assertThat(isPaused(reader)).isEqualTo(true);
            }
        }
    }

    @Test
    void aPortThatIsNoneIsRefused() throws Exception {
        refuses(flowbypass("run", "-i", "lo", "--remote-jmx", "70000"), "1 to 65535", "70000");
    }

    private String passwordOf(String role) throws IOException {
        return said("out").replaceFirst("(?s).*JMX role " + role + " is (\\S+);.*", "$1");
    }

    /** For the whole JVM: RMI asks no other. */
    private static void trust(Path certificate) throws Exception {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null);
        try (InputStream pem = Files.newInputStream(certificate)) {
            trusted.setCertificateEntry("flowbypass", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        SSLContext.setDefault(context);
    }

    private JMXConnector connect(boolean tls, String... credentials) throws IOException {
        Map<String, Object> environment = new HashMap<>();
        if (credentials.length > 0) {
            environment.put(JMXConnector.CREDENTIALS, credentials);
        }
        if (tls) {
            environment.put("com.sun.jndi.rmi.factory.socket", new SslRMIClientSocketFactory());
        }
        return JMXConnectorFactory.connect(new JMXServiceURL("service:jmx:rmi:///jndi/rmi://127.0.0.1:" + port + "/jmxrmi"),
                environment);
    }

    private boolean reads(String... credentials) throws Exception {
        try (JMXConnector connector = connect(true, credentials)) {
            return connector.getMBeanServerConnection().isRegistered(xdp());
        } catch (IOException notYet) {
            return false;
        }
    }

    private static void pause(JMXConnector connector) throws Exception {
        MBeanServerConnection server = connector.getMBeanServerConnection();
        server.setAttribute(xdp(), new Attribute("Paused", true));
    }

    private static Object isPaused(JMXConnector connector) throws Exception {
        return connector.getMBeanServerConnection().getAttribute(xdp(), "Paused");
    }

    private static ObjectName xdp() throws Exception {
        return new ObjectName("io.flowbypass:type=Xdp");
    }
}
