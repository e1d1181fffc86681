// The page in a fresh headless Chromium: how long until a newcomer has walked, and what it loads for a first look at the
// globe and for standing on the ground.
import { createRequire } from "node:module";
import { median, newFolder, removeFolder, startServer, stopServer } from "./server.mjs";

const require = createRequire(new URL("../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const ROUNDS = 3;
const launch = () =>
  chromium.launch({
    executablePath: process.env.TERRANE_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });

// Counts what a page loads, workers included, by the first kind whose pattern its address matches.
async function watch(page, kinds) {
  const sums = Object.fromEntries(kinds.map(([name]) => [name, 0]));
  page.context().on("response", async (response) => {
    const [name] = kinds.find(([, pattern]) => pattern.test(new URL(response.url()).pathname));
    const sizes = await response.request().sizes().catch(() => undefined);
    sums[name] += sizes ? sizes.responseHeadersSize + sizes.responseBodySize : 0;
  });
  return sums;
}

const folder = newFolder();
const server = await startServer(process.argv[2], folder);
const first_step_ms = [];
let transferred = 0;
for (let round = 0; round < ROUNDS; round++) {
  const browser = await launch();
  // Waiting for a condition evaluates text in the page, which its own policy forbids.
  const page = await browser.newPage({ viewport: { width: 640, height: 360 }, bypassCSP: true });
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  transferred = 0;
  session.on("Network.loadingFinished", (event) => (transferred += event.encodedDataLength));
  const began = performance.now();
  await page.goto(server.url);
  await page.waitForFunction(() => window.__terrane?.connection === "online" && window.__terrane.position);
  const from = await page.evaluate(() => window.__terrane.position);
  await page.keyboard.down("KeyW");
  await page.waitForFunction((start) => {
    const at = window.__terrane.position;
    return Math.hypot(at[0] - start[0], at[1] - start[1], at[2] - start[2]) > 0.5;
  }, from);
  first_step_ms.push(performance.now() - began);
  await browser.close();
}

// Bytes by kind, in one more fresh profile: until the ground is whole, then until the whole globe is.
const kinds = [
  ["planet artifact", /\/api\/v1\/planet\/[^/]+\/(manifest|tiles)/],
  ["chunks of the server", /\/chunks\//],
  ["script, style, planet code, fonts", /\/assets\//],
  ["everything else", /./],
];
const loaded = async (wait) => {
  const browser = await launch();
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, bypassCSP: true });
  const sums = await watch(page, kinds);
  await page.goto(server.url);
  await page.waitForFunction(() => window.__terrane?.connection === "online" && window.__terrane.position, null, { timeout: 60_000 });
  await wait(page);
  await browser.close();
  return sums;
};
const isIdle = (page) => page.waitForFunction(() => window.__terrane.isIdle, null, { timeout: 120_000 });
const ground = await loaded(isIdle);
const both = await loaded(async (page) => {
  await page.evaluate(() => window.__terrane.showGlobe?.() ?? document.querySelector('[aria-label="See the whole planet"]').click());
  await page.waitForFunction(() => window.__terrane.view === "globe", null, { timeout: 60_000 });
  await isIdle(page);
});
const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(2)} MiB`;
for (const [name, sums] of [["standing on the ground", ground], ["ground, then the whole globe", both]]) {
  console.log(`${name}  ${mib(Object.values(sums).reduce((a, b) => a + b, 0))}`);
  for (const [kind, bytes] of Object.entries(sums)) console.log(`  ${kind}  ${mib(bytes)}`);
}
console.log(`page open to first step  ${median(first_step_ms).toFixed(0)} ms (software rendering, ${ROUNDS} fresh profiles)`);
console.log(`bytes loaded until then  ${(transferred / 1024).toFixed(0)} KiB`);
await stopServer(server);
removeFolder(folder);
