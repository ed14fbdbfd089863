// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.expiry.internal;

import io.flowbypass.expiry.ExpiryListener;
import io.flowbypass.policy.ExpiryPolicy;
import java.lang.annotation.Annotation;
import java.lang.reflect.Field;
import java.lang.reflect.Proxy;
import java.util.Collections;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** An engine with what a framework would give it. */
final class Fixture implements ExpiryListener {
    final ExpiryEngine engine = new ExpiryEngine();
    final List<String> notices = new CopyOnWriteArrayList<>();
    /** What Configuration Admin holds for expiry; null for nothing. */
    volatile Dictionary<String, Object> stored;
    /** Whether somebody undoes the next change. */
    volatile boolean undo;
    /** Whether the engine is not told of the next change. */
    volatile boolean lose;

    Fixture() {
        engine.addListener(this);
    }

    Fixture activate(int intervalMillis, String policies) {
        engine.activate(new Settings(intervalMillis, policies));
        return this;
    }

    /** A Configuration Admin that hands each change to the engine, as SCR does. */
    Fixture withConfigurationAdmin() throws ReflectiveOperationException {
        Configuration configuration = proxy(Configuration.class, (name, args) -> switch (name) {
            case "getProperties" -> stored;
            case "updateIfDifferent", "update" -> update(args[0]);
            default -> throw new UnsupportedOperationException(name);
        });
        ConfigurationAdmin admin = proxy(ConfigurationAdmin.class, (name, args) -> configuration);
        Field field = ExpiryEngine.class.getDeclaredField("configurationAdmin");
        field.setAccessible(true);
        field.set(engine, admin);
        return this;
    }

    private boolean update(Object properties) {
        if (undo) {
            undo = false;
            return true;
        }
        Dictionary<?, ?> given = (Dictionary<?, ?>) properties;
        Hashtable<String, Object> copy = new Hashtable<>();
        Collections.list(given.keys()).forEach(key -> copy.put((String) key, given.get(key)));
        stored = copy;
        if (lose) {
            lose = false;
            return true;
        }
        engine.modified(new Settings(Integer.parseInt(copy.getOrDefault(ExpiryEngine.INTERVAL, "1000").toString()),
                copy.getOrDefault(ExpiryEngine.ACTIVE, "").toString()));
        return true;
    }

    void install(long id, int ranking, String name, ExpiryPolicy policy) {
        engine.addPolicy(policy, properties(id, ranking, name));
    }

    static Map<String, Object> properties(long id, int ranking, String name) {
        return Map.of("service.id", id, "service.ranking", ranking, "flowbypass.policy.name", name);
    }

    @Override
    public void policiesSwapped(List<String> before, List<String> now, String why) {
        notices.add("swapped " + before + " " + now + ": " + why);
    }

    @Override
    public void policyQuarantined(String policy, String why) {
        notices.add("quarantined " + policy + ": " + why);
    }

    @Override
    public void pressure(String what) {
        notices.add("pressure: " + what);
    }

    private interface Answer {
        Object to(String name, Object[] args);
    }

    private static <T> T proxy(Class<T> type, Answer answer) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                (self, method, args) -> answer.to(method.getName(), args)));
    }

    /** What SCR makes of an interval that is no number. */
    @SuppressWarnings("ClassExplicitlyAnnotation")
    record Unreadable(String active_policies) implements ExpiryEngine.Config {
        @Override
        public int sweep_interval_millis() {
            throw new IllegalArgumentException("soon is no number");
        }

        @Override
        public Class<? extends Annotation> annotationType() {
            return ExpiryEngine.Config.class;
        }
    }

    @SuppressWarnings("ClassExplicitlyAnnotation")
    record Settings(int sweep_interval_millis, String active_policies) implements ExpiryEngine.Config {
        @Override
        public Class<? extends Annotation> annotationType() {
            return ExpiryEngine.Config.class;
        }
    }
}
