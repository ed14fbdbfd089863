// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * What one thread of this JVM has spent so far.
 *
 * @param nanos of CPU time
 * @param allocated bytes
 */
record SpentByThread(long nanos, long allocated) {
    /** Of the thread with a name that matches. */
    static SpentByThread of(String name) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long id = Stream.of(threads.getThreadInfo(threads.getAllThreadIds()))
                .filter(thread -> thread != null && thread.getThreadName().matches(name)).mapToLong(ThreadInfo::getThreadId)
                .findFirst().orElseThrow(() -> new IllegalStateException("there is no thread " + name));
        try {
            // By JMX: the type that has this method is in no package that a framework has to export.
            return new SpentByThread(threads.getThreadCpuTime(id), (long) ManagementFactory.getPlatformMBeanServer()
                    .invoke(new ObjectName(ManagementFactory.THREAD_MXBEAN_NAME), "getThreadAllocatedBytes", new Object[] {id},
                            new String[] {"long"}));
        } catch (JMException e) {
            throw new IllegalStateException("this JVM does not count what a thread allocates", e);
        }
    }
}
