// delivered: the statement. Signed bars of delivered energy per interval, over the steps of baseline and meter they come from.
//
// {"zone": "…", "interval_s": 900, "start": ["…Z"], "baseline_wh": [], "metered_wh": [], "delivered_wh": [], "amount_text": ["€ 0.12"]}
import { energy, time } from "../lib/format.ts";
import { text } from "../lib/texts.ts";
import { axes } from "./axis.ts";
import { indexAt, spansOf, type IntervalColumns, type Nullable } from "./intervals.ts";
import type { ChartKind, Place, Reading } from "./kinds.ts";
import type { Look } from "./look.ts";
import { baseOption, kilo } from "./parts.ts";
import { stepLine } from "./steps.ts";

export interface DeliveredData extends IntervalColumns {
  interval_s: number;
  baseline_wh: Nullable[];
  metered_wh: Nullable[];
  delivered_wh: Nullable[];
  amount_text?: (string | null)[];
}

export function delivered(data: DeliveredData): ChartKind {
  const usedMore = data.delivered_wh.some((wh) => typeof wh === "number" && wh < 0);
  return {
    size: () => data.start.length,
    option: (look) => ({ ...baseOption(), ...axes(spansOf(data), data.zone, undefined, "kWh", look), series: series(data, look) }),
    place: (index) => place(data, index),
    legend: () => [
      { label: text("delivered"), swatch: "series-delivered" },
      ...(usedMore ? [{ label: text("used_more"), swatch: "series-negative" }] : []),
      { label: text("baseline"), swatch: "series-baseline swatch-dashed" },
      { label: text("metered"), swatch: "series-metered swatch-line" },
    ],
    indexAt: (x) => indexAt(spansOf(data), x),
  };
}

function series(data: DeliveredData, look: Look): object[] {
  const spans = spansOf(data);
  const { colours } = look;
  const bars = spans.map(({ start, end }, index) => {
    const wh = data.delivered_wh[index];
    const below = typeof wh === "number" && wh < 0;
    const itemStyle = below ? { color: colours.negative, borderRadius: [0, 0, 3, 3] } : {};
    return { value: [(start + end) / 2, kilo(wh)], itemStyle };
  });
  return [
    { type: "bar", data: bars, barWidth: "62%", barMaxWidth: 64, itemStyle: { color: colours.delivered, borderRadius: [3, 3, 0, 0] }, silent: true },
    stepLine(spans, data.baseline_wh.map(kilo), { colour: colours.baseline, dash: [6, 4] }),
    stepLine(spans, data.metered_wh.map(kilo), { colour: colours.metered }),
  ];
}

function place(data: DeliveredData, index: number): Place {
  const span = spansOf(data)[index] ?? { start: 0, end: 0 };
  const readings: Reading[] = [];
  const add = (label: string, wh: Nullable, swatch: string): void => {
    readings.push({ label, value: typeof wh === "number" ? energy(wh) : text("no_reading"), swatch });
  };
  add(text("baseline"), data.baseline_wh[index], "series-baseline swatch-dashed");
  add(text("metered"), data.metered_wh[index], "series-metered swatch-line");
  const wh = data.delivered_wh[index];
  add(text("delivered"), wh, typeof wh === "number" && wh < 0 ? "series-negative" : "series-delivered");
  const amount = data.amount_text?.[index];
  if (amount) readings.push({ label: text("amount"), value: amount });
  const title = `${time(span.start, data.zone, "dayTime")} – ${time(span.end, data.zone, "time")}`;
  return { title, readings, from: span.start, to: span.end };
}
