/** Signing in at another site: a browser, the real server, and npm `oidc-provider` with its own pages. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { test as base, expect } from "./fixtures.ts";
import { Person } from "./people.ts";
import { freePort, TerraneServer } from "./server.ts";

const SCRIPT = fileURLToPath(new URL("../scripts/oidc_provider.mjs", import.meta.url));

/** A planet of which one site is believed, and that site. */
const test = base.extend<object, { server: TerraneServer }>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern that names what it needs.
    async ({}, use) => {
      const port = await freePort();
      const server = await TerraneServer.create({
        TERRANE_SIGN_IN_PROVIDERS: `[{ id = "home", name = "Home", issuer = "http://127.0.0.1:${port}",
          client_id = "terrane", client_secret = "a secret of the client & more", allow_http = true }]`,
      });
      const provider = await startProvider(server.url, port);
      await use(server);
      provider.kill();
      await server.dispose();
    },
    { scope: "worker" },
  ],
});

function startProvider(planetUrl: string, port: number): Promise<ChildProcess> {
  const redirectUri = `${planetUrl}/api/v1/auth/providers/home/callback`;
  const provider = spawn("node", [SCRIPT, "ES256", redirectUri, String(port)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    provider.once("exit", (code) => reject(new Error(`the provider ended with ${code}`)));
    provider.stdout?.once("data", () => resolve(provider));
  });
}

/** Says who one is on the provider's pages, as far as it still asks. */
async function signInThere(page: Page, name: string): Promise<void> {
  await page.getByPlaceholder("Enter any login").fill(name);
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}

test("one signs in at another site and is the same person in the next browser", async ({
  browser,
  server,
}) => {
  const names: (string | null)[] = [];
  for (const subject of ["ann", "ann", "bob"]) {
    const person = await Person.stranger(browser, server);
    await person.go("/account?door=sign-in");
    await person.page.getByTestId("providers").getByRole("button", { name: "Go on with Home" }).click();
    await signInThere(person.page, subject);
    await expect(person.page.getByTestId("account")).toHaveAttribute("data-standing", "known");
    expect(person.page.url()).not.toContain("oidc=");
    // The cookie of the errand is gone with it; others on this machine are the provider's.
    const cookies = await person.page.context().cookies(server.url);
    expect(cookies.filter((it) => it.name.includes("terrane"))).toEqual([]);
    names.push(await person.accountId());
    // The provider's own pages want fonts from elsewhere.
    person.expectQuiet(/Failed to load resource/);
    await person.close();
  }
  expect(names[1]).toBe(names[0]);
  expect(names[2]).not.toBe(names[0]);
});

test("one who says no there, or comes back in another browser, is told so", async ({ browser, server }) => {
  const person = await Person.stranger(browser, server);
  await person.go("/account?door=sign-in");
  await person.page.getByTestId("providers").getByRole("button", { name: "Go on with Home" }).click();
  await person.page.getByRole("link", { name: "Cancel" }).click();
  await expect(person.page.getByRole("alert")).toContainText("oidc denied");

  // The person is known to the provider in a second browser, too, and says yes there to what began in the first.
  await person.go("/account?door=sign-in");
  await person.page.getByTestId("providers").getByRole("button", { name: "Go on with Home" }).click();
  await person.page.getByPlaceholder("Enter any login").fill("ann");
  await person.page.getByPlaceholder("and password").fill("any");
  await person.page.getByRole("button", { name: "Sign-in" }).click();
  await expect(person.page.getByRole("button", { name: "Continue" })).toBeVisible();
  const stranger = await Person.stranger(browser, server);
  const cookies = await person.page.context().cookies();
  await stranger.page.context().addCookies(cookies.filter((it) => !it.name.includes("terrane")));
  await stranger.page.goto(person.page.url());
  await stranger.page.getByRole("button", { name: "Continue" }).click();
  await expect(stranger.page.getByRole("alert")).toContainText("oidc other browser");
  await person.close();
  await stranger.close();
});

test("a guest links another site and is let in by it", async ({ browser, server }) => {
  const guest = await Person.guest(browser, server);
  const accountId = await guest.accountId();
  await guest.go("/account?tab=security");
  await guest.page.getByRole("button", { name: "Link Home" }).click();
  await signInThere(guest.page, "wren");
  await expect(guest.page.getByText("You can sign in that way too")).toBeVisible();
  await guest.go("/account?tab=security");
  await expect(guest.page.getByTestId("linked").getByRole("listitem")).toContainText("Home");

  const away = await Person.stranger(browser, server);
  await away.go("/account?door=sign-in");
  await away.page.getByTestId("providers").getByRole("button", { name: "Go on with Home" }).click();
  await signInThere(away.page, "wren");
  await expect(away.page.getByTestId("account")).toHaveAttribute("data-standing", "known");
  expect(await away.accountId()).toBe(accountId);
  await guest.close();
  await away.close();
});
