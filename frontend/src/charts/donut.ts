// donut: shares of a whole, such as participation.
//
// {"slices": [{"label": "Joined", "value": 12, "kind": "in|out|waiting|none"}], "centre_value": "80 %", "centre_label": "joined", "unit": "events"}
import type { ChartKind, LegendEntry } from "./kinds.ts";
import type { Colour, Look } from "./look.ts";
import { baseOption } from "./parts.ts";
import { plain } from "../lib/format.ts";

type SliceKind = "in" | "out" | "waiting" | "none";

export interface DonutData {
  slices: { label: string; value: number; kind: SliceKind }[];
  centre_value?: string;
  centre_label?: string;
  unit?: string;
}

const COLOURS: Record<SliceKind, Colour> = { in: "metered", out: "delivered", waiting: "baseline", none: "waiting" };

export function donut(data: DonutData): ChartKind {
  const total = (): number => data.slices.reduce((sum, { value }) => sum + value, 0);
  const amount = (value: number): string => `${plain(value)}${data.unit ? `\u00a0${data.unit}` : ""}`;
  const share = (value: number): string => `${total() > 0 ? Math.round((100 * value) / total()) : 0}\u00a0%`;
  const swatch = (kind: SliceKind): string => `series-${COLOURS[kind]}`;
  return {
    size: () => data.slices.length,
    option: (look) => ({ ...baseOption(), series: [ring(data, look)] }),
    place: (index) => {
      const slice = data.slices[index];
      if (!slice) return { title: "", readings: [] };
      return { title: slice.label, readings: [{ label: amount(slice.value), value: share(slice.value), swatch: swatch(slice.kind) }] };
    },
    legend: () => data.slices.map(({ label, value, kind }): LegendEntry => ({ label, value: plain(value), swatch: swatch(kind) })),
  };
}

function ring(data: DonutData, look: Look): object {
  const { colours, font } = look;
  return {
    type: "pie",
    radius: ["66%", "92%"],
    padAngle: data.slices.filter(({ value }) => value > 0).length > 1 ? 2 : 0,
    emphasis: { scale: false },
    itemStyle: { borderRadius: 4 },
    labelLine: { show: false },
    label: {
      show: true,
      position: "center",
      formatter: `{value|${data.centre_value ?? ""}}\n{label|${data.centre_label ?? ""}}`,
      rich: {
        value: { fontSize: 26, fontWeight: 600, fontFamily: font, color: colours.text, lineHeight: 34 },
        label: { fontSize: 13, fontFamily: font, color: colours.axis, lineHeight: 18 },
      },
    },
    data: data.slices.map(({ label, value, kind }) => ({ name: label, value, itemStyle: { color: colours[COLOURS[kind]] } })),
  };
}
