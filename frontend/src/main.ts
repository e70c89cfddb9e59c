// Every page loads this: styles, htmx with server-sent events, and the small behaviours that attributes ask for.
import "@fontsource-variable/inter/wght.css";
import "../styles/tabler.scss";
import "../styles/variables.css";
import "../styles/base.css";
import "../styles/components/topbar.css";
import "../styles/components/controls.css";
import "../styles/components/cards.css";
import "../styles/components/tables.css";
import "../styles/components/chart.css";
import "../styles/pages/landing.css";
import "../styles/pages/sign-in.css";
import "../styles/pages/help.css";
import "../styles/pages/people.css";
import "../styles/pages/customer.css";
import "../styles/pages/desk.css";
import "../styles/print.css";

import "htmx.org";
import "htmx-ext-sse";

import { startAnnouncements } from "./lib/announce.ts";
import { startClock } from "./lib/clock.ts";
import { startForms } from "./lib/forms.ts";
import { startLive } from "./lib/live.ts";
import { startMenus } from "./lib/menus.ts";
import { startThemeToggle } from "./lib/theme-toggle.ts";

/** Charts are a bundle of their own, loaded only by pages that have one. */
async function startCharts(within: ParentNode): Promise<void> {
  const charts = within.querySelectorAll<HTMLElement>("[data-chart]");
  if (charts.length === 0) return;
  const { mountChart } = await import("./charts/mount.ts");
  charts.forEach(mountChart);
}

startThemeToggle();
startMenus();
startForms();
startAnnouncements();
startClock();
startLive();
void startCharts(document);
document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-print]")) print();
});
document.body.addEventListener("htmx:load", (event) => {
  if (event.target instanceof HTMLElement && event.target !== document.body) void startCharts(event.target.parentElement ?? document);
});
