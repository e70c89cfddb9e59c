// Runs before the first paint, as a plain blocking script: the page never flashes in the other theme, and styles know that
// JavaScript is there. The button that changes the theme lives in lib/theme-toggle.ts.
{
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = (): void => {
    let chosen: string | null = null;
    try {
      chosen = localStorage.getItem("commonwatt-theme");
    } catch {
      // Storage may be forbidden: the system's wish holds then.
    }
    root.dataset["bsTheme"] = chosen === "light" || chosen === "dark" ? chosen : system.matches ? "dark" : "light";
    root.dispatchEvent(new CustomEvent("commonwatt:theme"));
  };
  // Paper is white: what is drawn on a canvas must know before it is printed.
  const printing = (): void => {
    root.dataset["bsTheme"] = "light";
    root.dispatchEvent(new CustomEvent("commonwatt:theme"));
  };
  root.classList.add("js");
  system.addEventListener("change", apply);
  addEventListener("beforeprint", printing);
  addEventListener("afterprint", apply);
  root.addEventListener("commonwatt:choose-theme", apply);
  apply();
}
