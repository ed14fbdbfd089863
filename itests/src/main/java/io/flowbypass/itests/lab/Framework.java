// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.io.IOException;
import java.util.Arrays;
import java.util.Dictionary;
import java.util.Hashtable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.FrameworkUtil;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** The framework that the tests run in. */
public final class Framework {
    private static final BundleContext CONTEXT = FrameworkUtil.getBundle(Framework.class).getBundleContext();

    private Framework() {
    }

    /** Stops a bundle that the tests are not wired to, starts it again, and waits for all MBeans. */
    public static void restart(String symbolicName) {
        Bundle bundle = Arrays.stream(CONTEXT.getBundles()).filter(each -> symbolicName.equals(each.getSymbolicName()))
                .findFirst().orElseThrow();
        try {
            bundle.stop();
            bundle.start();
        } catch (BundleException e) {
            throw new IllegalStateException(e);
        }
        Jmx.awaitAll();
    }

    /** Sets one value of a configuration, which takes effect a little later. */
    public static void configure(String pid, String key, String value) {
        try {
            Configuration configuration = Services.waitFor(ConfigurationAdmin.class).getConfiguration(pid, "?");
            Dictionary<String, Object> properties = configuration.getProperties();
            Dictionary<String, Object> changed = properties == null ? new Hashtable<>() : properties;
            changed.put(key, value);
            // FileInstall, which may have read the file of an earlier change, would go back to that.
            changed.remove("felix.fileinstall.filename");
            configuration.update(changed);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
