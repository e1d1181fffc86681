/**
 * Two people over a bad network: what one sees of the other is where the other was a moment ago, and nobody jumps. And
 * what happens when the connection breaks, falls silent or comes back to another process.
 */

import type { Browser, Page } from "@playwright/test";
import { FaultProxy, type Faults } from "./fault_proxy.ts";
import { test as base, expect, metresBetween, Visitor } from "./fixtures.ts";
import { TerraneServer } from "./server.ts";

/** What a test has begun, ended with it however it ends. */
const test = base.extend<{ ending: (end: () => unknown) => void; own: TerraneServer }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern that names what it needs.
  ending: async ({}, use) => {
    const ends: (() => unknown)[] = [];
    await use((end) => ends.push(end));
    for (const end of ends.reverse()) await end();
  },
  /** A planet that this test alone uses. */
  own: async ({ ending }, use) => {
    const server = await TerraneServer.create();
    ending(() => server.dispose());
    await use(server);
  },
});

type Place = readonly [number, number, number];

/** Delay and loss each way: a round trip takes 300 ms. */
const BAD: Faults = { delayMs: 150, loss: 0.03 };
/** How far off the way that one went the other may see them, at any moment. */
const OFF_WAY_M = 0.5;
/**
 * How late: 150 ms there, 150 ms on, an input that waits for its tick, a send that waits for its turn, and what losses
 * hold up; to which comes what two pictures of each page take, which are drawn in software here.
 */
const LATE_MS = 1_000;
/** Nobody runs faster than this: a drawn step longer than it allows is a jump. */
const RUN_MPS = 6.5;
/** And what the page itself was busy with, which on a machine that draws in software and builds beside it may be a second too. */
const RESUMED_WITHIN_MS = 1_000;

interface Sight {
  readonly atMs: number;
  readonly place: Place;
}

