// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.records.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.FlowKey;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CommunityIdTest {
    /**
     * The published vectors: baseline/baseline_deflt.json and baseline_seed1.json of github.com/corelight/community-id-spec,
     * and tests/communityid_test.py of github.com/corelight/pycommunityid.
     */
    @ParameterizedTest(name = "{0} {1}:{2} > {3}:{4}")
    @CsvSource({
        "6, 128.232.110.120, 34855, 66.35.250.204, 80, 1:LQU9qZlK+B5F3KDmev6m5PMibrg=, 1:3V71V58M3Ksw/yuFALMcW0LAHvc=",
        "6, 10.0.0.1, 10, 10.0.0.2, 11569, 1:SXBGMX1lBOwhhoDrZynfROxnhnM=, 1:HmBRGR+fUyXF4t8WEtal7Y0gEAo=",
        "6, 2001:470:e5bf:dead:4957:2174:e82c:4887, 63943, 2607:f8b0:400c:c03::1a, 25, 1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=,"
                + " 1:eJYTW6AOzFLlSUoESovMjnu7rMw=",
        "17, 192.168.1.52, 54585, 8.8.8.8, 53, 1:d/FP5EW3wiY1vCndhwleRRKHowQ=, 1:Q9We8WO3piVF8yEQBNJF4uiSVrI=",
        "132, 192.168.170.8, 7, 192.168.170.56, 80, 1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=, 1:Y1/0jQg6e+I3ZwZZ9LP65DNbTXU=",
        "132, 192.168.170.8, 7, 192.168.170.56, 7, 1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=, 1:5w3ZRjeKBzqT3zsaEECDGjUbYeg=",
        "46, 10.1.24.4, 0, 10.1.12.1, 0, 1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4=, 1:BK3BVW3U2eemuwVQVN3zd/GULno=",
        "46, 10.1.12.1, 0, 10.1.12.2, 0, 1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=, 1:rYir8gphR31noO9iDRQmF/BteEI="})
    void isThePublishedOneWithEitherSeedAndInBothDirections(int protocol, String source, int sourcePort, String destination,
            int destinationPort, String withSeed0, String withSeed1) {
        FlowKey key = FlowKey.of(protocol, source, sourcePort, destination, destinationPort);

        assertThat(CommunityId.of(key, 0)).contains(withSeed0);
        assertThat(CommunityId.of(key.reversed(), 0)).contains(withSeed0);
        assertThat(CommunityId.of(key, 1)).contains(withSeed1);
        assertThat(CommunityId.of(key.reversed(), 1)).contains(withSeed1);
    }

    /**
     * By {@code printf '\xff\xff\x0a\x00\x00\x01\x0a\x00\x00\x01\x11\x00\x00\x35\x30\x39' | openssl sha1 -binary | base64}
     */
    @Test
    void ordersByPortsWhereTheAddressesAreEqualAndTakesTheLargestSeed() {
        FlowKey key = FlowKey.of(17, "10.0.0.1", 12345, "10.0.0.1", 53);

        assertThat(CommunityId.of(key, 65535)).contains("1:2I/kIaK7x4G0kl+Ac1MbWaiXrxE=");
        assertThat(CommunityId.of(key.reversed(), 65535)).contains("1:2I/kIaK7x4G0kl+Ac1MbWaiXrxE=");
    }

    /** By openssl in the same way, the endpoint with the smaller first byte first. */
    @Test
    void ordersAddressesByBytesWithoutASign() {
        assertThat(CommunityId.of(FlowKey.of(17, "fd77::1", 12345, "2001:db8::1", 53), 0)).contains("1:/lalSs1MjP64JTcF+0ekGn9JTF4=");
        assertThat(CommunityId.of(FlowKey.of(17, "fd77::8000:0:0:1", 12345, "fd77::7f00:0:0:1", 53), 0))
                .contains("1:6138CJLQzbHfVkY+bBykXCSlhYw=");
    }

    /**
     * The specification knows ports of TCP, UDP and SCTP only. By {@code printf
     * '\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02\x21\x00' | openssl sha1 -binary | base64}
     */
    @Test
    void leavesThePortsOfDccpOutAndTheVlans() {
        FlowKey key = FlowKey.of(33, "10.0.0.1", 12345, "10.0.0.2", 53);

        assertThat(CommunityId.of(key, 0)).contains("1:qKfrGVs14/VI2wLMVfhXXHfa6a0=");
        assertThat(CommunityId.of(key.withVlans(100, 200), 0)).contains("1:qKfrGVs14/VI2wLMVfhXXHfa6a0=");
    }

    @Test
    void isThereForNoFlowOfIcmpWhichIsAllMessagesBetweenTwoAddresses() {
        assertThat(CommunityId.of(FlowKey.of(1, "10.0.0.1", 0, "10.0.0.2", 0), 0)).isEmpty();
        assertThat(CommunityId.of(FlowKey.of(58, "fd77::1", 0, "fd77::2", 0), 0)).isEmpty();
        assertThat(CommunityId.of(FlowKey.of(0, "10.0.0.1", 0, "10.0.0.2", 0), 0)).isEmpty();
    }
}
