// usage: bars of metered energy, a line (and band) of what was predicted, event windows shaded, estimated bars hatched, gaps empty.
//
// {"zone": "Europe/London", "resolution": "PT15M|PT30M|PT1H|P1D|P1M", "start": ["…Z"], "metered_wh": [820, null],
//  "predicted_wh": [], "predicted_low_wh": [], "predicted_high_wh": [], "quality": ["measured|estimated|missing"],
//  "events": [{"start": "…Z", "end": "…Z", "label": "Evening peak", "url": "/events/1/"}], "drill": ["?period=day&on=…"],
//  "predicted_label": "Predicted", "now": "…Z"}      only zone, resolution, start and metered_wh are required
import { energy, energyRange, time } from "../lib/format.ts";
import { text } from "../lib/texts.ts";
import { axes } from "./axis.ts";
import { indexAt, mergeRow, runs, spansOf, type IntervalColumns, type Nullable, type Span } from "./intervals.ts";
import type { ChartKind, LegendEntry, Place, Reading } from "./kinds.ts";
import type { Look } from "./look.ts";
import { baseOption, hatch, kilo, nowLine, shade } from "./parts.ts";
import { stepArea, stepLine } from "./steps.ts";

export interface UsageData extends IntervalColumns {
  metered_wh: Nullable[];
  predicted_wh?: Nullable[];
  predicted_low_wh?: Nullable[];
  predicted_high_wh?: Nullable[];
  quality?: string[];
  events?: { start: string; end: string; label: string; url?: string }[];
  drill?: (string | null)[];
  predicted_label?: string;
}

export function usage(data: UsageData): ChartKind {
  const eventSpans = (): (Span & { label: string })[] =>
    (data.events ?? []).map(({ start, end, label }) => ({ start: Date.parse(start), end: Date.parse(end), label }));
  return {
    size: () => data.start.length,
    option: (look) => ({ ...baseOption(), ...axes(spansOf(data), data.zone, data.resolution, "kWh", look), series: series(data, look, eventSpans()) }),
    place: (index) => place(data, index, eventSpans()),
    legend: () => legend(data),
    indexAt: (x) => indexAt(spansOf(data), x),
    merge: (row) => mergeRow(data, row),
  };
}

const isEstimated = (data: UsageData, index: number): boolean => data.quality?.[index] === "estimated";
const isMissing = (data: UsageData, index: number): boolean => typeof data.metered_wh[index] !== "number" && !isAhead(data, index);

/** Intervals that have not ended yet are not gaps. */
function isAhead(data: UsageData, index: number): boolean {
  const next = data.start[index + 1];
  const end = next === undefined ? (spansOf(data).at(-1)?.end ?? 0) : Date.parse(next);
  return typeof data.now === "string" && end > Date.parse(data.now);
}

function series(data: UsageData, look: Look, events: readonly (Span & { label: string })[]): object[] {
  const spans = spansOf(data);
  const { colours } = look;
  const bars = spans.map(({ start, end }, index) => ({
    value: [(start + end) / 2, kilo(data.metered_wh[index])],
    ...(isEstimated(data, index) ? { itemStyle: { color: hatch(colours.metered, colours.surface) } } : {}),
  }));
  const gaps = runs(spans, (index) => isMissing(data, index));
  return [
    ...band(data, spans, look),
    {
      type: "bar",
      data: bars,
      barWidth: spans.length > 60 ? "84%" : "72%",
      barMaxWidth: 56,
      itemStyle: { color: colours.metered, borderRadius: [2, 2, 0, 0] },
      cursor: data.drill ? "pointer" : "default",
      markArea: shade([...gaps.map((span) => ({ ...span, colour: colours.gap })), ...events.map((span) => ({ ...span, colour: colours.window }))], look),
      z: 3,
    },
    ...(data.predicted_wh ? [stepLine(spans, data.predicted_wh.map(kilo), { colour: colours.baseline })] : []),
    ...nowLine(data.now, look),
  ];
}

/** The range of the prediction, behind everything else. */
function band(data: UsageData, spans: readonly Span[], look: Look): object[] {
  const { predicted_low_wh: low, predicted_high_wh: high } = data;
  if (!low || !high) return [];
  return [stepArea(spans, low.map(kilo), high.map(kilo), { colour: look.colours.band, opacity: 1, z: 1 })];
}

function predictedLabel(data: UsageData): string {
  return data.predicted_label ?? text("predicted");
}

function legend(data: UsageData): LegendEntry[] {
  const has = (claim: (index: number) => boolean): boolean => data.start.some((_, index) => claim(index));
  return [
    { label: text("metered"), swatch: "series-metered" },
    ...(has((index) => isEstimated(data, index)) ? [{ label: text("estimated"), swatch: "series-metered swatch-hatched" }] : []),
    ...(data.predicted_wh ? [{ label: predictedLabel(data), swatch: "series-baseline swatch-line" }] : []),
    ...(data.predicted_low_wh ? [{ label: text("predicted_range"), swatch: "series-band" }] : []),
    ...(data.events?.length ? [{ label: text("event"), swatch: "series-window" }] : []),
    ...(has((index) => isMissing(data, index)) ? [{ label: text("no_reading"), swatch: "series-gap" }] : []),
  ];
}

function place(data: UsageData, index: number, events: readonly (Span & { label: string })[]): Place {
  const span = spansOf(data)[index] ?? { start: 0, end: 0 };
  const metered = data.metered_wh[index];
  const readings: Reading[] = [];
  if (typeof metered === "number" || !isAhead(data, index)) {
    const value = typeof metered === "number" ? energy(metered) : text("no_reading");
    readings.push({ label: text("metered"), value, swatch: "series-metered" });
  }
  const predicted = data.predicted_wh?.[index];
  if (typeof predicted === "number") readings.push({ label: predictedLabel(data), value: energy(predicted), swatch: "series-baseline swatch-line" });
  const low = data.predicted_low_wh?.[index];
  const high = data.predicted_high_wh?.[index];
  if (typeof low === "number" && typeof high === "number") {
    readings.push({ label: text("predicted_range"), value: energyRange(low, high), swatch: "series-band" });
  }
  const during = events.filter(({ start, end }) => start < span.end && end > span.start).map(({ label }) => label);
  const notes = [...(isEstimated(data, index) ? [text("estimated")] : []), ...during];
  return {
    title: titleOf(span, data),
    readings,
    note: notes.join(" · ") || undefined,
    url: data.drill?.[index] ?? undefined,
    from: span.start,
    to: span.end,
  };
}

function titleOf({ start, end }: Span, data: UsageData): string {
  if (data.resolution === "P1M") return time(start, data.zone, "monthYear");
  if (data.resolution === "P1D") return time(start, data.zone, "weekday");
  return `${time(start, data.zone, "dayTime")} – ${time(end, data.zone, "time")}`;
}
