/**
 * What the planet looks like: a fixed seed, camera and time of day against pictures that somebody has looked at.
 *
 * After a change that is meant to be seen: `npx playwright test pictures --update-snapshots`, then look at each.
 */
import { test as base, expect, Visitor } from "./fixtures.ts";
import { TerraneServer } from "./server.ts";
import { VIEWS } from "./views.ts";

/** A planet of its own seed and a coarse raster, made in a second: pictures change with the ground alone. */
const test = base.extend<object, { server: TerraneServer }>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern that names what it needs.
    async ({}, use) => {
      const server = await TerraneServer.create({
        TERRANE_PLANET_SEED: "7",
        TERRANE_PLANET_RASTER_LEVEL: "8",
      });
      await use(server);
      await server.dispose();
    },
    { scope: "worker" },
  ],
});

interface LookFrom {
  readonly lookFrom: (place: object, dayShare: number) => void;
}

test("the planet looks as it did", async ({ browser, server }) => {
  test.setTimeout(400_000);
  const visitor = await Visitor.open(browser, server.url, {
    viewport: { width: 320, height: 200 },
    deviceScaleFactor: 1,
    quality: "low",
    // The panels are hidden by a style of our own, which the page's policy forbids.
    bypassCSP: true,
  });
  const { page } = visitor;
  await page.addStyleTag({ content: "main > :not(canvas) { display: none !important; }" });
  for (const { name, dayShare, ...place } of VIEWS) {
    await page.evaluate(
      ([from, share]) => (window as unknown as { __terrane: LookFrom }).__terrane.lookFrom(from, share),
      [place, dayShare] as const,
    );
    await visitor.until(({ isIdle }) => isIdle);
    // Software renderers differ in the last bits and at edges, never over whole surfaces.
    expect.soft(await page.screenshot(), name).toMatchSnapshot(`${name}.png`, {
      threshold: 0.15,
      maxDiffPixelRatio: 0.02,
    });
  }
  visitor.expectQuiet();
  await visitor.close();
});