/** What a page draws, of itself or of somebody else, picture by picture, until {@link seen} is asked for. */
function watch(page: Page, entityId?: number): Promise<void> {
  return page.evaluate((entityId) => {
    const shared = window as unknown as {
      __terrane: { position: Place; seen: { id: number; position: Place }[] };
      __sights: Sight[] | undefined;
    };
    const sights: Sight[] = [];
    shared.__sights = sights;
    const look = (frameMs: number) => {
      if (shared.__sights !== sights) return;
      const state = shared.__terrane;
      const place =
        entityId === undefined ? state.position : state.seen.find(({ id }) => id === entityId)?.position;
      // The time for which the page drew, not the one at which the picture was done: that may be long after.
      if (place) sights.push({ atMs: performance.timeOrigin + frameMs, place });
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, entityId);
}

function seen(page: Page): Promise<readonly Sight[]> {
  return page.evaluate(() => {
    const shared = window as unknown as { __sights: Sight[] | undefined };
    const sights = shared.__sights ?? [];
    shared.__sights = undefined;
    return sights;
  });
}

/** The point of a way nearest to a place, of those passed before a moment: how far off, and how long ago. */
function nearestBefore(way: readonly Sight[], { atMs, place }: Sight): { offM: number; lateMs: number } {
  let best = { offM: Number.POSITIVE_INFINITY, lateMs: 0 };
  for (const [index, to] of way.entries()) {
    const from = way[Math.max(0, index - 1)] ?? to;
    if (from.atMs > atMs) break;
    for (let share = 0; share <= 1; share += 0.1) {
      const point = from.place.map((value, axis) => value + ((to.place[axis] ?? 0) - value) * share);
      const offM = metresBetween(point, place);
      // Of equally near points, as while standing, the latest.
      if (offM <= best.offM + 0.02) {
        best = {
          offM: Math.min(offM, best.offM),
          lateMs: atMs - (from.atMs + (to.atMs - from.atMs) * share),
        };
      }
    }
  }
  return best;
}

const gapMs = (sight: Sight, before: Sight) => sight.atMs - before.atMs;

/** The most that a measure of two neighbours comes to. */
const longest = (sights: readonly Sight[], measure: (sight: Sight, before: Sight) => number) =>
  Math.max(...sights.slice(1).map((sight, index) => measure(sight, sights[index] ?? sight)));

/** A visitor over a network of their own, which is good until they have arrived. */
async function arrive(
  browser: Browser,
  server: TerraneServer,
  ending: (end: () => unknown) => void,
  carrier: "websocket" | "webtransport",
  prepare: (proxy: FaultProxy) => void = () => undefined,
): Promise<{ visitor: Visitor; proxy: FaultProxy }> {
  const proxy = await FaultProxy.open(server.port);
  ending(() => proxy.close());
  prepare(proxy);
  const visitor = await Visitor.open(
    browser,
    `${proxy.url}/${carrier === "websocket" ? "?transport=websocket" : ""}`,
    {
      // Few pixels, as this is about when pictures come and not about their looks.
      viewport: { width: 320, height: 180 },
      // The server tells its own address; here one comes to it by another.
      route: async (page) =>
        page.route("**/api/v1/planet", async (route) => {
          const response = await route.fetch().catch(() => undefined);
          if (!response) return route.abort();
          const planet = await response.json();
          if (planet.webtransport) {
            planet.webtransport.url = planet.webtransport.url.replace(`:${server.port}`, `:${proxy.port}`);
          }
          await route.fulfill({ response, json: planet });
        }),
    },
  );
  return { visitor, proxy };
}

/** How long a page was away, and how long it was kept from looking at a stretch: what it does not do at once then is not the connection's fault. */
interface Away {
  readonly ms: number;
  readonly busyMs: number;
}

/** Watches a page lose its connection and have it again, frames and all: from the loss on, an event, or its waking. */
async function away(page: Page, since: "loss" | "online" | "waking", begin: () => unknown): Promise<Away> {
  await page.evaluate((since) => {
    const shared = window as unknown as {
      __terrane: { connection: string; vitals: { frames: number } };
      __away: Promise<Away> | undefined;
    };
    shared.__away = new Promise((resolve) => {
      let beganMs: number | undefined;
      let framesThen: number | undefined;
      let busyMs = 0;
      let lookedMs = performance.now();
      const begin = () => {
        beganMs ??= performance.now();
      };
      for (const target of [window, document]) target.addEventListener(since, begin, { once: true });
      const timer = setInterval(() => {
        const nowMs = performance.now();
        if (since === "waking" && beganMs === undefined && nowMs - lookedMs > 3_000) {
          begin();
          lookedMs = nowMs;
        }
        const { connection, vitals } = shared.__terrane;
        if (connection !== "online") {
          framesThen ??= vitals.frames;
          if (since === "loss") begin();
        }
        if (beganMs !== undefined) {
          busyMs = Math.max(busyMs, nowMs - Math.max(lookedMs, beganMs));
          if (connection === "online" && vitals.frames > (framesThen ?? Number.POSITIVE_INFINITY)) {
            clearInterval(timer);
            resolve({ ms: nowMs - beganMs, busyMs });
          }
        }
        lookedMs = nowMs;
      }, 10);
    });
  }, since);
  await begin();
  const found = await page.evaluate(
    () => (window as unknown as { __away: Promise<Away> | undefined }).__away,
  );
  if (!found) throw new Error("the page was loaded anew");
  return found;
}

const told = ({ ms, busyMs }: Away) => `${ms.toFixed(0)} ms (busy for ${busyMs.toFixed(0)})`;
const expectQuick = (gone: Away) => expect(gone.ms, told(gone)).toBeLessThan(RESUMED_WITHIN_MS + gone.busyMs);

for (const carrier of ["websocket", "webtransport"] as const) {
  test(`two browsers agree at 150 ms and 3 % loss each way, by ${carrier}`, async ({
    browser,
    own,
    ending,
  }) => {
    const [ann, bob] = await Promise.all([
      arrive(browser, own, ending, carrier),
      arrive(browser, own, ending, carrier),
    ]);
    expect((await ann.visitor.state).carrier).toBe(carrier);
    expect((await bob.visitor.state).carrier).toBe(carrier);
    const { entityId } = await ann.visitor.state;
    await bob.visitor.until((state) => state.seen.some(({ id }) => id === entityId));
    ann.proxy.faults = BAD;
    bob.proxy.faults = BAD;

    const { page } = ann.visitor;
    const start = await ann.visitor.position();
    const walked = async () => metresBetween(await ann.visitor.position(), start);
    await Promise.all([watch(page), watch(bob.visitor.page, entityId)]);
    // She runs, turns while she runs, and stands.
    await page.keyboard.down("ShiftLeft");
    await page.keyboard.down("KeyW");
    await expect.poll(walked).toBeGreaterThan(12);
    await page.keyboard.down("ArrowRight");
    await page.waitForTimeout(700);
    await page.keyboard.up("ArrowRight");
    await expect.poll(walked).toBeGreaterThan(18);
    await page.keyboard.up("KeyW");
    await page.keyboard.up("ShiftLeft");
    // They agree to a hand's breadth once she stands.
    await expect
      .poll(async () => {
        const there = (await bob.visitor.state).seen.find(({ id }) => id === entityId);
        return metresBetween(there?.position ?? [0, 0, 0], await ann.visitor.position());
      })
      .toBeLessThan(0.1);
    const [way, sights] = await Promise.all([seen(page), seen(bob.visitor.page)]);

    expect(ann.proxy.lostCount + bob.proxy.lostCount, "the network was bad").toBeGreaterThan(2);
    const judged = sights
      .filter(({ atMs }) => atMs > (way[0]?.atMs ?? 0) + LATE_MS)
      .map((sight) => nearestBefore(way, sight));
    expect(judged.length).toBeGreaterThan(8);
    const late = judged.map(({ lateMs }) => lateMs).sort((a, b) => a - b);
    const worst = { offM: Math.max(...judged.map(({ offM }) => offM)), lateMs: late.at(-1) ?? 0 };
    const lateMaxMs = LATE_MS + 2 * longest(way, gapMs) + 2 * longest(sights, gapMs);
    // No jump: from one picture to the next nobody gets further than a runner, and what was late is made up gently.
    const fastest = longest(
      sights,
      (sight, before) =>
        metresBetween(sight.place, before.place) / Math.max(0.05, gapMs(sight, before) / 1_000),
    );
    // What she did between two pictures of hers is not known here.
    const offMaxM = OFF_WAY_M + longest(way, (sight, before) => metresBetween(sight.place, before.place));
    const { corrections } = await ann.visitor.state;
    const figures =
      `off ${worst.offM.toFixed(2)} m of ${offMaxM.toFixed(2)}, late ${worst.lateMs.toFixed(0)} ms of ${lateMaxMs.toFixed(0)} ` +
      `(median ${late[late.length >> 1]?.toFixed(0)}), fastest ${fastest.toFixed(1)} m/s, ` +
      `${corrections} corrections, ${judged.length} pictures`;
    console.log(`${carrier}: ${figures}`);
    expect(worst.offM, figures).toBeLessThan(offMaxM);
    expect(worst.lateMs, figures).toBeLessThan(lateMaxMs);
    expect(fastest, figures).toBeLessThan(3 * RUN_MPS);
    // One's own body: what is pressed happens at once, and is not taken back in jumps.
    const ownFastest = longest(
      way,
      (sight, before) =>
        metresBetween(sight.place, before.place) / Math.max(0.05, gapMs(sight, before) / 1_000),
    );
    expect(ownFastest, "our own body does not jump").toBeLessThan(3 * RUN_MPS);

    for (const { visitor } of [ann, bob]) await visitor.close();
  });
}

test("a connection that is cut is back within a second, in the same body", async ({
  browser,
  own,
  ending,
}) => {
  for (const carrier of ["websocket", "webtransport"] as const) {
    const { visitor, proxy } = await arrive(browser, own, ending, carrier);
    proxy.faults = { delayMs: 50, loss: 0 };
    const before = await visitor.state;
    expect(before.carrier).toBe(carrier);
    const gone = await away(visitor.page, "loss", () => proxy.cut());
    const after = await visitor.state;
    console.log(`${carrier}: cut, back after ${told(gone)}, by ${after.carrier}`);
    expectQuick(gone);
    expect(after.entityId).toBe(before.entityId);
    expect(metresBetween(after.position ?? [], before.position ?? [])).toBeLessThan(0.1);
    await visitor.close();
  }
});

test("a connection that died in silence is made good within a second of waking or of another network", async ({
  browser,
  own,
  ending,
}) => {
  const { visitor, proxy } = await arrive(browser, own, ending, "websocket");
  const { page } = visitor;
  const before = await visitor.state;
  // A few pings, so that the page knows how long an answer takes.
  await page.waitForTimeout(5_000);

  // Another network: what was open is dead and does not know it.
  const network = await away(page, "online", () => {
    proxy.silence();
    return page.evaluate(() => window.dispatchEvent(new Event("online")));
  });

  // Sleep: nothing runs, and the connection is gone when one wakes.
  await page.waitForTimeout(3_000);
  const tab = await page.context().newCDPSession(page);
  await tab.send("Debugger.enable");
  const waking = await away(page, "waking", async () => {
    await tab.send("Debugger.pause");
    proxy.silence();
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    await tab.send("Debugger.resume");
  });

  console.log(`another network: back after ${told(network)}; waking: after ${told(waking)}`);
  expectQuick(network);
  expectQuick(waking);
  const after = await visitor.state;
  expect(after.entityId).toBe(before.entityId);
  expect(metresBetween(after.position ?? [], before.position ?? [])).toBeLessThan(0.1);
  await visitor.close();
});

test("a server that is killed and started again has everybody back within a second, where they were", async ({
  browser,
  own,
}) => {
  const visitor = await Visitor.open(browser, own.url);
  const { page } = visitor;
  const start = await visitor.position();
  await page.keyboard.down("KeyW");
  await expect.poll(async () => metresBetween(await visitor.position(), start)).toBeGreaterThan(4);
  await page.keyboard.up("KeyW");
  // What was done more than a second ago is kept.
  await page.waitForTimeout(1_500);
  const before = await visitor.state;
  await own.kill();
  await visitor.until((state) => state.connection !== "online");
  await own.start();
  const readyMs = Date.now();
  await expect.poll(async () => (await visitor.state).connection, { intervals: [20] }).toBe("online");
  const backMs = Date.now() - readyMs;
  await visitor.online();
  const after = await visitor.state;
  console.log(`restart: back ${backMs} ms after the server was ready`);
  expect(backMs).toBeLessThan(RESUMED_WITHIN_MS);
  expect(metresBetween(after.position ?? [], before.position ?? [])).toBeLessThan(0.5);
  await visitor.close();
});

test("where WebTransport does not get through, one plays over a WebSocket and is told nothing", async ({
  browser,
  own,
  ending,
}) => {
  const { visitor, proxy } = await arrive(browser, own, ending, "webtransport", (proxy) => {
    proxy.isUdpBlocked = true;
  });
  expect((await visitor.state).carrier).toBe("websocket");
  await expect(visitor.page.getByRole("alert")).toHaveCount(0);
  // And is not kept waiting for it a second time.
  const gone = await away(visitor.page, "loss", () => proxy.cut());
  expectQuick(gone);
  await visitor.close();
});

test("a page put into the background lets go of its keys, and comes back without a leap", async ({
  browser,
  server,
}) => {
  const visitor = await Visitor.open(browser, server.url);
  const { page } = visitor;
  const hide = (isHidden: boolean) =>
    page.evaluate((isHidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, value: isHidden });
      document.dispatchEvent(new Event("visibilitychange"));
    }, isHidden);
  const start = await visitor.position();
  await page.keyboard.down("KeyW");
  await expect.poll(async () => metresBetween(await visitor.position(), start)).toBeGreaterThan(2);
  await hide(true);
  const resting: Place[] = [];
  await expect
    .poll(async () => {
      resting.push(await visitor.position());
      return metresBetween(resting.at(-1) ?? [], resting.at(-2) ?? start);
    })
    .toBeLessThan(0.001);
  await hide(false);
  await visitor.until((state) => state.connection === "online");
  expect(metresBetween(await visitor.position(), resting.at(-1) ?? [])).toBeLessThan(0.1);
  await page.keyboard.up("KeyW");
  visitor.expectQuiet();
  await visitor.close();
});

test("the details of the connection open by a key and by the settings, and say what carries it", async ({
  browser,
  server,
}) => {
  const desktop = await Visitor.open(browser, server.url, { viewport: { width: 1280, height: 720 } });
  await desktop.page.keyboard.press("F3");
  const panel = desktop.page.getByTestId("vitals");
  await expect(panel).toContainText(/WebTransport|WebSocket/);
  await expect(panel).toContainText(/of 10/);
  await desktop.page.keyboard.press("F3");
  await expect(panel).toHaveCount(0);
  desktop.expectQuiet();
  await desktop.close();

  const phone = await Visitor.open(browser, server.url, {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  await phone.page.getByRole("button", { name: "Settings" }).tap();
  await phone.page.getByText("Show how the connection does").tap();
  await phone.page.keyboard.press("Escape");
  await expect(phone.page.getByTestId("vitals")).toBeVisible();
  await phone.page.getByRole("button", { name: "Close the details" }).tap();
  await expect(phone.page.getByTestId("vitals")).toHaveCount(0);
  phone.expectQuiet();
  await phone.close();
});
