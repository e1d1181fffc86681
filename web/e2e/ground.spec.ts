/** Where the ground comes from: tiles kept by the browser, repaired when spoilt, and the server where workers fail. */
import type { Page } from "@playwright/test";
import { expect, test, Visitor } from "./fixtures.ts";

const TILES = /\/api\/v1\/planet\/[0-9a-f]{64}\/tiles\//;

/** Counts the answers to requests for raster tiles that came over the network. */
function countTiles(page: Page): { readonly urls: string[] } {
  const urls: string[] = [];
  page.on("response", (response) => {
    if (TILES.test(response.url()) && !response.fromServiceWorker()) urls.push(response.url());
  });
  return { urls };
}

const settled = (visitor: Visitor) => visitor.until((state) => state.isIdle);

test("a second visit finds the planet in the browser", async ({ browser, server }) => {
  const first = await Visitor.open(browser, server.url);
  await settled(first);
  const names = await first.page.evaluate(async () => {
    const [name] = (await caches.keys()).filter((key) => key.startsWith("terrane-planet/"));
    const cache = await caches.open(name ?? "");
    return (await cache.keys()).map(({ url }) => new URL(url).pathname);
  });
  expect(names.some((name) => TILES.test(name))).toBe(true);
  expect(names.some((name) => name.endsWith("/manifest"))).toBe(true);

  const again = await first.page.context().newPage();
  const counted = countTiles(again);
  await again.goto(server.url);
  await expect
    .poll(() => again.evaluate(() => Boolean((window as unknown as { __terrane?: object }).__terrane)), {
      timeout: 45_000,
    })
    .toBe(true);
  await expect
    .poll(
      () => again.evaluate(() => (window as unknown as { __terrane: { isIdle: boolean } }).__terrane.isIdle),
      {
        timeout: 60_000,
      },
    )
    .toBe(true);
  expect(counted.urls).toEqual([]);
  await first.close();
});

test("a spoilt tile in the browser is fetched anew, and nobody notices", async ({ browser, server }) => {
  const visitor = await Visitor.open(browser, server.url);
  await settled(visitor);
  const spoilt = await visitor.page.evaluate(async () => {
    const [name] = (await caches.keys()).filter((key) => key.startsWith("terrane-planet/"));
    const cache = await caches.open(name ?? "");
    const requests = (await cache.keys()).filter(({ url }) => url.includes("/tiles/"));
    for (const request of requests) await cache.put(request, new Response(new Uint8Array(100)));
    return requests.length;
  });
  expect(spoilt).toBeGreaterThan(0);
  const counted = countTiles(visitor.page);
  await visitor.page.reload();
  await visitor.online();
  await settled(visitor);
  expect(counted.urls.length).toBeGreaterThan(0);
  const state = await visitor.state;
  expect(state.corrections).toBe(0);
  visitor.expectQuiet();
  await visitor.close();
});

test("without workers the ground comes from the server, and the page says so", async ({
  browser,
  server,
}) => {
  const context = await browser.newContext({
    reducedMotion: "reduce",
    viewport: { width: 640, height: 360 },
  });
  const page = await context.newPage();
  const chunks: string[] = [];
  page.on("response", (response) => {
    if (/\/chunks\/[0-9a-f]+\?format=json$/.test(response.url())) chunks.push(response.url());
  });
  await page.addInitScript(() => {
    localStorage.setItem("terrane.settings/1", JSON.stringify({ quality: "low", isWelcomed: true }));
    Reflect.set(
      window,
      "Worker",
      class {
        constructor() {
          throw new DOMException("no workers here", "SecurityError");
        }
      },
    );
  });
  await page.goto(server.url);
  const shown = () =>
    (window as unknown as { __terrane?: { isIdle: boolean; connection: string } }).__terrane;
  await expect
    .poll(() => page.evaluate(shown).then((state) => state?.connection), { timeout: 60_000 })
    .toBe("online");
  await expect(page.getByText("The ground comes from the server")).toBeVisible();
  await expect
    .poll(
      () => page.evaluate(() => (window as unknown as { __terrane: { isIdle: boolean } }).__terrane.isIdle),
      {
        timeout: 90_000,
      },
    )
    .toBe(true);
  expect(chunks.length).toBeGreaterThan(0);
  await context.close();
});

test("?terrain=server asks for it", async ({ browser, server }) => {
  const visitor = await Visitor.open(browser, `${server.url}/?terrain=server`);
  await expect(visitor.page.getByText("The ground comes from the server")).toBeVisible();
  await visitor.close();
});
