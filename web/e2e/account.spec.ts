import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import { linkIn, PASSWORD, Person } from "./people.ts";
import { Trader } from "./traders.ts";

/** What the browser itself says of answers that are refusals. */
const REFUSALS = /Failed to load resource/;

test("one registers by the link in a mail, signs in elsewhere, and ends the session of a lost device", async ({
  browser,
  server,
}) => {
  const home = await Person.registered(browser, server, "ann@example.org", "Ann Heron");
  await home.go("/account");
  await expect(home.page.getByRole("heading", { level: 1 })).toHaveText("Ann Heron");
  // It holds a key from now on: another page, another visit, still the same person.
  await home.page.reload();
  await expect(home.page.getByRole("heading", { level: 1 })).toHaveText("Ann Heron");

  const away = await Person.stranger(browser, server);
  await away.signIn("Ann@Example.org", "not my password at all");
  await expect(away.page.getByTestId("fault")).toHaveText(
    "This e-mail and this password do not belong together.",
  );
  await away.signIn("ann@example.org");
  await expect(away.page.getByRole("heading", { level: 1 })).toHaveText("Ann Heron");

  await away.go("/account?tab=security");
  await expect(away.page.getByTestId("sessions").getByRole("listitem")).toHaveCount(2);
  await expect(away.page.getByTestId("keys").getByRole("listitem")).toHaveCount(2);
  await away.page.getByTestId("sessions").getByRole("button", { name: /^End / }).click();
  await away.page.getByRole("dialog").getByRole("button", { name: "End", exact: true }).click();
  if (await away.page.getByTestId("fresh-login").isVisible()) await away.prove();
  await expect(away.page.getByTestId("sessions").getByRole("listitem")).toHaveCount(1);

  // The other browser is out, says so, and has not become somebody new.
  await home.go("/account");
  await expect(home.page.getByTestId("account")).toHaveAttribute("data-standing", "stranger");
  await expect(home.page.getByRole("heading", { level: 1 })).toHaveText("Sign in");

  // Who signs out leaves nothing of theirs in the browser.
  const theirs = [await away.accountId(), "Ann Heron", "refreshToken"];
  const before = await kept(away.page);
  for (const word of theirs) expect(before).toContain(word);
  await away.page.getByRole("button", { name: "Sign out here" }).click();
  await away.page.getByRole("dialog").getByRole("button", { name: "Sign out", exact: true }).click();
  await expect(away.page.getByTestId("account")).toHaveAttribute("data-standing", "stranger");
  const after = await kept(away.page);
  for (const word of [...theirs, "ann@example.org", "CryptoKey"]) expect(after).not.toContain(word);
  home.expectQuiet(REFUSALS);
  away.expectQuiet(REFUSALS);
  await home.close();
  await away.close();
});

/** All that the page has put into the browser's storages, as text. */
async function kept(page: Page): Promise<string> {
  return await page.evaluate(async () => {
    const answer = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error("no reason given"));
      });
    const values: unknown[] = [{ ...localStorage }, { ...sessionStorage }, document.cookie];
    for (const { name = "" } of await indexedDB.databases()) {
      const database = await answer(indexedDB.open(name));
      for (const store of database.objectStoreNames) {
        const objects = database.transaction(store).objectStore(store);
        values.push(await answer(objects.getAllKeys()), await answer(objects.getAll()));
      }
      database.close();
    }
    return JSON.stringify(values, (_, value: unknown) => (value instanceof CryptoKey ? "CryptoKey" : value));
  });
}

