import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import type { TerraneServer } from "./server.ts";

/** Opens the map and waits until MapLibre has drawn all it asked for. */
async function openMap(page: Page, server: TerraneServer, address = "/map"): Promise<string[]> {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`${server.url}${address}`);
  await expect(page.locator("main")).toHaveAttribute("data-idle", "true", { timeout: 90_000 });
  return complaints;
}

/** What software rendering itself complains of. */
const OF_THE_DRIVER = /GL Driver Message|GPU stall/;

test("a standard map client shows the planet from our tiles", async ({ page, server }) => {
  const tiles: string[] = [];
  page.on("response", (response) => {
    const path = new URL(response.url()).pathname;
    if (/\/map\/biome\/\d+\/\d+\/\d+\.\w+$/.test(path) && response.ok()) tiles.push(path);
  });
  const complaints = await openMap(page, server);
  expect(tiles.length).toBeGreaterThan(1);
  // Land and water, not one colour: a picture of the middle of the map holds many.
  const picture = await page.getByTestId("map").screenshot();
  expect(picture.byteLength).toBeGreaterThan(20_000);
  expect(complaints.filter((text) => !OF_THE_DRIVER.test(text))).toEqual([]);
  const { violations } = await new AxeBuilder({ page }).exclude("canvas").analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
});

test("the layer is chosen, told by the address, and explained by the legend", async ({ page, server }) => {
  await openMap(page, server);
  await page.getByRole("button", { name: "Heights" }).click();
  await expect(page).toHaveURL(/layer=elevation/);
  await expect(page.getByRole("button", { name: "Heights" })).toHaveAttribute("aria-pressed", "true");
  await expect(page.locator("details li").first()).toBeAttached();
});

test("a place is found by its name and by its coordinates, and one can walk there", async ({
  page,
  server,
  request,
}) => {
  const { planet_hash: hash } = await (await request.get(`${server.url}/api/v1/planet`)).json();
  const { items } = await (await request.get(`${server.url}/api/v1/planet/${hash}/places`)).json();
  await openMap(page, server);
  await page.keyboard.press("/");
  const field = page.getByRole("searchbox");
  await expect(field).toBeFocused();

  await field.fill(items[0].name);
  await expect(page.getByRole("list", { name: "Places found" }).getByRole("button").first()).toContainText(
    items[0].name,
  );
  await field.fill("no such place anywhere");
  await expect(page.getByText("No place of that name")).toBeVisible();

  await field.fill("10.5 N, 20.25 W");
  await field.press("Enter");
  const card = page.getByTestId("here");
  await expect(card).toContainText("10.5000° N, 20.2500° W");
  await expect(card).toContainText("mm of rain a year");
  await expect(card.getByRole("link", { name: "Walk there" })).toHaveAttribute(
    "href",
    "/#10.50000,-20.25000",
  );
  await card.getByRole("button", { name: "Close" }).click();
  await expect(card).toHaveCount(0);
});

test("on a phone the map leaves room for the map", async ({ browser, server }) => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true });
  const page = await context.newPage();
  await openMap(page, server);
  const size = await page.evaluate(() => [document.body.scrollWidth, document.body.scrollHeight]);
  expect(size).toEqual([390, 844]);
  // The legend waits folded.
  await expect(page.locator("details")).not.toHaveAttribute("open");
  await context.close();
});
