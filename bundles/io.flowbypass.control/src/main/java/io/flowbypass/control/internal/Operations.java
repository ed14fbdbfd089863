// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

import com.fasterxml.jackson.core.JsonGenerator;
import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.NeverCutException;
import io.flowbypass.flow.Origin;
import io.flowbypass.flow.Protocols;
import io.flowbypass.flow.TableFullException;
import io.flowbypass.flow.TableStatistics;
import io.flowbypass.xdp.Attachment;
import io.flowbypass.xdp.DataPlane;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/** Does what clients ask for. Thread-safe; waits for nothing. */
final class Operations {
    private static final Logger LOG = System.getLogger(Operations.class.getName());
    private static final int RECORD_SECONDS = 10;
    private static final int PERCENT = 100;
    private static final long STATISTICS_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final FlowTable table;
    private final DataPlane dataPlane;
    private final Counters counters;
    private final Quota quota;
    private final LongSupplier nanoClock;
    private volatile int sharePercent;
    /** Null at first. */
    private TableStatistics statistics;
    private long statisticsAt;

    Operations(FlowTable table, DataPlane dataPlane, Counters counters, Limits limits, LongSupplier nanoClock) {
        this.table = table;
        this.dataPlane = dataPlane;
        this.counters = counters;
        this.nanoClock = nanoClock;
        quota = new Quota(limits.cutsPerSecond(), nanoClock);
        sharePercent = limits.sharePercent();
    }

    void setLimits(Limits limits) {
        quota.setPerSecond(limits.cutsPerSecond());
        sharePercent = limits.sharePercent();
    }

    /**
     * Answers a line.
     *
     * @param asker for whom the kernel says that the client runs
     * @return completes with the answer, which ends with a line feed; never exceptionally
     */
    CompletableFuture<byte[]> answer(char[] line, int length, String asker) {
        counters.requests.increment();
        Request request = new Request();
        try {
            request.read(line, length);
            return answer(request, asker);
        } catch (RuntimeException e) {
            return CompletableFuture.completedFuture(refused(request.id(), e));
        }
    }

    /** Refuses a line that cannot be read. */
    CompletableFuture<byte[]> refused(String message) {
        counters.requests.increment();
        return CompletableFuture.completedFuture(refused(null, RefusedException.badRequest(message)));
    }

    private byte[] refused(Long id, Throwable why) {
        Refusal refusal = refusal(why);
        counters.countRefused(refusal);
        return Answers.refused(id, refusal, why.getMessage());
    }

    private static Refusal refusal(Throwable why) {
        if (why instanceof RefusedException refused) {
            return refused.refusal();
        }
        if (why instanceof TableFullException) {
            return Refusal.TABLE_FULL;
        }
        if (why instanceof NeverCutException) {
            return Refusal.NEVER_CUT;
        }
        if (why instanceof IllegalArgumentException) {
            return Refusal.BAD_REQUEST;
        }
        if (!(why instanceof IllegalStateException)) {
            LOG.log(Level.WARNING, "a request could not be answered", why);
        }
        return Refusal.UNAVAILABLE;
    }

    private CompletableFuture<byte[]> answer(Request request, String asker) {
        return switch (request.op()) {
            case CUT -> done(request, cut(request, asker));
            case RELEASE -> release(request);
            case FIND -> done(request, find(request));
            case LIST -> done(request, list(request));
            case STATUS -> done(request, status());
            case PAUSE -> done(request, pause(true, asker));
            case RESUME -> done(request, pause(false, asker));
            case PING -> done(request, json -> { });
        };
    }

    private static CompletableFuture<byte[]> done(Request request, Answers.Content content) {
        return CompletableFuture.completedFuture(Answers.done(request.id(), content));
    }

    private Answers.Content cut(Request request, String asker) {
        BypassRequest bypass = request.bypass().withAsker(asker);
        Origin origin = bypass.origin();
        if (!Protocols.hasPorts(bypass.key().protocol()) && !bypass.hostPair()) {
            throw new RefusedException(Refusal.PORTLESS, bypass.key() + " has no ports: all of its protocol between the two"
                    + " addresses would be cut; ask with \"host_pair\":true if that is meant");
        }
        if (!quota.take(origin)) {
            throw new RefusedException(Refusal.RATE, "origin " + name(origin) + " asks for more cuts in a second than"
                    + " cuts.per.second in io.flowbypass.control allows");
        }
        int capacity = dataPlane.capacity();
        int active = table.activeFlows(origin);
        if (active >= (long) capacity * sharePercent / PERCENT && table.find(bypass.key()).isEmpty()) {
            throw new RefusedException(Refusal.SHARE, "origin " + name(origin) + " has " + active + " of " + capacity
                    + " flows, its share of the table: share.percent in io.flowbypass.control is " + sharePercent);
        }
        boolean added = table.bypass(bypass);
        return json -> json.writeBooleanField("added", added);
    }

