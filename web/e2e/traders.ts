/** People in the market: each with a browser, an account and an eye on the console. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import AxeBuilder from "@axe-core/playwright";
import type { Browser, BrowserContextOptions, Page } from "@playwright/test";
import { expect, Visitor } from "./fixtures.ts";
import { TerraneServer } from "./server.ts";

export class Trader {
  private constructor(
    readonly page: Page,
    readonly complaints: string[],
    private readonly url: string,
  ) {}

  /** Somebody new, who has an account made on the page itself. */
  static async enter(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Trader> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      reducedMotion: "reduce",
      ...options,
    });
    const trader = Trader.at(await context.newPage(), url);
    await trader.page.goto(`${url}/market`);
    await trader.page.getByRole("button", { name: "Make my account" }).click();
    await trader.known();
    return trader;
  }

  /** Somebody who walks in the world claims the ground before their feet, and then opens the market. */
  static async withLand(
    browser: Browser,
    url: string,
    name: string,
    options: BrowserContextOptions = {},
  ): Promise<Trader> {
    const visitor = await Visitor.open(browser, url, options);
    const { page } = visitor;
    await toFreeGround(visitor);
    await page.keyboard.press("KeyE");
    await page.getByRole("button", { name: "Buy it" }).click();
    await page.getByLabel("What is this place called?").fill(name);
    await page.getByRole("button", { name: "Keep" }).click();
    await expect(page.getByTestId("lot-title")).toHaveText(name);
    visitor.expectQuiet();
    await page.setViewportSize({ width: 1280, height: 800 });
    const trader = Trader.at(page, url);
    await trader.go("");
    return trader;
  }

  private static at(page: Page, url: string): Trader {
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type()))
        complaints.push(`${message.text()} ${message.location().url}`);
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    return new Trader(page, complaints, url);
  }

  async go(query: string): Promise<void> {
    await this.page.goto(`${this.url}/market${query}`);
    await this.known();
  }

  async known(): Promise<void> {
    await expect(this.page.getByTestId("market")).toHaveAttribute("data-standing", "known", {
      timeout: 45_000,
    });
    await expect(this.page.getByTestId("market")).toHaveAttribute("data-stream", "live", { timeout: 20_000 });
  }

  /** Goes to another page of the market by its link, as a person does. */
  async tab(name: string): Promise<void> {
    await this.page.getByRole("navigation", { name: "Market" }).getByRole("link", { name }).click();
  }

  /** What the wallet says that one can spend and what is held, in minor units. */
  async money(): Promise<{ readonly available: number; readonly held: number }> {
    const text = (await this.page.getByTestId("available").textContent()) ?? "";
    const amounts = [...text.matchAll(/([\d,]+)\.(\d\d)\scoin/g)].map(([, whole = "", part = ""]) =>
      Number(whole.replaceAll(",", "") + part),
    );
    return { available: amounts[0] ?? Number.NaN, held: amounts[1] ?? 0 };
  }

  /** Takes a decision whose dialog is open. */
  async confirm(action: string | RegExp): Promise<void> {
    const dialog = this.page.getByRole("dialog");
    await dialog.getByRole("button", { name: action }).click();
    await expect(dialog).toHaveCount(0);
  }

  /** Whether everything on the page can be used by everybody. */
  async expectAccessible(): Promise<void> {
    const { violations } = await new AxeBuilder({ page: this.page }).analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  }

  expectQuiet(allowed?: RegExp): void {
    expect(this.complaints.filter((text) => !allowed?.test(text))).toEqual([]);
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}

/** Goes on by links, some 70 m at a time, until the lot before one's feet is nobody's. */
async function toFreeGround(visitor: Visitor): Promise<void> {
  const home = (await visitor.state).latLng;
  if (!home) throw new Error("there is no body yet");
  for (let step = 1; step <= 24; step += 1) {
    await visitor.until(({ lot }) => lot !== undefined && lot.status !== "unknown");
    const { lot } = await visitor.state;
    if (lot?.status === "free" && lot.isInReach) return;
    const around = (step * Math.PI) / 4;
    const away = 0.005 * Math.ceil(step / 8);
    const place = [home.latitude_deg + away * Math.sin(around), home.longitude_deg + away * Math.cos(around)];
    await visitor.page.evaluate(
      (hash) => {
        location.hash = hash;
      },
      place.map((degrees) => degrees.toFixed(5)).join(","),
    );
    const before = lot?.cell;
    await visitor.until((state) => state.lot?.cell !== before);
  }
  throw new Error("no ground is free");
}

/** A planet whose auctions are over in seconds. */
export async function quickMarket(
  settings: Readonly<Record<string, string>> = {},
): Promise<TerraneServer & { readonly folder: string }> {
  const table = readFileSync(fileURLToPath(new URL("../../content/economy.toml", import.meta.url)), "utf8");
  const folder = await mkdtemp(join(tmpdir(), "terrane-economy-"));
  const path = join(folder, "economy.toml");
  const changed = table
    .replace(/^soft_close_s = .*$/m, "soft_close_s = 3")
    .replace(/^auction_duration_min_s = .*$/m, "auction_duration_min_s = 5")
    .replace(/^auction_duration_default_s = .*$/m, "auction_duration_default_s = 45");
  await writeFile(path, changed);
  const server = await TerraneServer.create({ ...settings, TERRANE_ECONOMY_PATH: path });
  return Object.assign(server, { folder });
}

export const removeFolder = (folder: string) => rm(folder, { recursive: true, force: true });
