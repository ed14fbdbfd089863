// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;

/** Stands in for services. */
final class Fakes {
    private Fakes() {
    }

    /** What a fake answers to a call. */
    interface Answer {
        Object to(String method, Object[] arguments) throws Exception;
    }

    static <T> T of(Class<T> type, Answer answer) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                (self, method, arguments) -> method.isDefault() ? InvocationHandler.invokeDefault(self, method, arguments)
                        : answer.to(method.getName(), arguments)));
    }
}
