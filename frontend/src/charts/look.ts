// The colours of styles/variables.css as the browser resolves them now (light or dark), for drawing on a canvas.
const NAMES = {
  metered: "--cw-series-metered",
  baseline: "--cw-series-baseline",
  delivered: "--cw-series-delivered",
  negative: "--cw-series-negative",
  target: "--cw-series-target",
  waiting: "--cw-series-waiting",
  grid: "--cw-chart-grid",
  axis: "--cw-chart-axis",
  window: "--cw-chart-window",
  band: "--cw-chart-band",
  surface: "--cw-surface",
  gap: "--cw-surface-3",
  text: "--cw-text",
} as const;

export type Colour = keyof typeof NAMES;
export type Colours = Readonly<Record<Colour, string>>;

export interface Look {
  readonly colours: Colours;
  readonly font: string;
  /** Width of the drawing in CSS pixels: decides how many labels fit. */
  readonly width: number;
}

export function lookOf(stage: HTMLElement): Look {
  // Custom properties keep light-dark() unresolved; a real colour property resolves it.
  const probe = document.createElement("span");
  probe.hidden = true;
  stage.append(probe);
  const computed = getComputedStyle(probe);
  const colours = Object.fromEntries(
    Object.entries(NAMES).map(([name, property]) => {
      probe.style.color = `var(${property})`;
      return [name, computed.color];
    }),
  ) as Record<Colour, string>;
  probe.remove();
  return { colours, font: getComputedStyle(stage).fontFamily, width: stage.clientWidth };
}