test("a guest who keeps what is theirs keeps the land, and finds it on another device", async ({
  browser,
  server,
}) => {
  const trader = await Trader.withLand(browser, server.url, "Wren Meadow");
  const { page } = trader;
  await page.goto(`${server.url}/account`);
  await expect(page.getByTestId("guest")).toBeVisible();
  await page.getByTestId("guest").getByRole("link", { name: "Keep what is yours" }).click();
  await page.getByLabel("E-mail").fill("wren@example.org");
  await page.getByLabel("Password", { exact: true }).fill("too short");
  await page.getByLabel("Password", { exact: true }).blur();
  await expect(page.getByText("3 more characters.")).toBeVisible();
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Keep it" }).click();
  await expect(page.getByTestId("sent")).toContainText("wren@example.org");
  await page.goto(await linkIn(server, "wren@example.org", "confirm"));
  await page.getByRole("button", { name: "Confirm and go on" }).click();
  await expect(page.getByTestId("email")).toContainText("wren@example.org");
  await trader.go("?tab=land");
  await expect(page.getByRole("link", { name: "Wren Meadow" })).toBeVisible();

  // The other device has a guest of its own, who waits there.
  const away = await Person.guest(browser, server);
  const guestId = await away.accountId();
  await away.signIn("wren@example.org");
  await expect(away.page.getByTestId("role")).toBeVisible();
  await away.go("/market?tab=land");
  await expect(away.page.getByRole("link", { name: "Wren Meadow" })).toBeVisible();
  await away.go("/account?door=sign-in");
  await away.page.getByTestId("aside").getByRole("button", { name: "Go on as this" }).click();
  await expect(away.page.getByTestId("guest")).toBeVisible();
  expect(await away.accountId()).toBe(guestId);
  trader.expectQuiet();
  away.expectQuiet();
  await trader.close();
  await away.close();
});

test("five wrong passwords close that door for a while, and no other", async ({ browser, server }) => {
  const owner = await Person.registered(browser, server, "locked@example.org", "Lock Stoat");
  const thief = await Person.stranger(browser, server);
  await thief.go("/account?door=sign-in");
  const fault = thief.page.getByTestId("fault");
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    await thief.page.getByLabel("E-mail").fill("locked@example.org");
    await thief.page.getByLabel("Password", { exact: true }).fill(`a guess, number ${attempt}`);
    await thief.page.getByRole("button", { name: "Sign in", exact: true }).click();
    await expect(thief.page.getByLabel("Password", { exact: true })).toHaveValue("");
  }
  await thief.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await thief.page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(fault).toHaveText(/^Too many wrong passwords\. Wait 1[45] minutes, or sign in another way\.$/);

  // Whose account it is comes in by the key of their device all the same.
  await owner.go("/account");
  await expect(owner.page.getByRole("heading", { level: 1 })).toHaveText("Lock Stoat");
  owner.expectQuiet(REFUSALS);
  await owner.close();
  await thief.close();
});

test("a forgotten password is replaced by a link, once", async ({ browser, server }) => {
  const owner = await Person.registered(browser, server, "forgot@example.org", "Forgetful Teal");
  const { page } = owner;
  await owner.go("/account?door=sign-in");
  await page.getByRole("link", { name: "Forgot your password?" }).click();
  // Whether somebody is there is told to nobody.
  await page.getByLabel("E-mail").fill("nobody@example.org");
  await page.getByRole("button", { name: "Send the link" }).click();
  await expect(page.getByTestId("sent")).toContainText("If nobody@example.org belongs to an account");
  await owner.go("/account?door=forgot");
  await page.getByLabel("E-mail").fill("forgot@example.org");
  await page.getByRole("button", { name: "Send the link" }).click();
  await expect(page.getByTestId("sent")).toContainText("If forgot@example.org belongs to an account");

  const link = await linkIn(server, "forgot@example.org", "reset");
  await owner.follow(link);
  expect(new URL(page.url()).hash).toBe("");
  await page.getByLabel("New password", { exact: true }).fill("nine quiet otters by the weir");
  await page.getByRole("button", { name: "Change it" }).click();
  await expect(page.getByTestId("reset")).toContainText("Your password is changed");

  const other = await Person.stranger(browser, server);
  await other.signIn("forgot@example.org");
  await expect(other.page.getByTestId("fault")).toBeVisible();
  await other.signIn("forgot@example.org", "nine quiet otters by the weir");
  await expect(other.page.getByRole("heading", { level: 1 })).toHaveText("Forgetful Teal");
  await other.follow(link);
  await other.page.getByLabel("New password", { exact: true }).fill("ten quiet otters by the weir");
  await other.page.getByRole("button", { name: "Change it" }).click();
  await expect(other.page.getByRole("alert")).toContainText("This link was used already");
  await owner.close();
  await other.close();
});

