// Lines that hold their value over each interval, and areas between two of them, drawn point by point: the line chart of ECharts
// leaves out points that lie close together, which slants small steps, and a rectangle per interval shows seams.
import type { CustomSeriesOption } from "echarts/charts";
import type { Nullable, Span } from "./intervals.ts";

type Point = [number, number];

interface LineStyle {
  readonly colour: string;
  readonly dash?: number[];
  readonly z?: number;
}

/** A line in steps; it breaks where a value is missing. */
export function stepLine(spans: readonly Span[], values: readonly Nullable[], style: LineStyle): CustomSeriesOption {
  const lengths = runLengths(spans, (index) => typeof values[index] === "number");
  const pen = { fill: "none", stroke: style.colour, lineWidth: 2, lineJoin: "round" as const, ...(style.dash ? { lineDash: style.dash } : {}) };
  return {
    ...series(spans, [values], style.z ?? 4),
    renderItem: ({ dataIndex }, api) => {
      const points = edge(spans, values, dataIndex, lengths[dataIndex] ?? 0, api.coord);
      return points.length > 0 ? { type: "polyline", shape: { points }, style: pen } : null;
    },
  };
}

interface AreaStyle {
  readonly colour: string;
  readonly opacity: number;
  /** Which intervals belong to the area. */
  readonly where?: (index: number) => boolean;
  readonly z?: number;
}

/** The area between two values per interval, in one piece for each run of intervals. */
export function stepArea(spans: readonly Span[], from: readonly Nullable[], to: readonly Nullable[], style: AreaStyle): CustomSeriesOption {
  const both = (index: number): boolean => typeof from[index] === "number" && typeof to[index] === "number";
  const lengths = runLengths(spans, (index) => both(index) && (style.where?.(index) ?? true));
  return {
    ...series(spans, [from, to], style.z ?? 2),
    renderItem: ({ dataIndex }, api) => {
      const length = lengths[dataIndex] ?? 0;
      if (length === 0) return null;
      const points = [...edge(spans, from, dataIndex, length, api.coord), ...edge(spans, to, dataIndex, length, api.coord).reverse()];
      return { type: "polygon", shape: { points }, style: { fill: style.colour, opacity: style.opacity } };
    },
  };
}

/** Data and axes: one row per interval, so that the axes know every value. */
function series(spans: readonly Span[], columns: readonly (readonly Nullable[])[], z: number): CustomSeriesOption {
  return {
    type: "custom",
    silent: true,
    clip: true,
    z,
    data: spans.map(({ start, end }, index) => [start, end, ...columns.map((column) => column[index] ?? "-")]),
    encode: { x: [0, 1], y: columns.map((_, column) => column + 2) },
  };
}

/** At the first interval of each run: how many intervals it has. Elsewhere 0. */
function runLengths(spans: readonly Span[], belongs: (index: number) => boolean): number[] {
  const lengths = spans.map(() => 0);
  let first = -1;
  spans.forEach((span, index) => {
    const continues = first >= 0 && spans[index - 1]?.end === span.start;
    if (!belongs(index)) first = -1;
    else if (!continues) first = index;
    if (first >= 0) lengths[first] = index - first + 1;
  });
  return lengths;
}

/** Both ends of every interval of a run, at its value, in pixels. */
function edge(spans: readonly Span[], values: readonly Nullable[], first: number, length: number, coord: (data: Point) => number[]): Point[] {
  return spans.slice(first, first + length).flatMap(({ start, end }, offset) => {
    const value = values[first + offset] ?? 0;
    return [start, end].map((moment) => coord([moment, value]) as Point);
  });
}
