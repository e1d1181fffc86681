import { defineConfig } from "@playwright/test";

/**
 * The whole system: real browsers against a real `terrane serve`. Pictures are drawn in software here, so everything
 * waits for a state and nothing for a time.
 */
export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  fullyParallel: true,
  workers: 2,
  timeout: 150_000,
  expect: { timeout: 30_000 },
  forbidOnly: Boolean(process.env["CI"]),
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    launchOptions: {
      executablePath: process.env["TERRANE_CHROMIUM"] ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
        "--ignore-gpu-blocklist",
      ],
    },
    // Small and without flights: the picture is not what these tests are about.
    viewport: { width: 640, height: 360 },
    contextOptions: { reducedMotion: "reduce" },
    screenshot: "only-on-failure",
  },
});
