import { svelte } from "@sveltejs/vite-plugin-svelte";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` sends what it does not serve itself: a running `terrane serve`. */
const server = process.env["TERRANE_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [svelte(), tailwindcss()],
  build: {
    target: "es2023",
    // The server embeds this folder; `manifest.json` is what the size test reads.
    outDir: "dist",
    manifest: true,
    // Every asset keeps its own hashed file: the Content-Security-Policy knows no data: fonts or scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Three.js is one lazily loaded chunk of more than Vite's default; `npm run test:size` holds the real budgets.
    chunkSizeWarningLimit: 900,
  },
  worker: { format: "es" },
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
