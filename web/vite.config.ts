import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import tailwindcss from "@tailwindcss/vite";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` sends what it does not serve itself: a running `terrane serve`. */
const server = process.env["TERRANE_URL"] ?? "http://127.0.0.1:7380";

/** The planet code's size, so that the loading screen can tell how much of it has arrived, compressed or not. */
const corePath = fileURLToPath(new URL("src/core/terrane.wasm", import.meta.url));
const coreBytes = existsSync(corePath) ? statSync(corePath).size : 0;

/** One text file with the licences of everything that goes into the page. */
function licences(): Plugin {
  const names = Object.keys(
    JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")).dependencies,
  );
  return {
    name: "licences",
    apply: "build",
    generateBundle() {
      const texts = names.map((name) => {
        const folder = new URL(`node_modules/${name}/`, import.meta.url);
        const { version, license } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8"));
        const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
        const text = file ? readFileSync(new URL(file, folder), "utf8").trim() : "";
        return `${name} ${version} (${license})\n\n${text}\n`;
      });
      this.emitFile({
        type: "asset",
        fileName: "licences.txt",
        source: texts.join(`\n${"-".repeat(80)}\n\n`),
      });
    },
  };
}

export default defineConfig({
  define: { __CORE_BYTES__: JSON.stringify(coreBytes) },
  plugins: [svelte(), tailwindcss(), licences()],
  build: {
    target: "es2023",
    // The server embeds this folder; `manifest.json` is what the size test reads.
    outDir: "dist",
    manifest: true,
    // Every asset keeps its own hashed file: the Content-Security-Policy knows no data: fonts or scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ["index.html", "map.html", "market.html", "account.html", "console.html"] },
    // Three.js and MapLibre are lazily loaded chunks of more than Vite's default; `npm run test:size` holds the real budgets.
    chunkSizeWarningLimit: 1200,
  },
  worker: { format: "es" },
  // Its worker is addressed by a file of its own, which prebundling would hide.
  optimizeDeps: { exclude: ["maplibre-gl"] },
  server: {
    proxy: {
      "/api": { target: server },
      "/ws": { target: server, ws: true },
      "/health": { target: server },
    },
  },
  test: {
    include: ["src/**/*.test.ts"],
    environment: "node",
  },
});
