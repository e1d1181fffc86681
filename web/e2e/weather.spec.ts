/** Day and weather are the same for all who look, and for whoever asks the server. */
import type { Vec3 } from "../src/geo/vec3.ts";
import { expect, test, Visitor } from "./fixtures.ts";

interface Sky {
  readonly sun: Vec3;
  readonly moon: Vec3;
  readonly weather: Readonly<Record<string, unknown>>;
}
interface Page {
  readonly serverTimeMs: number;
  skyAt(point: Vec3, unixMs: number): Sky;
  lookFrom(place: object | undefined, dayShare?: number, weather?: string): Promise<void>;
}
declare const window: { readonly __terrane: Page };

test("two browsers and the server agree about sun, moon and weather, to the last bit", async ({
  browser,
  server,
  request,
}) => {
  const ann = await Visitor.open(browser, server.url);
  const bob = await Visitor.open(browser, server.url);
  const now = await ann.page.evaluate(() => Math.round(window.__terrane.serverTimeMs));
  const { day_length_s: dayLengthS } = await (await request.get(`${server.url}/api/v1/planet`)).json();
  const here = await ann.position();
  const far: Vec3 = [-here[1], here[0], -here[2]];
  for (const place of [here, far]) {
    for (const time of [now, now + 1_800_000, now + dayLengthS * 700]) {
      const [hers, his] = await Promise.all(
        [ann, bob].map(({ page }) =>
          page.evaluate(([point, at]) => window.__terrane.skyAt(point, at), [place, time] as const),
        ),
      );
      expect(hers).toEqual(his);
    }
  }

  // What the server says of the same place and time; its point comes back from degrees, so not to the last bit.
  const latLng = (await ann.state).latLng;
  const asked = await request.get(
    `${server.url}/api/v1/planet/weather?lat=${latLng?.latitude_deg}&lng=${latLng?.longitude_deg}&time=${new Date(now).toISOString()}`,
  );
  const told = await asked.json();
  const { weather } = await ann.page.evaluate(([point, at]) => window.__terrane.skyAt(point, at), [
    here,
    now,
  ] as const);
  expect(told.cloud_cover).toBeCloseTo(weather["cloudCover"] as number, 6);
  expect(told.precipitation.intensity).toBeCloseTo(weather["precipitation"] as number, 6);
  expect(told.fog).toBeCloseTo(weather["fog"] as number, 6);
  expect(told.wetness).toBeCloseTo(weather["wetness"] as number, 6);
  // The ground between two steps of a second is level enough.
  expect(told.temperature_c).toBeCloseTo(weather["temperatureC"] as number, 2);

  // Both read the same time and weather in their panels.
  const lines = await Promise.all([ann, bob].map(({ page }) => page.getByTestId("sky").textContent()));
  for (const line of lines) expect(line).toMatch(/^\d\d:\d\d · [a-z, ]+ · −?\d+ °C$/);
  const [hers = "", his = ""] = lines.map((line) => line?.split(" · ")[1] ?? "");
  expect(hers).toBe(his);
  for (const visitor of [ann, bob]) {
    visitor.expectQuiet();
    await visitor.close();
  }
});

test("two browsers draw the same sky", async ({ browser, server }) => {
  test.setTimeout(240_000);
  const pictures: Buffer[] = [];
  const options = { viewport: { width: 320, height: 200 }, bypassCSP: true };
  const visitors = [await Visitor.open(browser, server.url, options)];
  visitors.push(await Visitor.open(browser, server.url, options));
  const latLng = (await visitors[0]?.state)?.latLng;
  for (const { page } of visitors)
    await page.addStyleTag({ content: "main > :not(canvas) { display: none !important; }" });
  for (const weather of ["fair", "rain"]) {
    for (const visitor of visitors) {
      await visitor.page.evaluate(
        ([at, kind]) =>
          window.__terrane.lookFrom({ at, heightM: 40, headingDeg: 90, pitchDeg: 25 }, 0.4, kind),
        [latLng, weather] as const,
      );
      await visitor.until(({ isIdle }) => isIdle, 90_000);
      pictures.push(await visitor.page.screenshot());
    }
    const [hers, his] = pictures.slice(-2);
    expect(hers?.equals(his ?? Buffer.alloc(0)), weather).toBe(true);
  }
  // And rain is not fair weather.
  expect(pictures[0]?.equals(pictures[2] ?? Buffer.alloc(0))).toBe(false);
  for (const visitor of visitors) {
    visitor.expectQuiet();
    await visitor.close();
  }
});
