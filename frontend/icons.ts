// Collects the icons named in icons.txt into one file, from which the template tag `icon` draws them inline: no request of their
// own, the colour of the text around them, and nothing for the content policy to allow.
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

const LIST = new URL("icons.txt", import.meta.url);
const FOLDER = new URL("node_modules/@tabler/icons/icons/outline/", import.meta.url);

function strokes(name: string): string {
  let svg: string;
  try {
    svg = readFileSync(new URL(`${name}.svg`, FOLDER), "utf8");
  } catch {
    throw new Error(`icons.txt names "${name}", which is not an outline icon of @tabler/icons`);
  }
  const inner = svg.slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>"));
  // The first path is an invisible square that every icon carries.
  return inner.replace(/<path stroke="none"[^>]*\/>/, "").replace(/\s*\n\s*/g, "").trim();
}

export function icons(): Plugin {
  return {
    name: "commonwatt-icons",
    generateBundle() {
      const names = readFileSync(LIST, "utf8").split(/\s+/).filter(Boolean);
      const source = JSON.stringify(Object.fromEntries(names.map((name) => [name, strokes(name)])));
      this.emitFile({ type: "asset", fileName: "icons.json", source });
    },
  };
}
