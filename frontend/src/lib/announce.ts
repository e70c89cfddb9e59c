// Speaks to people who do not see the change: through the live region of base.html, never more often than every two seconds.
const PAUSE_MS = 2000;
let waiting: string | undefined;
let quietUntil = 0;

export function announce(words: string): void {
  waiting = words;
  const pause = Math.max(0, quietUntil - performance.now());
  setTimeout(speak, pause);
}

function speak(): void {
  const region = document.getElementById("live");
  if (waiting === undefined || !region) return;
  region.textContent = waiting;
  waiting = undefined;
  quietUntil = performance.now() + PAUSE_MS;
}

/** Swapped parts say what they want spoken in `data-announce`. */
export function startAnnouncements(): void {
  document.body.addEventListener("htmx:load", (event) => {
    const element = event.target;
    if (!(element instanceof HTMLElement)) return;
    const speaker = element.matches("[data-announce]") ? element : element.querySelector<HTMLElement>("[data-announce]");
    if (speaker?.dataset["announce"]) announce(speaker.dataset["announce"]);
  });
}
