import { defineConfig } from "vite";
import { icons } from "./icons.ts";

export default defineConfig({
  // Relative, so that the bundle works under any static address.
  base: "./",
  plugins: [icons()],
  css: { preprocessorOptions: { scss: { loadPaths: ["node_modules"], quietDeps: true } } },
  build: {
    outDir: "../src/commonwatt/portal/static/dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    // The browsers of 2024 on: light-dark(), nesting, the dialog element and :has().
    target: ["chrome123", "edge123", "firefox121", "safari17.5"],
    // Every browser in that list preloads modules itself; fonts stay files, so that they are cached.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    reportCompressedSize: false,
    rolldownOptions: {
      input: { main: "src/main.ts", theme: "src/theme.ts" },
      // htmx holds one eval for attributes we never use; base.html turns it off, and the content policy forbids it.
      checks: { eval: false, pluginTimings: false },
    },
  },
});
