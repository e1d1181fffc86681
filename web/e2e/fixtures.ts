/** What every test of the whole system starts from: a planet, visitors, and an eye on their consoles. */
import { type Browser, type BrowserContextOptions, test as base, expect, type Page } from "@playwright/test";
import { TerraneServer } from "./server.ts";

/** What `game/game.ts` shows of itself. */
export interface TerraneState {
  readonly connection: string;
  /** What carries the messages. */
  readonly carrier: string | undefined;
  readonly entityId: number | undefined;
  readonly account: { readonly name: string; readonly color: string } | undefined;
  readonly position: readonly [number, number, number] | undefined;
  readonly latLng: { readonly latitude_deg: number; readonly longitude_deg: number } | undefined;
  readonly people: readonly { readonly id: number; readonly name: string; readonly distanceM: number }[];
  readonly seen: readonly { readonly id: number; readonly position: readonly [number, number, number] }[];
  readonly lot: { readonly cell: string; readonly status: string; readonly isInReach: boolean } | undefined;
  readonly corrections: number | undefined;
  readonly isIdle: boolean;
  readonly view: string;
}

/** Before the page has got so far. */
const NOTHING_YET: TerraneState = {
  connection: "loading",
  carrier: undefined,
  entityId: undefined,
  account: undefined,
  position: undefined,
  latLng: undefined,
  people: [],
  seen: [],
  lot: undefined,
  corrections: undefined,
  isIdle: false,
  view: "globe",
};

/** One browser of one person on a planet. */
export class Visitor {
  private constructor(
    readonly page: Page,
    /** Everything the console complained about. */
    readonly complaints: string[],
  ) {}

  static async open(
    browser: Browser,
    url: string,
    {
      isNewcomer = false,
      quality = "low",
      route,
      ...options
    }: BrowserContextOptions & {
      isNewcomer?: boolean;
      quality?: "low" | "medium" | "high";
      /** Changes answers of the server before the page asks for them. */
      route?: (page: Page) => Promise<unknown>;
    } = {},
  ): Promise<Visitor> {
    const context = await browser.newContext({
      reducedMotion: "reduce",
      viewport: { width: 640, height: 360 },
      // A quarter of the points to draw in software: most tests look at what the page says, not at its picture.
      deviceScaleFactor: 0.5,
      ...options,
    });
    const page = await context.newPage();
    await route?.(page);
    return Visitor.enter(page, url, { quality, isWelcomed: !isNewcomer });
  }

  /** Another window of the same person. */
  async openAgain(url: string): Promise<Visitor> {
    return Visitor.enter(await this.page.context().newPage(), url, { quality: "low", isWelcomed: true });
  }

  private static async enter(page: Page, url: string, settings: object): Promise<Visitor> {
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.addInitScript((kept) => {
      if (!localStorage.getItem("terrane.settings/1")) {
        localStorage.setItem("terrane.settings/1", JSON.stringify(kept));
      }
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`Content-Security-Policy: ${event.violatedDirective} ${event.blockedURI}`);
      });
    }, settings);
    await page.goto(url);
    const visitor = new Visitor(page, complaints);
    await visitor.online();
    return visitor;
  }

  /** Waits until there is a body on the ground. */
  async online(): Promise<void> {
    // Where both processors compile meanwhile, drawing in software takes its time.
    await this.until((state) => state.connection === "online" && state.position !== undefined, 90_000);
  }

  get state(): Promise<TerraneState> {
    return this.page.evaluate((nothingYet) => {
      const state = (window as unknown as { __terrane?: TerraneState }).__terrane;
      if (!state) return nothingYet;
      const {
        connection,
        carrier,
        entityId,
        account,
        position,
        latLng,
        people,
        seen,
        lot,
        corrections,
        isIdle,
        view,
      } = state;
      return {
        connection,
        carrier,
        entityId,
        account,
        position,
        latLng,
        people,
        seen,
        lot,
        corrections,
        isIdle,
        view,
      };
    }, NOTHING_YET);
  }

  /** Waits for a condition on the state. Asks from outside: the page's own policy forbids scripts from strings. */
  async until(condition: (state: TerraneState) => boolean, timeout = 45_000): Promise<void> {
    await expect.poll(async () => condition(await this.state), { timeout }).toBe(true);
  }

  async position(): Promise<readonly [number, number, number]> {
    const { position } = await this.state;
    if (!position) throw new Error("there is no body yet");
    return position;
  }

  async name(): Promise<string> {
    const { account } = await this.state;
    if (!account) throw new Error("there is no account yet");
    return account.name;
  }

  /** Fails on anything the console complained about, except what `allowed` matches. */
  expectQuiet(allowed?: RegExp): void {
    expect(this.complaints.filter((text) => !allowed?.test(text))).toEqual([]);
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}

export const metresBetween = (a: readonly number[], b: readonly number[]) =>
  Math.hypot(...a.map((value, index) => value - (b[index] ?? 0)));

/** Tests that share a planet per worker; those that stop it make their own. */
export const test = base.extend<object, { server: TerraneServer }>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern that names what it needs.
    async ({}, use) => {
      const server = await TerraneServer.create();
      await use(server);
      await server.dispose();
    },
    { scope: "worker" },
  ],
});

export { expect };
