// Live pages: one stream of server-sent events, opened by htmx (sse-connect). This module keeps the status line of
// components/live.html true, sets the clock, and hands rows to the charts inside the stream's element.
import { relative } from "./format.ts";
import { setClock } from "./clock.ts";
import { announce } from "./announce.ts";
import { text, type TextName } from "./texts.ts";

type State = "connecting" | "on" | "lost" | "closed";

interface Stream {
  state: State;
  /** By the wall clock, also in a time-lapse: it tells how well the connection is. */
  heardAt: number | undefined;
}

const streams = new Map<Element, Stream>();
const known = new WeakSet<EventSource>();

interface SourceEvent extends CustomEvent {
  readonly detail: { readonly source?: EventSource; readonly type?: string };
}

export function startLive(): void {
  document.querySelectorAll("[sse-connect]").forEach((element) => {
    streams.set(element, { state: "connecting", heardAt: undefined });
  });
  const on = (name: string, handle: (element: Element, event: SourceEvent) => void): void => {
    document.body.addEventListener(name, (event) => {
      if (event.target instanceof Element) handle(event.target, event as SourceEvent);
    });
  };
  on("htmx:sseOpen", (element, event) => {
    change(element, "on");
    if (event.detail.source) listen(element, event.detail.source);
  });
  on("htmx:sseError", (element) => change(element, "lost"));
  on("htmx:sseClose", (element, event) => change(element, event.detail.type === "message" ? "closed" : "lost"));
  on("htmx:sseMessage", (element) => heard(element.closest("[sse-connect]") ?? element));
  addEventListener("offline", () => streams.forEach((_, element) => change(element, "lost")));
  setInterval(showAll, 1000);
  showAll();
}

function listen(element: Element, source: EventSource): void {
  if (known.has(source)) return;
  known.add(source);
  source.addEventListener("clock", (event) => {
    heard(element);
    setClock((JSON.parse(String(event.data)) as { now: string }).now);
  });
  const charts = [...element.querySelectorAll<HTMLElement>("[data-chart-stream]")];
  const names = new Set(charts.map((chart) => chart.dataset["chartStream"] ?? ""));
  names.forEach((name) =>
    source.addEventListener(name, (event) => {
      heard(element);
      const row: unknown = JSON.parse(String(event.data));
      element.querySelectorAll(`[data-chart-stream="${CSS.escape(name)}"]`).forEach((chart) => hand(chart, row));
    }),
  );
}

/** Rows for charts that are still being loaded. */
const waiting = new WeakMap<Element, unknown[]>();

/** Give a row to its chart, which takes it by preventing the event's default; until there is one, keep it. */
function hand(chart: Element, row: unknown): void {
  const taken = !chart.dispatchEvent(new CustomEvent("commonwatt:row", { detail: row, cancelable: true }));
  if (!taken) waiting.set(chart, [...(waiting.get(chart) ?? []), row]);
}

/** What came for a chart before it was there, once. */
export function takeWaiting(chart: Element): unknown[] {
  const rows = waiting.get(chart) ?? [];
  waiting.delete(chart);
  return rows;
}

function change(element: Element, state: State): void {
  const stream = streams.get(element) ?? { state, heardAt: undefined };
  const was = stream.state;
  stream.state = state;
  if (state === "on") stream.heardAt ??= Date.now();
  streams.set(element, stream);
  show(element, stream);
  // Losing the connection and getting it back are told; the seconds in between are not.
  if (state !== was && !(was === "connecting" && state === "on")) announce(sentence(stream));
}

function heard(element: Element): void {
  const stream = streams.get(element);
  if (!stream) return;
  stream.heardAt = Date.now();
  if (stream.state !== "on") change(element, "on");
}

const SENTENCES: Record<State, TextName> = {
  connecting: "live_connecting",
  on: "live_on",
  lost: "live_lost",
  closed: "live_closed",
};

function sentence(stream: Stream): string {
  const ago = stream.heardAt === undefined ? "–" : relative(stream.heardAt, Date.now());
  return text(SENTENCES[stream.state], { ago });
}

function showAll(): void {
  streams.forEach((stream, element) => {
    if (element.isConnected) show(element, stream);
    else streams.delete(element);
  });
}

function show(element: Element, stream: Stream): void {
  element.querySelectorAll<HTMLElement>("[data-live]").forEach((line) => {
    line.dataset["live"] = stream.state;
    const words = line.querySelector("[data-live-text]");
    if (words) words.textContent = sentence(stream);
  });
}
