// The reading at the cursor, and the legend: ordinary elements beside the canvas, so that style sheets dress them.
import type { LegendEntry, Place } from "./kinds.ts";

export class Reader {
  readonly #tip = element("div", "chart-tip");
  readonly #cursor = element("div", "chart-cursor");

  constructor(readonly stage: HTMLElement) {
    this.#tip.setAttribute("aria-hidden", "true");
    this.hide();
    stage.append(this.#cursor, this.#tip);
  }

  hide(): void {
    this.#tip.hidden = this.#cursor.hidden = true;
  }

  /** Show a place; `pixels` is its left and right edge in the stage. */
  show(place: Place, pixels: [number, number] | undefined): void {
    this.#tip.replaceChildren(element("div", "tip-title", place.title), ...place.readings.map(row));
    if (place.note) this.#tip.append(element("div", "tip-note", place.note));
    this.#tip.hidden = false;
    this.#cursor.hidden = pixels === undefined;
    const [left, right] = pixels ?? [this.stage.clientWidth / 2, this.stage.clientWidth / 2];
    const { style } = this.#cursor;
    [style.left, style.width, style.top, style.height] = [`${left}px`, `${Math.max(1, right - left)}px`, "30px", `calc(100% - 58px)`];
    this.#placeTip(left, right);
  }

  #placeTip(left: number, right: number): void {
    const gap = 12;
    const width = this.#tip.offsetWidth;
    const after = right + gap;
    const before = left - gap - width;
    const fits = after + width <= this.stage.clientWidth;
    const x = fits ? after : Math.max(0, before);
    this.#tip.style.left = `${x}px`;
    this.#tip.style.top = "34px";
  }
}

export function drawLegend(figure: HTMLElement, entries: readonly LegendEntry[]): void {
  const list = figure.querySelector<HTMLElement>(".chart-legend");
  list?.replaceChildren(
    ...entries.map(({ label, swatch, value }) => {
      const item = element("li", "");
      item.append(element("span", `swatch ${swatch}`), label);
      if (value !== undefined) item.append(element("strong", "", value));
      return item;
    }),
  );
}

function row({ label, value, swatch }: Place["readings"][number]): HTMLElement {
  const line = element("div", "tip-row");
  line.append(element("span", swatch ? `swatch ${swatch}` : "swatch-none"), element("span", "", label), element("span", "tip-value", value));
  return line;
}

function element(tag: string, className: string, words = ""): HTMLElement {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (words) made.textContent = words;
  return made;
}
