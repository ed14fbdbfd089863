// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class ChartTest {
    private static final Machine MACHINE = new Machine("6.1.0", "A <fast> & \"new\" one", 2, "17.0.1+1", "Somebody", "0.1.0",
            "1.1");
    private static final Result RESULT = new Result("maps", Map.of(),
            List.of(new Figure("walk, Java", "ns/entry", List.of(100.0, 50.0, 200.0)),
                    new Figure("walk, C", "ns/entry", List.of(50.0)), new Figure("lost", "packets", List.of(0.0))),
            List.of(), List.of(new Goal("half", 2, 1), new Goal("over", 1, 5), new Goal("lost", 0, 0)));

    private static List<Element> elements(String name) throws Exception {
        Document svg = DocumentBuilderFactory.newInstance().newDocumentBuilder()
                .parse(new InputSource(new StringReader(Chart.of(RESULT, MACHINE))));
        NodeList all = svg.getElementsByTagName(name);
        return IntStream.range(0, all.getLength()).mapToObj(i -> (Element) all.item(i)).toList();
    }

    private static double width(Element bar) {
        return Double.parseDouble(bar.getAttribute("width"));
    }

    @Test
    void shouldHaveABarAsLongAsEachMedianInTheScaleOfItsUnit() throws Exception {
        List<Element> bars = elements("rect").stream().filter(bar -> bar.getAttribute("class").equals("bar")).toList();
        assertThat(bars).hasSize(3);
        // The longest repetition is 200, so 100 is half of what there is.
        assertThat(width(bars.get(0))).isEqualTo(185);
        assertThat(width(bars.get(1))).isEqualTo(92.5);
        assertThat(width(bars.get(2))).isZero();
    }

    @Test
    void shouldMarkEachGoalAndTellTheMetFromTheMissed() throws Exception {
        assertThat(elements("rect").stream().map(bar -> bar.getAttribute("class"))).containsSubsequence("met", "missed", "met");
        assertThat(elements("line").stream().filter(line -> line.getAttribute("class").equals("goal"))).hasSize(3)
                .allSatisfy(line -> assertThat(line.getAttribute("x1")).isEqualTo("585.0"));
        List<Double> bars = elements("rect").stream().filter(bar -> bar.getAttribute("class").matches("met|missed"))
                .map(ChartTest::width).toList();
        assertThat(bars).as("half of the limit, as far as it goes, nothing").containsExactly(92.5, 370.0, 0.0);
    }

    @Test
    void shouldSayWhatItWasMeasuredOnAsText() throws Exception {
        assertThat(elements("text").stream().map(Element::getTextContent)).contains(MACHINE.toString(), "walk, Java", "100",
                "5 of 1");
    }

    @Test
    void shouldBeReadableInLightAndDarkAndFetchNothing() {
        assertThat(Chart.of(RESULT, MACHINE)).contains("prefers-color-scheme: dark").doesNotContain("href", "url(", "@import");
    }

    @Test
    void shouldShowThreeDigitsThatSaySomething() {
        assertThat(List.of(1234567.8, 123.4, 12.34, 1.234, 0.01234, 0.0)).extracting(Chart::number)
                .containsExactly("1,234,568", "123", "12.3", "1.23", "0.0123", "0");
    }
}
