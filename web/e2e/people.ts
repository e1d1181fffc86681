/** People with accounts: their browsers, their mails, and what an operator does from outside. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import AxeBuilder from "@axe-core/playwright";
import type { Browser, BrowserContextOptions, Page } from "@playwright/test";
import { expect } from "./fixtures.ts";
import { BINARY, type TerraneServer } from "./server.ts";

export const PASSWORD = "seven herons on a wet roof";

export class Person {
  private constructor(
    readonly page: Page,
    readonly complaints: string[],
    readonly server: TerraneServer,
  ) {}

  /** A browser that has never been here. */
  static async stranger(
    browser: Browser,
    server: TerraneServer,
    options: BrowserContextOptions = {},
  ): Promise<Person> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      reducedMotion: "reduce",
      ...options,
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type()))
        complaints.push(`${message.text()} ${message.location().url}`);
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`Content-Security-Policy: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    return new Person(page, complaints, server);
  }

  /** Somebody who plays at once, without a name or a password. */
  static async guest(
    browser: Browser,
    server: TerraneServer,
    options: BrowserContextOptions = {},
  ): Promise<Person> {
    const guest = await Person.stranger(browser, server, options);
    await guest.page.goto(`${server.url}/market`);
    await guest.page.getByRole("button", { name: "Make my account" }).click();
    await expect(guest.page.getByTestId("market")).toHaveAttribute("data-standing", "known", {
      timeout: 45_000,
    });
    return guest;
  }

  /** Somebody with an e-mail and a password, who has followed the link in the mail. */
  static async registered(
    browser: Browser,
    server: TerraneServer,
    email: string,
    name: string,
  ): Promise<Person> {
    const person = await Person.stranger(browser, server);
    await person.go("/account?door=register");
    await person.page.getByLabel("Name on the planet").fill(name);
    await person.page.getByLabel("E-mail").fill(email);
    await person.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await person.page.getByRole("button", { name: "Make the account" }).click();
    await expect(person.page.getByTestId("sent")).toContainText(email);
    await person.confirm(email);
    return person;
  }

  /** Somebody whom whoever runs the server has made an administrator. */
  static async admin(
    browser: Browser,
    server: TerraneServer,
    options: BrowserContextOptions = {},
  ): Promise<Person> {
    const person = await Person.guest(browser, server, options);
    const id = await person.accountId();
    await person.page.goto("about:blank");
    // An embedded database has one process at a time.
    await server.stop();
    await operator(server, "account", "role", id, "admin", "--reason", "the first admin");
    await server.start();
    await person.go("/console");
    await expect(person.page.getByTestId("console")).toHaveAttribute("data-standing", "staff");
    return person;
  }

  async go(path: string): Promise<void> {
    await this.page.goto(`${this.server.url}${path}`);
    const root = this.page.locator("[data-standing]");
    await expect(root).not.toHaveAttribute("data-standing", "opening", { timeout: 45_000 });
  }

  /** Opens the link of the newest mail to an address and confirms it. */
  async confirm(email: string): Promise<void> {
    await this.follow(await linkIn(this.server, email, "confirm"));
    await this.page.getByRole("button", { name: "Confirm and go on" }).click();
    await expect(this.page.getByTestId("security")).toBeVisible();
    await expect(this.page.getByTestId("email")).toContainText(email);
  }

  /** A link in a mail opens the page anew. */
  async follow(link: string): Promise<void> {
    await this.page.goto("about:blank");
    await this.page.goto(link);
  }

  async signIn(email: string, password = PASSWORD): Promise<void> {
    await this.go("/account?door=sign-in");
    await this.page.getByLabel("E-mail").fill(email);
    await this.page.getByLabel("Password", { exact: true }).fill(password);
    await this.page.getByRole("button", { name: "Sign in", exact: true }).click();
  }

  /** The number of the account. */
  async accountId(): Promise<string> {
    await this.go("/account");
    const id = await this.page.locator("dd code").first().textContent();
    if (!id) throw new Error("the profile names no account");
    return id;
  }

  /** Shows that it is oneself, if that is asked. */
  async prove(): Promise<void> {
    const dialog = this.page.getByTestId("fresh-login");
    await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await dialog.getByRole("button", { name: "It is me" }).click();
    await expect(dialog).toHaveCount(0);
  }

  /** Takes an act of the staff whose dialog is open. */
  async act(action: string, reason: string): Promise<void> {
    const dialog = this.page.getByRole("dialog");
    await expect(dialog.getByRole("button", { name: action, exact: true })).toBeDisabled();
    await dialog.getByLabel("Why").fill(reason);
    await dialog.getByRole("button", { name: action, exact: true }).click();
    await expect(dialog).toHaveCount(0);
  }

  async expectAccessible(what: string): Promise<void> {
    const { violations } = await new AxeBuilder({ page: this.page })
      .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
      .analyze();
    expect(
      violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
      what,
    ).toEqual([]);
    const overflow = await this.page.evaluate(() => {
      const content = document.querySelector("main");
      return (content?.scrollWidth ?? 0) - (content?.clientWidth ?? 0);
    });
    expect(overflow, `${what} is wider than the screen`).toBeLessThanOrEqual(0);
  }

  expectQuiet(allowed?: RegExp): void {
    expect(this.complaints.filter((text) => !allowed?.test(text))).toEqual([]);
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}

/** The link of a kind in the newest mail to an address: mails are files in development. */
export async function linkIn(
  server: TerraneServer,
  email: string,
  kind: "confirm" | "reset",
): Promise<string> {
  let found: string | undefined;
  await expect
    .poll(async () => {
      for (const mail of (await mailsOf(server)).reverse()) {
        if (!mail.toLowerCase().includes(email.toLowerCase())) continue;
        const plain = mail.replaceAll("=\r\n", "").replaceAll("=\n", "").replaceAll("=3D", "=");
        found = new RegExp(`https?://[^\\s"<>]*#${kind}=[\\w-]+`).exec(plain)?.[0];
        if (found) return true;
      }
      return false;
    })
    .toBe(true);
  if (!found) throw new Error("no mail");
  return found;
}

async function mailsOf(server: TerraneServer): Promise<string[]> {
  const folder = join(server.dataPath, "mail");
  const names = await readdir(folder).catch(() => []);
  return Promise.all(names.sort().map((name) => readFile(join(folder, name), "utf8")));
}

/** What whoever runs the server types: `terrane account …`. */
export async function operator(server: TerraneServer, ...words: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(BINARY, [...words, "--data", server.dataPath]);
  return stdout;
}
