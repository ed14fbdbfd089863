// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal.chaos;

import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import java.util.ArrayList;
import java.util.List;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** The durable listener of a Flowbypass under load: what it has taken, the scenario gets. */
@Component(immediate = true, property = FlowListener.NAME + "=" + RecordSender.NAME)
public final class RecordSender implements FlowListener {
    static final String NAME = "load";
    private final Line line;

    /** Sends on that line. */
    @Activate
    public RecordSender(@Reference Line line) {
        this.line = line;
    }

    @Override
    public void ended(List<FlowRecord> records) {
        List<Message> messages = new ArrayList<>(records.size());
        records.forEach(record -> messages.add(message(record)));
        line.send(messages);
    }

    private static Message message(FlowRecord record) {
        // Table id, slot and generation.
        String[] id = record.id().split("-");
        FlowState flow = record.flow();
        boolean fromSource = Numbered.isFromSource(flow.key());
        DirectionCounts from = fromSource ? flow.forward() : flow.reverse();
        DirectionCounts to = fromSource ? flow.reverse() : flow.forward();
        return new Message(Message.RECORD, Numbered.of(flow.key()), Integer.parseInt(id[1]),
                Integer.parseUnsignedInt(id[2]), from.packets(), to.packets(), from.bytes(), to.bytes(),
                record.reason().code());
    }
}
