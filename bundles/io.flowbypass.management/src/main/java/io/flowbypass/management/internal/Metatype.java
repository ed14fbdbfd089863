// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import io.flowbypass.management.internal.Setting.Type;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.math.BigDecimal;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.osgi.framework.Bundle;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * What the Metatype resources of a bundle say of one configuration. Read from the XML, because MetaTypeService gives no
 * bounds and no unit. Immutable.
 *
 * @param description of the whole; possibly empty
 * @param settings in the order of the file
 */
record Metatype(String description, List<Setting> settings) {
    /** Nothing is known of it. */
    static final Metatype NONE = new Metatype("", List.of());

    private static final Logger LOG = System.getLogger(Metatype.class.getName());
    private static final String DIRECTORY = "OSGI-INF/metatype";

    /**
     * Reads the Metatype of a configuration.
     *
     * @param pid PID, or PID of the factory
     * @return {@link #NONE} where the bundle has none for it, or one that cannot be read
     */
    static Metatype of(Bundle bundle, String pid) {
        List<URL> files = Optional.ofNullable(bundle.findEntries(DIRECTORY, "*.xml", false)).map(Collections::list)
                .orElseGet(ArrayList::new);
        for (URL file : files) {
            try (InputStream xml = file.openStream()) {
                Optional<Metatype> found = read(xml, pid);
                if (found.isPresent()) {
                    return found.get();
                }
            } catch (IOException | SAXException | IllegalArgumentException e) {
                LOG.log(Level.WARNING, "Metatype " + file + " cannot be read, so " + pid
                        + " cannot be set over JMX; mend the file", e);
            }
        }
        return NONE;
    }

    /**
     * Reads one Metatype resource.
     *
     * @return empty where it designates no such PID
     * @throws SAXException when it is not well-formed, or has a DOCTYPE
     * @throws IllegalArgumentException when an attribute has an unknown type
     */
    static Optional<Metatype> read(InputStream xml, String pid) throws IOException, SAXException {
        Element root;
        try {
            // Karaf puts a version of this class before the JDK's that has no newDefaultNSInstance().
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setNamespaceAware(true);
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            DocumentBuilder parser = factory.newDocumentBuilder();
            parser.setErrorHandler(null); // the default one prints
            root = parser.parse(xml).getDocumentElement();
        } catch (ParserConfigurationException e) {
            throw new IllegalStateException("the XML parser refuses to forbid a DOCTYPE", e);
        }
        return designated(root, pid).flatMap(ocd -> children(root, "OCD").filter(has("id", ocd)).findFirst())
                .map(ocd -> new Metatype(ocd.getAttribute("description"),
                        children(ocd, "AD").map(Metatype::setting).toList()));
    }

    private static Optional<String> designated(Element root, String pid) {
        return children(root, "Designate").filter(has("pid", pid).or(has("factoryPid", pid))).findFirst()
                .flatMap(designate -> children(designate, "Object").findFirst())
                .map(object -> object.getAttribute("ocdref"));
    }

    private static Predicate<Element> has(String attribute, String value) {
        return element -> element.getAttribute(attribute).equals(value);
    }

    private static Setting setting(Element ad) {
        String cardinality = ad.getAttribute("cardinality");
        Type type = type(ad.getAttribute("id"), ad.getAttribute("type"));
        String text = ad.getAttribute("description").isEmpty() ? ad.getAttribute("name") : ad.getAttribute("description");
        return new Setting(ad.getAttribute("id"), type, !cardinality.isEmpty() && !cardinality.equals("0"), text,
                ad.hasAttribute("default") ? ad.getAttribute("default") : null, bound(ad, "min"), bound(ad, "max"),
                children(ad, "Option").map(option -> option.getAttribute("value")).toList());
    }

    private static Type type(String id, String name) {
        String known = name.equals("Char") ? "CHARACTER" : name.toUpperCase(Locale.ROOT);
        return Stream.of(Type.values()).filter(type -> type.name().equals(known)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("attribute " + id + " has the unknown type " + name));
    }

    private static BigDecimal bound(Element ad, String name) {
        if (!ad.hasAttribute(name)) {
            return null;
        }
        try {
            return new BigDecimal(ad.getAttribute(name).strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("attribute " + ad.getAttribute("id") + " has the " + name + " "
                    + ad.getAttribute(name) + ", which is no number", e);
        }
    }

    private static Stream<Element> children(Element parent, String name) {
        NodeList nodes = parent.getElementsByTagNameNS("*", name);
        return IntStream.range(0, nodes.getLength()).mapToObj(nodes::item).map(Element.class::cast);
    }
}
