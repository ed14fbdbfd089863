// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

import io.flowbypass.flow.FlowTable;
import io.flowbypass.policy.Bounds;
import io.flowbypass.xdp.DataPlane;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * The control socket, there as long as the flow table and the data plane are. A configuration out of range is refused with
 * {@link IllegalArgumentException}; on a change the old values then stay in force. Where the socket cannot be made, the log
 * says why, and the next change of the configuration tries again.
 */
@Component(service = {}, immediate = true, configurationPid = ControlSocket.PID)
@Designate(ocd = ControlSocket.Config.class)
public final class ControlSocket {
    static final String PID = "io.flowbypass.control";

    private static final Logger LOG = System.getLogger(ControlSocket.class.getName());

    /** Configuration. */
    @ObjectClassDefinition(name = "Flowbypass control socket",
            description = "A Unix socket at which monitors and scripts of this machine ask, in lines of JSON.")
    public @interface Config {
        /** Where it is. */
        @AttributeDefinition(name = "Path", description = "The socket's path, at most 100 bytes or so. The directory is made"
                + " when it is not there.")
        String socket_path() default "/run/flowbypass/ctl.sock";

        /** Who may ask. */
        @AttributeDefinition(name = "Group", description = "The group whose members may ask, besides the user who runs"
                + " Flowbypass and root. Empty: that user's own group.")
        String socket_group() default "";

        /** Clients. */
        @AttributeDefinition(name = "Connections", min = "1", max = "1000",
                description = "How many clients may be connected at a time.")
        int connections() default 64;

        /** Cuts in a second. */
        @AttributeDefinition(name = "Cuts per second", min = "1", max = "1000000",
                description = "How many cuts all askers of one origin may ask for in a second; what is more is refused.")
        int cuts_per_second() default 5000;

        /** Percent of the table. */
        @AttributeDefinition(name = "Share of the table", min = "1", max = "100",
                description = "How much of the table all askers of one origin may fill; what is more is refused.")
        int share_percent() default 80;
    }

    private final Counters counters = new Counters();
    private final Operations operations;
    private final Server server;
    /** Null where it could not be made. */
    private SocketFile file;
    private String group;

    /** Opens it. */
    @Activate
    public ControlSocket(@Reference FlowTable table, @Reference DataPlane dataPlane, Config config) throws IOException {
        Limits limits = limits(config);
        operations = new Operations(table, dataPlane, counters, limits, System::nanoTime);
        server = new Server(operations, counters, limits);
        place(config);
    }

    @Modified
    void modified(Config config) {
        Limits limits = limits(config);
        operations.setLimits(limits);
        server.setLimits(limits);
        place(config);
    }

    private static Limits limits(Config config) {
        return new Limits(Bounds.check(PID, "connections", config.connections(), 1, 1000, "connections"),
                Bounds.check(PID, "cuts.per.second", config.cuts_per_second(), 1, 1_000_000, "cuts"),
                Bounds.check(PID, "share.percent", config.share_percent(), 1, 100, "percent"));
    }

    private void place(Config config) {
        Path path = Path.of(config.socket_path());
        try {
            if (file == null || !file.path().equals(path)) {
                SocketFile old = file;
                file = SocketFile.open(path, config.socket_group());
                server.listen(file.channel());
                LOG.log(Level.INFO, "control socket {0}", path);
                if (old != null) {
                    old.close();
                }
            } else if (!config.socket_group().equals(group)) {
                file.permit(config.socket_group());
            }
            group = config.socket_group();
        } catch (IOException | RuntimeException e) {
            LOG.log(Level.ERROR, "the control socket cannot be at {0}{1}: {2}. {3}", path,
                    config.socket_group().isEmpty() ? "" : " for the group " + config.socket_group(), message(e),
                    file == null ? "Until socket.path or socket.group in " + PID + " is mended, nobody can ask there."
                            : "It stays at " + file.path() + " as it was.");
        }
    }

    /** Of one that tells a file, and not what happened to it, also the class. */
    private static String message(Exception e) {
        return e instanceof FileSystemException ? e.toString() : e.getMessage();
    }

    @Deactivate
    void deactivate() throws IOException {
        server.close();
        if (file != null) {
            file.close();
        }
    }
}