test("an API key is shown once, works for what it may, and not after it is removed", async ({
  browser,
  server,
}) => {
  const ann = await Person.guest(browser, server);
  const { page } = ann;
  await ann.go("/account?tab=keys");
  await page.getByLabel("What it is for").fill("A gardener");
  await page.getByRole("button", { name: "Make it" }).click();
  const secret = (await page.getByTestId("secret").textContent()) ?? "";
  expect(secret).toMatch(/^trn_/);
  const ask = (path: string, method = "GET") =>
    page.request.fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${secret}` },
      ...(method === "PATCH" && { data: { display_name: "Hijacked" } }),
    });
  expect((await ask("/wallet")).status()).toBe(200);
  expect((await ask("/users/me", "PATCH")).status()).toBe(403);
  await page.reload();
  await expect(page.getByTestId("api-keys")).toContainText("A gardener");
  await expect(page.getByText(secret)).toHaveCount(0);
  await page.getByRole("button", { name: "Remove A gardener" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByTestId("empty")).toBeVisible();
  expect((await ask("/wallet")).status()).toBe(401);
  ann.expectQuiet();
  await ann.close();
});

test("one takes a copy of one's data away, and thinks again about being erased", async ({
  browser,
  server,
}) => {
  const ann = await Person.guest(browser, server);
  const { page } = ann;
  await ann.go("/account?tab=data");
  await page.getByRole("button", { name: "Make a copy" }).click();
  const download = page.getByTestId("exports").getByRole("button", { name: /^Download/ });
  await expect(download).toBeVisible({ timeout: 60_000 });
  const file = page.waitForEvent("download");
  await download.click();
  expect((await file).suggestedFilename()).toBe("terrane-my-data.zip");

  const name = await page.evaluate(() => document.title);
  expect(name).toContain("Your data");
  await page.getByRole("button", { name: "Erase my account…" }).click();
  const dialog = page.getByRole("dialog");
  const erase = dialog.getByRole("button", { name: "Erase it" });
  await expect(erase).toBeDisabled();
  await dialog.getByRole("textbox").fill((await dialog.locator("b").textContent()) ?? "");
  await erase.click();
  await expect(page.getByTestId("erasure-due")).toBeVisible();
  await page.getByRole("button", { name: "Keep my account" }).click();
  await expect(page.getByRole("button", { name: "Erase my account…" })).toBeVisible();
  ann.expectQuiet();
  await ann.close();
});

const DOORS = ["sign-in", "register", "forgot"].map((door) => `/account?door=${door}`);
const TABS = ["profile", "security", "keys", "data", "settings"].map((tab) => `/account?tab=${tab}`);

for (const [name, options] of [
  ["on a phone", { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true }],
  ["on a desk in the dark", { viewport: { width: 1280, height: 800 }, colorScheme: "dark" }],
] as const) {
  test(`every page of an account can be used by everybody, ${name}`, async ({ browser, server }) => {
    const stranger = await Person.stranger(browser, server, options);
    for (const path of [...DOORS, "/account#reset=q8Jm3uVd-_0aYhP5wZ1sT7bXcE2kLr9oGf4nMi6vUyA"]) {
      await stranger.go(path);
      await expect(stranger.page.getByRole("heading", { level: 1 })).toBeVisible();
      await stranger.expectAccessible(path);
    }
    const ann = await Person.guest(browser, server, options);
    for (const path of TABS) {
      await ann.go(path);
      await expect(ann.page.getByText("Asking…")).toHaveCount(0);
      await expect(ann.page.getByRole("alert")).toHaveCount(0);
      await ann.expectAccessible(path);
    }
    await ann.page
      .getByRole("navigation", { name: "Account" })
      .getByRole("link", { name: "Profile" })
      .focus();
    await ann.page.keyboard.press("Enter");
    await expect(ann.page.getByRole("heading", { level: 1 })).toBeFocused();
    ann.expectQuiet();
    stranger.expectQuiet();
    await stranger.close();
    await ann.close();
  });
}
