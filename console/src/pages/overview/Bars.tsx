import BarChart from "@cloudscape-design/components/bar-chart";
import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";

export interface Bar {
  x: string;
  y: number;
}

/** A chart of shares, 0 to 1. `empty` says when there will be something to see. */
export function Bars(props: {
  title: string;
  about: string;
  across: string;
  bars: Bar[];
  format: (value: number) => string;
  empty: string;
}) {
  const { title, about, across, bars, format, empty } = props;
  return (
    <Container fitHeight header={<Header variant="h2" description={about}>{title}</Header>}>
      <BarChart
        // An empty chart would still draw its axis titles around the words that replace it.
        series={bars.length ? [{ type: "bar", title, data: bars, valueFormatter: format }] : []}
        xDomain={bars.map((bar) => bar.x)}
        yDomain={[0, 1]}
        xTitle={across}
        yTickFormatter={format}
        height={200}
        hideFilter
        hideLegend
        ariaLabel={title}
        ariaDescription={bars.map((bar) => `${bar.x}: ${format(bar.y)}`).join(", ")}
        empty={<Box color="text-status-inactive">{empty}</Box>}
      />
    </Container>
  );
}
