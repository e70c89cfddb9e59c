// The theme button: light or dark, remembered; choosing what the system wants anyway goes back to following it.
const KEY = "commonwatt-theme";

export function startThemeToggle(): void {
  const root = document.documentElement;
  const buttons = document.querySelectorAll<HTMLButtonElement>("[data-theme-toggle]");
  const show = (): void => {
    const dark = root.dataset["bsTheme"] === "dark";
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(dark)));
  };
  root.addEventListener("commonwatt:theme", show);
  show();
  buttons.forEach((button) =>
    button.addEventListener("click", () => {
      choose(root.dataset["bsTheme"] === "dark" ? "light" : "dark");
      root.dispatchEvent(new CustomEvent("commonwatt:choose-theme"));
    }),
  );
}

function choose(theme: "light" | "dark"): void {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  try {
    if (theme === system) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Without storage the theme cannot be kept: it stays the system's.
  }
}
