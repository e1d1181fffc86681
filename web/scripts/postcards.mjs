// Takes pictures of a running planet without a body in them.
//
//   node scripts/postcards.mjs URL OUT_FOLDER [VIEWS.json] [--only NAME,NAME] [--quality low|medium|high] [--size 1280x720]
//
// VIEWS.json is a list of {name, latitude_deg, longitude_deg, height_m, heading_deg, pitch_deg, time, wait_s}; without it, the
// globe from four sides. `time` is the share of the local day: 0 midnight, 0.25 sunrise, 0.5 noon.
// Prints for each picture what it cost: draw calls, triangles, milliseconds of JavaScript.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "@playwright/test";

const positional = [];
const options = { only: "", quality: "high", size: "1280x720" };
for (let index = 2; index < process.argv.length; index += 1) {
  const word = process.argv[index];
  if (word.startsWith("--")) {
    index += 1;
    options[word.slice(2)] = process.argv[index];
  } else positional.push(word);
}
const [url, folder, viewsPath] = positional;
if (!url || !folder) {
  console.error(
    "usage: node scripts/postcards.mjs URL OUT_FOLDER [VIEWS.json] [--only NAMES] [--quality Q] [--size WxH]",
  );
  process.exit(2);
}

const globe = (name, longitude_deg, time) => ({
  name,
  latitude_deg: 15,
  longitude_deg,
  height_m: 1_250_000,
  heading_deg: 0,
  pitch_deg: -90,
  time,
});
const views = viewsPath
  ? JSON.parse(readFileSync(viewsPath, "utf8"))
  : [0, 90, 180, 270].map((longitude) => globe(`globe-${longitude}`, longitude, 0.42));
const names = options.only ? options.only.split(",") : views.map(({ name }) => name);

const [width, height] = options.size.split("x").map(Number);
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env["TERRANE_CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"],
});
const context = await browser.newContext({
  viewport: { width, height },
  reducedMotion: "reduce",
  bypassCSP: true,
});
const page = await context.newPage();
page.on("pageerror", (error) => console.error(String(error)));
page.on("console", (message) => message.type() === "error" && console.error(message.text()));
await page.addInitScript((quality) => {
  localStorage.setItem("terrane.settings/1", JSON.stringify({ quality, isWelcomed: true }));
}, options.quality);
await page.goto(url);
await page.waitForFunction(() => window.__terrane?.position !== undefined, undefined, {
  timeout: 120_000,
  polling: 500,
});
await page.addStyleTag({ content: "main > :not(canvas) { display: none !important; }" });

/** Waits until the picture wants nothing more, or gives up and takes what is there. */
async function settled(waitS) {
  const until = Date.now() + waitS * 1000;
  for (let quiet = 0; quiet < 3 && Date.now() < until; ) {
    await page.waitForTimeout(300);
    quiet = (await page.evaluate(() => window.__terrane.isIdle)) ? quiet + 1 : 0;
  }
  return Date.now() < until;
}

for (const view of views.filter(({ name }) => names.includes(name))) {
  const startedMs = Date.now();
  await page.evaluate(
    ({ latitude_deg, longitude_deg, height_m, heading_deg, pitch_deg, time }) =>
      window.__terrane.lookFrom(
        {
          at: { latitude_deg, longitude_deg },
          heightM: height_m,
          headingDeg: heading_deg ?? 0,
          pitchDeg: pitch_deg ?? 0,
        },
        time ?? 0.4,
      ),
    view,
  );
  const isComplete = await settled(view.wait_s ?? 60);
  await page.screenshot({ path: join(folder, `${view.name}.png`), timeout: 60_000 });
  const { drawCalls, triangles, mainMs } = await page.evaluate(() => window.__terrane.stats);
  const note = isComplete ? "" : " (not complete)";
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  console.log(
    `${view.name.padEnd(20)} ${seconds} s  ${drawCalls} calls  ${triangles} triangles  ${mainMs.toFixed(1)} ms main${note}`,
  );
}
await browser.close();
