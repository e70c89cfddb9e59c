// event: mean power in steps. Metered against baseline, the delivered part between them filled, the target as a line, the event's
// window shaded; grows while the event runs.
//
// {"zone": "…", "interval_s": 900, "start": ["…Z"], "baseline_wh": [], "metered_wh": [], "target_wh": [],
//  "window": {"start": "…Z", "end": "…Z"}, "baseline_label": "Baseline", "now": "…Z"}
// target_wh, window, baseline_label and now may be left out; null means no reading yet.
import { power, time } from "../lib/format.ts";
import { text } from "../lib/texts.ts";
import { axes } from "./axis.ts";
import { indexAt, mergeRow, spansOf, type IntervalColumns, type Nullable, type Span } from "./intervals.ts";
import type { ChartKind, LegendEntry, Place, Reading } from "./kinds.ts";
import type { Look } from "./look.ts";
import { baseOption, nowLine, shade } from "./parts.ts";
import { stepArea, stepLine } from "./steps.ts";

export interface EventData extends IntervalColumns {
  interval_s: number;
  baseline_wh: Nullable[];
  metered_wh: Nullable[];
  target_wh?: Nullable[];
  window?: { start: string; end: string };
  baseline_label?: string;
}

export function event(data: EventData): ChartKind {
  return {
    size: () => data.start.length,
    option: (look) => ({ ...baseOption(), ...axes(spansOf(data), data.zone, undefined, "kW", look), series: series(data, look) }),
    place: (index) => place(data, index),
    legend: () => legend(data),
    indexAt: (x) => indexAt(spansOf(data), x),
    merge: (row) => mergeRow(data, row),
  };
}

function series(data: EventData, look: Look): object[] {
  const spans = spansOf(data);
  const { colours } = look;
  const kilowatts = (wh: Nullable): number | null => (typeof wh === "number" ? (wh * 3.6) / data.interval_s : null);
  const window = windowOf(data);
  const metered = data.metered_wh.map(kilowatts);
  const baseline = data.baseline_wh.map(kilowatts);
  const inWindow = (index: number): boolean => isInside(spans[index], window);
  const saved = (index: number): boolean => inWindow(index) && (metered[index] ?? 0) <= (baseline[index] ?? 0);
  const wasted = (index: number): boolean => inWindow(index) && !saved(index);
  return [
    stepArea(spans, baseline, metered, { colour: colours.delivered, opacity: 0.38, where: saved }),
    stepArea(spans, baseline, metered, { colour: colours.negative, opacity: 0.45, where: wasted }),
    {
      ...stepLine(spans, baseline, { colour: colours.baseline, dash: [6, 4] }),
      markArea: shade(window ? [{ ...window, colour: colours.window }] : [], look),
    },
    ...(data.target_wh ? [stepLine(spans, data.target_wh.map(kilowatts), { colour: colours.target, dash: [2, 3] })] : []),
    stepLine(spans, metered, { colour: colours.metered, z: 5 }),
    ...nowLine(data.now, look),
  ];
}

function isInside(span: Span | undefined, window: Span | undefined): boolean {
  return span !== undefined && window !== undefined && span.start >= window.start && span.end <= window.end;
}

function windowOf(data: EventData): Span | undefined {
  return data.window ? { start: Date.parse(data.window.start), end: Date.parse(data.window.end) } : undefined;
}

function baselineLabel(data: EventData): string {
  return data.baseline_label ?? text("baseline");
}

function legend(data: EventData): LegendEntry[] {
  const usedMore = data.start.some((_, index) => (data.metered_wh[index] ?? 0) > (data.baseline_wh[index] ?? Infinity));
  return [
    { label: text("metered"), swatch: "series-metered swatch-line" },
    { label: baselineLabel(data), swatch: "series-baseline swatch-dashed" },
    ...(data.window ? [{ label: text("delivered"), swatch: "series-delivered" }] : []),
    ...(data.window && usedMore ? [{ label: text("used_more"), swatch: "series-negative" }] : []),
    ...(data.target_wh ? [{ label: text("target"), swatch: "series-target swatch-dashed" }] : []),
    ...(data.window ? [{ label: text("event"), swatch: "series-window" }] : []),
  ];
}

function place(data: EventData, index: number): Place {
  const span = spansOf(data)[index] ?? { start: 0, end: 0 };
  const watts = (wh: number): string => power((wh * 3600) / data.interval_s);
  const { metered_wh, baseline_wh } = data;
  const [used, expected, target] = [metered_wh[index], baseline_wh[index], data.target_wh?.[index]];
  const readings: Reading[] = [
    { label: text("metered"), value: typeof used === "number" ? watts(used) : text("no_reading"), swatch: "series-metered swatch-line" },
  ];
  if (typeof expected === "number") readings.push({ label: baselineLabel(data), value: watts(expected), swatch: "series-baseline swatch-dashed" });
  if (typeof target === "number") readings.push({ label: text("target"), value: watts(target), swatch: "series-target swatch-dashed" });
  const window = windowOf(data);
  const inside = isInside(span, window);
  if (inside && typeof used === "number" && typeof expected === "number") {
    const swatch = used <= expected ? "series-delivered" : "series-negative";
    readings.push({ label: text("delivered"), value: watts(expected - used), swatch });
  }
  const title = `${time(span.start, data.zone, "dayTime")} – ${time(span.end, data.zone, "time")}`;
  return { title, readings, note: inside ? text("event") : undefined, from: span.start, to: span.end };
}
