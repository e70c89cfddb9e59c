// The time as the server tells it: in a demo it is simulated and may run faster than the wall clock.
import { relative, time } from "./format.ts";

const root = document.documentElement;
const rate = Number(root.dataset["clockRate"] ?? 1);
const zone = root.dataset["zone"] ?? "UTC";

let base = Date.parse(root.dataset["now"] ?? "") || Date.now();
let heardAt = performance.now();

export function now(): number {
  return base + (performance.now() - heardAt) * rate;
}

/** A message of a live stream says what time it is. */
export function setClock(iso: string): void {
  const told = Date.parse(iso);
  if (Number.isNaN(told)) return;
  base = told;
  heardAt = performance.now();
}

function show(): void {
  const instant = now();
  document.querySelectorAll<HTMLTimeElement>("time[data-relative]").forEach((element) => {
    const at = Date.parse(element.dateTime);
    if (!Number.isNaN(at)) setText(element, relative(at, instant));
  });
  document.querySelectorAll<HTMLTimeElement>("time[data-clock]").forEach((element) => {
    setText(element, `${time(instant, zone, "weekday")}, ${time(instant, zone, rate > 60 ? "time" : "seconds")}`);
  });
}

function setText(element: HTMLElement, words: string): void {
  // Assistive technology is told of a change only when there is one.
  if (element.textContent !== words) element.textContent = words;
}

export function startClock(): void {
  show();
  setInterval(show, 1000);
}
