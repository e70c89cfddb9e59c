// Menus are details elements and open by themselves. This closes them as people expect: Escape, a click elsewhere, another menu.
export function startMenus(): void {
  document.addEventListener("click", (event) => {
    const inside = event.target instanceof Element ? event.target.closest("details.menu") : null;
    closeMenus(inside);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.activeElement?.closest<HTMLDetailsElement>("details.menu[open]");
    closeMenus(null);
    open?.querySelector("summary")?.focus();
  });
}

function closeMenus(except: Element | null): void {
  document.querySelectorAll<HTMLDetailsElement>("details.menu[open]").forEach((menu) => {
    if (menu !== except) menu.open = false;
  });
}
