// What all charts over time share: columns of values, one row per interval, named by its start.
export type Nullable = number | null | undefined;

export interface IntervalColumns {
  /** IANA zone of the labels. */
  zone: string;
  /** ISO 8601 starts in UTC, sorted. */
  start: string[];
  /** The moment to mark, if any. */
  now?: string | null;
  /** Length of every interval in seconds, or a resolution; calendar lengths follow from the next start. */
  interval_s?: number;
  resolution?: "PT1M" | "PT5M" | "PT15M" | "PT30M" | "PT1H" | "P1D" | "P1M";
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

const FIXED_MS: Record<string, number> = {
  PT1M: 60_000,
  PT5M: 300_000,
  PT15M: 900_000,
  PT30M: 1_800_000,
  PT1H: 3_600_000,
};
const CALENDAR_MS: Record<string, number> = { P1D: 86_400_000, P1M: 30 * 86_400_000 };

/** The half-open span of every interval. A calendar day or month lasts until the next start (92 or 100 quarter hours count so). */
export function spansOf(data: IntervalColumns): Span[] {
  const starts = data.start.map((iso) => Date.parse(iso));
  const fixed = data.interval_s !== undefined ? data.interval_s * 1000 : FIXED_MS[data.resolution ?? ""];
  const usual = fixed ?? CALENDAR_MS[data.resolution ?? ""] ?? 900_000;
  return starts.map((start, index) => {
    const next = starts[index + 1];
    const end = fixed === undefined && next !== undefined ? next : start + usual;
    return { start, end };
  });
}

/** The interval that contains the moment, or the nearest one. */
export function indexAt(spans: readonly Span[], moment: number): number {
  let low = 0;
  let high = spans.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((spans[middle]?.start ?? Infinity) <= moment) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Runs of intervals for which the claim holds, as spans: to shade gaps without a line for each. */
export function runs(spans: readonly Span[], claim: (index: number) => boolean): Span[] {
  const found: { start: number; end: number }[] = [];
  spans.forEach(({ start, end }, index) => {
    if (!claim(index)) return;
    const last = found.at(-1);
    if (last && last.end === start) last.end = end;
    else found.push({ start, end });
  });
  return found;
}

/** Put a live row in place: the same start replaces, a later one is added; unknown keys are left out. */
export function mergeRow(data: IntervalColumns, row: Readonly<Record<string, unknown>>): void {
  if (typeof row["now"] === "string") data.now = row["now"];
  const start = row["start"];
  if (typeof start !== "string") return;
  const moment = Date.parse(start);
  let index = data.start.findIndex((iso) => Date.parse(iso) >= moment);
  if (index === -1) index = data.start.length;
  const isNew = index === data.start.length || Date.parse(data.start[index] ?? "") !== moment;
  const length = data.start.length;
  for (const [key, column] of Object.entries(data as unknown as Record<string, unknown>)) {
    if (!Array.isArray(column) || column.length !== length || (key === "start" && !isNew)) continue;
    if (isNew) column.splice(index, 0, row[key] ?? null);
    else if (key in row) column[index] = row[key];
  }
}
