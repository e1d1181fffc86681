/**
 * Pictures of the pages for the documents and for people who change them: `TERRANE_SHOTS=folder npm run e2e -- shots`.
 * No test: it fails only where a page does not open.
 */
import { join } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import { Visitor } from "./fixtures.ts";
import { Person } from "./people.ts";
import { TerraneServer } from "./server.ts";
import { quickMarket, removeFolder, Trader } from "./traders.ts";

const FIREFOX = "Mozilla/5.0 (Android 15; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0";

const folder = process.env["TERRANE_SHOTS"];
test.skip(!folder, "TERRANE_SHOTS names no folder");

const SIZES = [
  ["desk", { width: 1280, height: 800 }],
  ["phone", { width: 390, height: 844 }],
] as const;

async function shoot(trader: { readonly page: Page }, name: string, isWhole = false): Promise<void> {
  const { page } = trader;
  for (const [size, viewport] of SIZES) {
    await page.setViewportSize(viewport);
    await expect(page.getByText("Asking…")).toHaveCount(0);
    // Pictures of the ground arrive by themselves; news keep the network busy for ever.
    await expect
      .poll(() => page.evaluate(() => [...document.images].every((image) => image.complete)))
      .toBe(true);
    await page.screenshot({ path: join(folder ?? ".", `${name}-${size}.png`), fullPage: isWhole });
  }
  await page.setViewportSize(SIZES[0][1]);
}

const SHARP = { deviceScaleFactor: 1 };

test("the market", async ({ browser }) => {
  test.setTimeout(600_000);
  const server = await quickMarket({ TERRANE_PLANET_RASTER_LEVEL: "8" });
  try {
    const ann = await Trader.withLand(browser, server.url, "Plum Corner", SHARP);
    const bob = await Trader.withLand(browser, server.url, "Apple Yard", SHARP);
    const dan = await Trader.withLand(browser, server.url, "Heron Bank", SHARP);
    const cyd = await Trader.enter(browser, server.url);
    for (const [trader, name, price] of [
      [ann, "Plum Corner", "120"],
      [dan, "Heron Bank", "75.50"],
    ] as const) {
      await trader.tab("My land");
      await trader.page.getByRole("link", { name }).click();
      const sell = trader.page.getByTestId("sell");
      await sell.getByRole("textbox", { name: "Price" }).fill(price);
      await sell.getByRole("button", { name: "Put up for sale" }).click();
      await trader.confirm("Put up for sale");
    }
    await bob.tab("My land");
    await bob.page.getByRole("link", { name: "Apple Yard" }).click();
    await shoot(bob, "market-own-land");
    const sell = bob.page.getByTestId("sell");
    await sell.getByRole("radio", { name: /^Auction/ }).check();
    await sell.getByLabel("First bid").fill("100");
    await sell.getByLabel("Runs for").selectOption({ label: "1 day" });
    await sell.getByRole("button", { name: "Open the auction" }).click();
    await bob.confirm("Open the auction");
    const address = new URL(bob.page.url()).search;
    for (const [trader, amount] of [
      [cyd, "150"],
      [ann, "180"],
    ] as const) {
      await trader.go(address);
      await trader.page.getByLabel("Your highest bid").fill(amount);
      await trader.page.getByTestId("auction").getByRole("button", { name: "Bid", exact: true }).click();
      await trader.confirm(/^Bid /);
    }
    await shoot(cyd, "market-auction");
    await cyd.go("");
    await shoot(cyd, "market-list");
    await cyd.page.getByTestId("parcel-card").filter({ hasText: "Heron Bank" }).getByRole("link").click();
    await expect(cyd.page.getByTestId("parcel")).toBeVisible();
    await shoot(cyd, "market-land");
    await cyd.page.getByTestId("listing").getByRole("button", { name: "Buy" }).first().click();
    await shoot(cyd, "market-buy");
    await cyd.confirm(/Buy for/);
    for (const tab of ["wallet", "notices", "selling", "land"]) {
      await cyd.go(`?tab=${tab}`);
      await shoot(cyd, `market-${tab}`);
    }
  } finally {
    await server.dispose();
    await removeFolder(server.folder);
  }
});

test("signing in, and the security page", async ({ browser }) => {
  test.setTimeout(300_000);
  const server = await TerraneServer.create();
  try {
    const stranger = await Person.stranger(browser, server);
    await stranger.go("/account?door=sign-in");
    await shoot(stranger, "sign-in");
    const ann = await Person.registered(browser, server, "ann@example.org", "Ann Heron");
    const away = await Person.stranger(browser, server, { userAgent: FIREFOX });
    await away.signIn("ann@example.org");
    await expect(away.page.getByTestId("role")).toBeVisible();
    await shoot(away, "account");
    await ann.go("/account?tab=security");
    await shoot(ann, "security");
    for (const tab of ["keys", "data", "settings"]) {
      await ann.go(`/account?tab=${tab}`);
      await shoot(ann, `account-${tab}`);
    }
  } finally {
    await server.dispose();
  }
});

test("the console", async ({ browser }) => {
  test.setTimeout(300_000);
  const server = await TerraneServer.create({ TERRANE_PLANET_RASTER_LEVEL: "8" });
  try {
    const staff = await Person.admin(browser, server);
    const players = [];
    for (let count = 0; count < 5; count += 1) players.push(await Person.guest(browser, server));
    const walker = await Visitor.open(browser, server.url, SHARP);
    await walker.online();
    const [first] = players;
    const id = (await first?.accountId()) ?? "";
    await staff.go(`/console?tab=people&id=${id}`);
    await staff.page.getByRole("button", { name: "Suspend…" }).click();
    await staff.act("Suspend", "Shouted at newcomers all evening.");
    await staff.page.getByLabel(/A new note/).fill("Said sorry by mail.");
    await staff.page.getByRole("button", { name: "Keep the note" }).click();
    await expect(staff.page.getByTestId("notes")).toContainText("Said sorry");
    await expect(staff.page.getByTestId("toast")).toHaveCount(0, { timeout: 20_000 });
    await shoot(staff, "console-person");
    await staff.go(`/console?tab=ledger&id=${id}&about=${id}`);
    await shoot(staff, "console-ledger");
    await staff.go("/console?tab=world");
    await expect(staff.page.getByTestId("world-map")).toHaveAttribute("data-idle", "true");
    await shoot(staff, "console-world");
    for (const tab of ["people", "audit", "acts", "system"]) {
      await staff.go(`/console?tab=${tab}`);
      await shoot(staff, `console-${tab}`);
    }
  } finally {
    await server.dispose();
  }
});
