// The page in a fresh headless Chromium: what it loads, and how long until a newcomer has walked.
import { createRequire } from "node:module";
import { median, newFolder, removeFolder, startServer, stopServer } from "./server.mjs";

const require = createRequire(new URL("../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const ROUNDS = 3;
const folder = newFolder();
const server = await startServer(process.argv[2], folder);
const first_step_ms = [];
let transferred = 0;
for (let round = 0; round < ROUNDS; round++) {
  const browser = await chromium.launch({
    executablePath: process.env.TERRANE_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  // Waiting for a condition evaluates text in the page, which its own policy forbids.
  const page = await browser.newPage({ viewport: { width: 640, height: 360 }, bypassCSP: true });
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  transferred = 0;
  session.on("Network.loadingFinished", (event) => (transferred += event.encodedDataLength));
  const began = performance.now();
  await page.goto(server.url);
  await page.waitForFunction(() => window.__terrane?.connection === "online");
  const from = await page.evaluate(() => window.__terrane.position);
  await page.keyboard.down("KeyW");
  await page.waitForFunction((start) => {
    const at = window.__terrane.position;
    return Math.hypot(at[0] - start[0], at[1] - start[1], at[2] - start[2]) > 0.5;
  }, from);
  first_step_ms.push(performance.now() - began);
  await browser.close();
}
console.log(`page open to first step  ${median(first_step_ms).toFixed(0)} ms (software rendering, ${ROUNDS} fresh profiles)`);
console.log(`bytes loaded until then  ${(transferred / 1024).toFixed(0)} KiB`);
await stopServer(server);
removeFolder(folder);
