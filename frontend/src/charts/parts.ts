// Pieces of ECharts options that several kinds use.
import { text } from "../lib/texts.ts";
import type { Nullable, Span } from "./intervals.ts";
import type { Look } from "./look.ts";

/** Wh as kWh for the axis; a missing value stays missing. */
export function kilo(wh: Nullable): number | null {
  return typeof wh === "number" ? wh / 1000 : null;
}

/** Options that hold for every chart: no motion of its own, nothing that would need inline styles. */
export function baseOption(): object {
  return { animation: false, backgroundColor: "transparent" };
}

export function shade(spans: readonly (Span & { colour: string })[], look: Look): object {
  return {
    silent: true,
    label: { show: false, fontFamily: look.font },
    data: spans.map(({ start, end, colour }) => [{ xAxis: start, itemStyle: { color: colour } }, { xAxis: end }]),
    z: 0,
  };
}

/** A thin line at the present moment, with its word. */
export function nowLine(now: string | null | undefined, look: Look): object[] {
  if (typeof now !== "string") return [];
  return [
    {
      type: "bar",
      data: [],
      markLine: {
        silent: true,
        symbol: "none",
        data: [{ xAxis: Date.parse(now) }],
        lineStyle: { color: look.colours.axis, width: 1, type: "solid" },
        label: { formatter: text("now"), position: "end", color: look.colours.axis, fontFamily: look.font, fontSize: 11, distance: 4 },
      },
    },
  ];
}

const hatches = new Map<string, object>();

/** A fill of slanted lines, for values that are estimated. */
export function hatch(colour: string, ground: string): object {
  const key = `${colour}|${ground}`;
  const known = hatches.get(key);
  if (known) return known;
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  if (pen) {
    pen.fillStyle = ground;
    pen.fillRect(0, 0, 8, 8);
    pen.strokeStyle = colour;
    pen.lineWidth = 2.5;
    pen.beginPath();
    for (const shift of [-8, 0, 8]) {
      pen.moveTo(shift - 1, 9);
      pen.lineTo(shift + 9, -1);
    }
    pen.stroke();
  }
  const fill = { image: tile, repeat: "repeat" };
  hatches.set(key, fill);
  return fill;
}
