// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import com.sun.jdi.Bootstrap;
import com.sun.jdi.Method;
import com.sun.jdi.ReferenceType;
import com.sun.jdi.VirtualMachine;
import com.sun.jdi.connect.AttachingConnector;
import com.sun.jdi.connect.Connector;
import com.sun.jdi.event.BreakpointEvent;
import com.sun.jdi.event.Event;
import com.sun.jdi.request.BreakpointRequest;
import java.util.Map;

/** Stops another JVM where a method begins, so that it can be killed between two steps of what it does. */
final class Debugger {
    /** What the other JVM is started with; it says on which port it listens. */
    static final String AGENT = "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:0";
    private static final int LIMIT_MILLIS = 30_000;

    private final VirtualMachine jvm;

    /** Attaches to a JVM that listens on that port. */
    Debugger(String port) throws Exception {
        AttachingConnector connector = Bootstrap.virtualMachineManager().attachingConnectors().stream()
                .filter(each -> each.name().equals("com.sun.jdi.SocketAttach")).findFirst().orElseThrow();
        Map<String, Connector.Argument> arguments = connector.defaultArguments();
        arguments.get("hostname").setValue("127.0.0.1");
        arguments.get("port").setValue(port);
        jvm = connector.attach(arguments);
    }

    /** Has all its threads stop where a method begins, at its nth call from now on. */
    void stopAt(String className, String method, String signature, int call) {
        ReferenceType type = jvm.classesByName(className).get(0);
        Method found = type.methodsByName(method, signature).get(0);
        BreakpointRequest request = jvm.eventRequestManager().createBreakpointRequest(found.location());
        request.addCountFilter(call);
        request.enable();
    }

    /** Waits until it has stopped there. */
    void awaitStop() throws InterruptedException {
        for (var events = jvm.eventQueue().remove(LIMIT_MILLIS); events != null;
                events = jvm.eventQueue().remove(LIMIT_MILLIS)) {
            for (Event event : events) {
                if (event instanceof BreakpointEvent) {
                    return;
                }
            }
            events.resume();
        }
        throw new AssertionError("the JVM does not come to where it is to stop");
    }
}
