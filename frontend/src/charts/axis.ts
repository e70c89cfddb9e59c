// The time axis: labels stand at round times of the reader's zone, which an axis in UTC or browser time cannot know.
import { localParts, time, type TimeStyle } from "../lib/format.ts";
import type { Span } from "./intervals.ts";
import type { Look } from "./look.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Ticks {
  readonly at: number[];
  readonly label: (moment: number) => string;
}

/** Round local times between two moments, about one per `room` pixels. */
export function ticksOf(spans: readonly Span[], zone: string, resolution: string | undefined, look: Look): Ticks {
  const most = Math.max(2, Math.floor(look.width / 72));
  const first = spans[0]?.start ?? 0;
  const last = spans.at(-1)?.end ?? 0;
  if (resolution === "P1D" || resolution === "P1M") return middles(spans, zone, resolution, most);
  const length = last - first;
  if (length <= 3 * HOUR) return minuteTicks(first, last, zone, most);
  if (length <= 3 * DAY) return hourTicks(first, last, zone, most);
  return dayTicks(first, last, zone, most);
}

/** Bars of whole days or months carry their label below their middle. */
function middles(spans: readonly Span[], zone: string, resolution: string, most: number): Ticks {
  const every = Math.ceil(spans.length / most);
  const shown = spans.filter((_, index) => index % every === 0);
  const starts = new Map(shown.map(({ start, end }) => [(start + end) / 2, start]));
  const style: TimeStyle = resolution === "P1M" ? "month" : spans.length <= 8 && most >= 7 ? "weekday" : "day";
  return { at: [...starts.keys()], label: (moment) => time(starts.get(moment) ?? moment, zone, style) };
}

function minuteTicks(first: number, last: number, zone: string, most: number): Ticks {
  const step = [1, 2, 5, 10, 15, 30, 60].find((minutes) => (last - first) / (minutes * MINUTE) <= most) ?? 60;
  const at = every(first, last, MINUTE).filter((moment) => localParts(moment, zone).minute % step === 0);
  return { at, label: (moment) => time(moment, zone, "time") };
}

function hourTicks(first: number, last: number, zone: string, most: number): Ticks {
  const step = [1, 2, 3, 4, 6, 12, 24].find((hours) => (last - first) / (hours * HOUR) <= most) ?? 24;
  // Zones lie a quarter hour off the full one at most, so quarter hours find every local hour.
  const at = every(first, last, 15 * MINUTE).filter((moment) => {
    const { hour, minute } = localParts(moment, zone);
    return minute === 0 && hour % step === 0;
  });
  const label = (moment: number): string =>
    localParts(moment, zone).hour === 0 && last - first > DAY ? time(moment, zone, "day") : time(moment, zone, "time");
  return { at, label };
}

function dayTicks(first: number, last: number, zone: string, most: number): Ticks {
  const midnights = every(first, last, 15 * MINUTE).filter((moment) => {
    const { hour, minute } = localParts(moment, zone);
    return hour === 0 && minute === 0;
  });
  const step = Math.ceil(midnights.length / most);
  return { at: midnights.filter((_, index) => index % step === 0), label: (moment) => time(moment, zone, "day") };
}

function every(first: number, last: number, step: number): number[] {
  const from = Math.ceil(first / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((last - from) / step) + 1) }, (_, index) => from + index * step);
}

/** Both axes and the grid, the same in every chart over time. */
export function axes(spans: readonly Span[], zone: string, resolution: string | undefined, unit: string, look: Look): object {
  const { at, label } = ticksOf(spans, zone, resolution, look);
  const { axis, grid } = look.colours;
  const text = { color: axis, fontFamily: look.font, fontSize: 12 };
  return {
    grid: { left: 2, right: 10, top: 30, bottom: 2, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: {
      type: "value",
      min: spans[0]?.start,
      max: spans.at(-1)?.end,
      axisLine: { show: true, onZero: false, lineStyle: { color: grid } },
      axisTick: { show: true, customValues: at, lineStyle: { color: grid } },
      axisLabel: { ...text, customValues: at, formatter: label, hideOverlap: true, margin: 10 },
      splitLine: { show: false },
      containShape: false,
    },
    yAxis: {
      type: "value",
      name: unit,
      nameGap: 14,
      nameTextStyle: { ...text, align: "left", padding: [0, 0, 0, -4] },
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: text,
      splitNumber: 4,
      splitLine: { lineStyle: { color: grid } },
    },
  };
}
