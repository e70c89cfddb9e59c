// What a kind of chart is, to mount.ts: how its data is drawn, and what a reader hears or reads at each place of the cursor.
import type { EChartsCoreOption } from "echarts/core";
import type { Look } from "./look.ts";

/** One line of the reading at the cursor. */
export interface Reading {
  readonly label: string;
  readonly value: string;
  /** Classes of its swatch in chart.css, e.g. "series-metered". */
  readonly swatch?: string;
}

/** Everything the cursor says at one place. */
export interface Place {
  readonly title: string;
  readonly readings: readonly Reading[];
  readonly note?: string | undefined;
  /** Where Enter or a click leads. */
  readonly url?: string | undefined;
  /** The part of the x axis it covers, in its units; none for a chart without axes. */
  readonly from?: number;
  readonly to?: number;
}

export interface LegendEntry {
  readonly label: string;
  readonly swatch: string;
  readonly value?: string;
}

/** A chart of some data. The data may change (live rows); every method reads it as it is. */
export interface ChartKind {
  readonly size: () => number;
  readonly option: (look: Look) => EChartsCoreOption;
  readonly place: (index: number) => Place;
  readonly legend: () => LegendEntry[];
  /** The place at a moment of the x axis; none for a chart without axes. */
  readonly indexAt?: (x: number) => number;
  /** Take in one live row. */
  readonly merge?: (row: Readonly<Record<string, unknown>>) => void;
}
