// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A bypassed UDP flow that runs in both directions between the hosts of a lab, for a quarter of an hour at the most: none of its
 * packets is to be seen behind the cables, each is to be counted.
 */
public final class RunningFlow {
    /** Its port on host A. */
    public static final int PORT = 5000;
    /** Its port on host B. */
    public static final int OTHER_PORT = 6000;

    private static final int BESIDE_IT = 5999;
    private static final int PAYLOAD = 64;
    private static final int PACKETS = 50;

    private final Sender a;
    private final Sender b;
    private final Capture behindA;
    private final Capture behindB;

    /** Bypasses it, lets it run and waits until it does; XDP is on both cables. */
    public RunningFlow(Lab lab) {
        a = lab.senderA();
        b = lab.senderB();
        behindA = lab.capture(lab.cableA());
        behindB = lab.capture(lab.cableB());
        Jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, PORT, Lab.B, OTHER_PORT);
        a.start(PORT, Lab.B, OTHER_PORT, PAYLOAD);
        b.start(OTHER_PORT, Lab.A, PORT, PAYLOAD);
        awaitMoreTraffic();
    }

    /** Returns when more of its packets were sent. */
    public void awaitMoreTraffic() {
        long before = a.sent();
        Jmx.eventually(() -> a.sent() > before + 200, "traffic goes on");
    }

    /** Its packets that a monitor saw by now. */
    public long seen() {
        return behindA.seen(PORT, OTHER_PORT) + behindB.seen(OTHER_PORT, PORT);
    }

    /** Ends it: it has run until now, nothing was seen, everything is counted, the ledger closes. */
    public void wasCutAndCounted() {
        awaitMoreTraffic();
        long forward = a.stop();
        long reverse = b.stop();
        // The captures still work, and have read everything that came before these.
        a.send(BESIDE_IT, Lab.B, OTHER_PORT, PACKETS, PAYLOAD);
        b.send(BESIDE_IT, Lab.A, PORT, PACKETS, PAYLOAD);
        Jmx.eventually(() -> behindA.seen(BESIDE_IT, OTHER_PORT) == PACKETS && behindB.seen(BESIDE_IT, PORT) == PACKETS,
                "flows that are not bypassed are seen");
        assertThat(seen()).as("packets of the cut flow that were seen").isZero();
        String record = String.valueOf(Jmx.invoke("FlowTable", "release", "UDP", Lab.A, PORT, Lab.B, OTHER_PORT));
        assertThat(record).contains("forward " + forward + " packets ").contains("reverse " + reverse + " packets ");
        assertThat(Jmx.attribute("FlowTable", "UnaccountedPackets")).isEqualTo(0L);
    }
}