    private CompletableFuture<byte[]> release(Request request) {
        FlowKey key = request.key();
        return table.release(key).orTimeout(RECORD_SECONDS, TimeUnit.SECONDS)
                .handle((record, failure) -> released(request, key, record, failure));
    }

    private byte[] released(Request request, FlowKey key, Optional<FlowRecord> record, Throwable failure) {
        if (failure != null) {
            return refused(request.id(), new IllegalStateException(failure instanceof TimeoutException
                    ? key + " is released, but its record is not complete after " + RECORD_SECONDS
                            + " s; it reaches the listeners later"
                    : key + " could not be released: " + failure.getMessage(), failure));
        }
        return record.map(ended -> Answers.done(request.id(), json -> {
            json.writeFieldName("flow");
            Answers.write(json, ended.fields());
        })).orElseGet(() -> refused(request.id(), notFound(key)));
    }

    private static RefusedException notFound(FlowKey key) {
        return new RefusedException(Refusal.NOT_FOUND, key + " is not bypassed");
    }

    private Answers.Content find(Request request) {
        FlowKey key = request.key();
        FlowState flow = table.find(key).orElseThrow(() -> notFound(key));
        return json -> {
            json.writeFieldName("flow");
            Answers.write(json, flow.fields());
        };
    }

    private Answers.Content list(Request request) {
        // A page beyond the last flow would be looked for in the whole table.
        List<FlowState> flows = request.offset() < active() ? table.list(request.offset(), request.limit()) : List.of();
        return json -> {
            json.writeNumberField("offset", request.offset());
            json.writeBooleanField("more", flows.size() == request.limit());
            json.writeArrayFieldStart("flows");
            for (FlowState flow : flows) {
                Answers.write(json, flow.fields());
            }
            json.writeEndArray();
        };
    }

    private int active() {
        return Stream.of(Origin.values()).mapToInt(table::activeFlows).sum();
    }

    /** Not much older than the request: they are a scan of the table. */
    private synchronized TableStatistics statistics() {
        long now = nanoClock.getAsLong();
        if (statistics == null || now - statisticsAt > STATISTICS_NANOS) {
            statistics = table.statistics();
            statisticsAt = now;
        }
        return statistics;
    }

    private Answers.Content pause(boolean paused, String asker) {
        if (paused != dataPlane.paused()) {
            dataPlane.setPaused(paused);
            LOG.log(Level.INFO, "{0} {1} cutting, over the control socket", asker, paused ? "pauses" : "resumes");
        }
        return json -> { };
    }

    private Answers.Content status() {
        TableStatistics now = statistics();
        List<Attachment> attachments = dataPlane.attachments();
        return json -> {
            json.writeBooleanField("paused", dataPlane.paused());
            json.writeNumberField("lease_seconds", dataPlane.leaseSeconds());
            json.writeNumberField("lease_age_ms", dataPlane.leaseAgeMillis());
            json.writeArrayFieldStart("interfaces");
            for (Attachment attachment : attachments) {
                attachment(json, attachment);
            }
            json.writeEndArray();
            json.writeObjectFieldStart("table");
            json.writeNumberField("capacity", now.capacity());
            json.writeNumberField("active_flows", active());
            json.writeNumberField("closing_flows", now.closingFlows());
            for (Origin origin : Origin.values()) {
                json.writeNumberField("active_" + name(origin), table.activeFlows(origin));
            }
            json.writeNumberField("flows_added", now.flowsAdded());
            json.writeNumberField("flows_ended", now.flowsEnded());
            json.writeNumberField("refused_bypasses", now.refusedBypasses());
            json.writeNumberField("undelivered_records", now.undeliveredRecords());
            json.writeNumberField("bypassed_packets", now.bypassedPackets());
            json.writeNumberField("bypassed_bytes", now.bypassedBytes());
            json.writeNumberField("unaccounted_packets", now.unaccountedPackets());
            json.writeEndObject();
            json.writeObjectFieldStart("control");
            json.writeNumberField("connections", counters.connections.get());
            json.writeNumberField("accepted", counters.accepted.sum());
            json.writeNumberField("turned_away", counters.turnedAway.sum());
            json.writeNumberField("closed_as_slow", counters.closedAsSlow.sum());
            json.writeNumberField("closed_as_silent", counters.closedAsSilent.sum());
            json.writeNumberField("requests", counters.requests.sum());
            json.writeObjectFieldStart("refused");
            for (Refusal refusal : Refusal.values()) {
                json.writeNumberField(refusal.counter(), counters.refused(refusal));
            }
            json.writeEndObject();
            json.writeEndObject();
        };
    }

    private static void attachment(JsonGenerator json, Attachment attachment) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", attachment.interfaceName());
        json.writeStringField("mode", attachment.mode());
        json.writeBooleanField("attached", attachment.attached());
        if (!attachment.problem().isEmpty()) {
            json.writeStringField("problem", attachment.problem());
        }
        json.writeEndObject();
    }

    private static String name(Origin origin) {
        return origin.name().toLowerCase(Locale.ROOT);
    }
}
