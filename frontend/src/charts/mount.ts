// Brings a chart container (components/chart.html) to life: draws it, redraws on a change of theme or size, moves a cursor by
// mouse, finger or keyboard, takes live rows. The stage is a slider to assistive technology: arrow keys move through the places
// and each one is spoken by its aria-valuetext.
import { BarChart, CustomChart, PieChart } from "echarts/charts";
import { GridComponent, MarkAreaComponent, MarkLineComponent } from "echarts/components";
import { init, use, type ECharts } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { takeWaiting } from "../lib/live.ts";
import { text } from "../lib/texts.ts";
import { delivered, type DeliveredData } from "./delivered.ts";
import { donut, type DonutData } from "./donut.ts";
import { event, type EventData } from "./event.ts";
import type { ChartKind, LegendEntry, Place } from "./kinds.ts";
import { lookOf } from "./look.ts";
import { drawLegend, Reader } from "./reader.ts";
import { usage, type UsageData } from "./usage.ts";

use([BarChart, CustomChart, PieChart, GridComponent, MarkAreaComponent, MarkLineComponent, CanvasRenderer]);

const KINDS: Record<string, (data: never) => ChartKind> = {
  usage: (data: UsageData) => usage(data),
  event: (data: EventData) => event(data),
  donut: (data: DonutData) => donut(data),
  delivered: (data: DeliveredData) => delivered(data),
};

const mounted = new WeakSet<HTMLElement>();

export function mountChart(figure: HTMLElement): void {
  if (mounted.has(figure)) return;
  mounted.add(figure);
  const make = KINDS[figure.dataset["chart"] ?? ""];
  const stage = figure.querySelector<HTMLElement>(".chart-stage");
  const source = document.getElementById(figure.dataset["chartData"] ?? "");
  if (!make || !stage || !source) throw new Error(`chart "${figure.id}": unknown kind, no stage or no data`);
  new MountedChart(figure, stage, make(JSON.parse(source.textContent) as never));
}

class MountedChart {
  readonly #canvas: HTMLElement;
  readonly #reader: Reader;
  #chart: ECharts | undefined;
  #index: number | undefined;

  constructor(
    readonly figure: HTMLElement,
    readonly stage: HTMLElement,
    readonly kind: ChartKind,
  ) {
    this.#canvas = stage.querySelector<HTMLElement>(".chart-canvas") ?? stage;
    this.#reader = new Reader(stage);
    takeWaiting(figure).forEach((row) => kind.merge?.(row as Record<string, unknown>));
    this.draw();
    this.#listen();
  }

  draw(): void {
    const empty = this.stage.querySelector<HTMLElement>(".chart-empty");
    if (empty) empty.hidden = this.kind.size() > 0;
    drawLegend(this.figure, this.kind.size() > 0 ? this.kind.legend() : ([] satisfies LegendEntry[]));
    // Nothing to move through: no stop for the keyboard.
    this.stage.tabIndex = this.kind.size() > 0 ? 0 : -1;
    this.stage.setAttribute("role", this.kind.size() > 0 ? "slider" : "img");
    if (this.kind.size() === 0 || this.stage.clientWidth === 0) return;
    this.#chart ??= this.#start();
    this.#chart.resize();
    this.#chart.setOption(this.kind.option(lookOf(this.stage)), { notMerge: true });
    this.#slider();
    if (this.#index !== undefined) this.#show(this.#index);
  }

  #start(): ECharts {
    const chart = init(this.#canvas, null, { renderer: "canvas" });
    if (!this.kind.indexAt) chart.on("mouseover", ({ dataIndex }) => this.#show(dataIndex));
    return chart;
  }

  #listen(): void {
    const redraw = (): void => this.draw();
    let width = this.stage.clientWidth;
    new ResizeObserver(() => {
      if (this.stage.clientWidth === width) return;
      width = this.stage.clientWidth;
      redraw();
    }).observe(this.stage);
    document.documentElement.addEventListener("commonwatt:theme", redraw);
    this.figure.addEventListener("commonwatt:row", (message) => {
      message.preventDefault();
      this.kind.merge?.((message as CustomEvent<Record<string, unknown>>).detail);
      redraw();
    });
    this.stage.addEventListener("pointermove", (pointer) => this.#point(pointer));
    this.stage.addEventListener("pointerdown", (pointer) => this.#point(pointer));
    this.stage.addEventListener("pointerleave", () => this.#hide());
    this.stage.addEventListener("blur", () => this.#hide());
    this.stage.addEventListener("keydown", (key) => this.#press(key));
    this.stage.addEventListener("click", (pointer) => {
      this.#point(pointer);
      // A finger reads first: only a mouse goes where the bar leads.
      if (!(pointer instanceof PointerEvent) || pointer.pointerType === "mouse") this.#open();
    });
  }

  #point(pointer: MouseEvent): void {
    if (!this.#chart || !this.kind.indexAt) return;
    const box = this.stage.getBoundingClientRect();
    const at: [number, number] = [pointer.clientX - box.left, pointer.clientY - box.top];
    const [x] = this.#chart.convertFromPixel({ gridIndex: 0 }, at) as [number, number];
    this.#show(this.kind.indexAt(x));
  }

  #press(key: KeyboardEvent): void {
    const last = this.kind.size() - 1;
    if (last < 0 || key.altKey || key.ctrlKey || key.metaKey) return;
    const here = this.#index ?? (key.key === "ArrowLeft" || key.key === "ArrowDown" ? last + 1 : -1);
    const leap = Math.max(1, Math.round(last / 10));
    const targets: Record<string, number> = {
      ArrowRight: here + 1,
      ArrowUp: here + 1,
      ArrowLeft: here - 1,
      ArrowDown: here - 1,
      PageUp: here + leap,
      PageDown: here - leap,
      Home: 0,
      End: last,
    };
    if (key.key === "Enter") this.#open();
    if (key.key === "Escape") this.#hide();
    const target = targets[key.key];
    if (target === undefined) return;
    key.preventDefault();
    this.#show(Math.min(last, Math.max(0, target)));
  }

  #open(): void {
    const url = this.#index === undefined ? undefined : this.kind.place(this.#index).url;
    if (url) location.assign(url);
  }

  #show(index: number): void {
    this.#index = Math.min(index, this.kind.size() - 1);
    const place = this.kind.place(this.#index);
    this.#reader.show(place, this.#pixels(place));
    this.stage.setAttribute("aria-valuenow", String(this.#index + 1));
    this.stage.setAttribute("aria-valuetext", spoken(place));
  }

  #hide(): void {
    this.#index = undefined;
    this.#reader.hide();
  }

  #pixels({ from, to }: Place): [number, number] | undefined {
    if (!this.#chart || from === undefined || to === undefined) return undefined;
    const at = (x: number): number => (this.#chart?.convertToPixel({ gridIndex: 0 }, [x, 0]) as [number, number])[0];
    return [at(from), at(to)];
  }

  #slider(): void {
    this.stage.setAttribute("aria-valuemin", "1");
    this.stage.setAttribute("aria-valuemax", String(this.kind.size()));
    if (this.kind.place(0).url) this.stage.setAttribute("aria-description", text("open_details"));
    if (this.stage.hasAttribute("aria-valuetext")) return;
    this.stage.setAttribute("aria-valuenow", "1");
    this.stage.setAttribute("aria-valuetext", spoken(this.kind.place(0)));
  }
}

function spoken(place: Place): string {
  const readings = place.readings.map(({ label, value }) => `${label} ${value}`).join(", ");
  return [`${place.title}: ${readings}`, ...(place.note ? [place.note] : [])].join(". ");
}
