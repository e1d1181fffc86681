/** What staff do that needs more than one browser to be seen: each act told to those whom it concerns. */
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import { operator, Person } from "./people.ts";
import { TerraneServer } from "./server.ts";
import { Trader } from "./traders.ts";

/** Somebody is given a role by whoever runs the server, which stops meanwhile. */
async function withRole(person: Person, role: string): Promise<void> {
  const id = await person.accountId();
  await person.page.goto("about:blank");
  await person.server.stop();
  await operator(person.server, "account", "role", id, role, "--reason", "a second pair of eyes");
  await person.server.start();
  await person.go("/console");
}

const tokenOf = (page: Page) => new URL(page.url()).searchParams.get("parcel") ?? "";

test("what moves much money waits for a second person, who agrees or refuses", async ({ browser }) => {
  test.setTimeout(240_000);
  const server = await TerraneServer.create({ TERRANE_STAFF_SECOND_PERSON_MINOR: "500" });
  const first = await Person.admin(browser, server);
  const second = await Person.guest(browser, server);
  await withRole(second, "admin");
  await first.go("/console");

  const payer = await Trader.enter(browser, server.url);
  await payer.go("?tab=wallet");
  const payerId = (await payer.page.locator("code").first().textContent()) ?? "";
  const payee = await Person.guest(browser, server);
  const payeeId = await payee.accountId();
  for (const amount of ["7", "9"]) {
    await payer.go(`?tab=wallet&pay=${payeeId}`);
    await payer.page.getByLabel("Amount", { exact: true }).fill(amount);
    await payer.page.getByRole("button", { name: "Pay", exact: true }).click();
    await payer.confirm(new RegExp(`^Pay ${amount}`));
  }
  await expect.poll(() => payer.money()).toEqual({ available: 48_400, held: 0 });

  await first.go(`/console?tab=ledger&id=${payerId}&about=${payerId}`);
  const transfers = first.page.getByTestId("postings").getByRole("listitem").filter({ hasText: "Transfer" });
  for (const [amount, reason] of [
    ["9.00", "Nine went astray."],
    ["7.00", "Seven went astray."],
  ] as const) {
    await transfers.filter({ hasText: amount }).getByRole("button", { name: "Reverse…" }).first().click();
    await first.act("Reverse", reason);
  }
  // Nothing has moved, and whoever proposed it cannot decide it.
  await first.go("/console?tab=acts");
  const waiting = first.page.getByTestId("acts").getByRole("listitem");
  await expect(waiting.filter({ hasText: "astray" })).toHaveCount(2);
  await expect(waiting.first()).toContainText("Somebody else has to decide");
  await expect(first.page.getByRole("button", { name: "Agree…" })).toHaveCount(0);
  await payer.go("?tab=wallet");
  expect(await payer.money()).toEqual({ available: 48_400, held: 0 });

  await second.go("/console?tab=acts");
  const decided = second.page.getByTestId("acts").getByRole("listitem");
  await decided.filter({ hasText: "Nine" }).getByRole("button", { name: "Agree…" }).click();
  await second.act("Agree", "The payer has shown it.");
  await decided.filter({ hasText: "Seven" }).getByRole("button", { name: "Refuse…" }).click();
  await second.act("Refuse", "That one was meant.");
  await expect(second.page.getByRole("button", { name: "Agree…" })).toHaveCount(0);
  await expect
    .poll(async () => {
      await payer.go("?tab=wallet");
      return payer.money();
    })
    .toEqual({ available: 49_300, held: 0 });
  for (const person of [first, second]) person.expectQuiet();
  for (const person of [first, second, payer, payee]) await person.close();
  await server.dispose();
});

test("staff cancel a sale, and give land back to whom it was taken from", async ({ browser, server }) => {
  test.setTimeout(240_000);
  const staff = await Person.admin(browser, server);
  const owner = await Trader.withLand(browser, server.url, "Stolen Meadow");
  await owner.tab("My land");
  await owner.page.getByRole("link", { name: "Stolen Meadow" }).click();
  const token = tokenOf(owner.page);
  const sell = owner.page.getByTestId("sell");
  const putUp = async (price: string) => {
    await sell.getByRole("textbox", { name: "Price" }).fill(price);
    await sell.getByRole("button", { name: "Put up for sale" }).click();
    await owner.confirm("Put up for sale");
    await expect(owner.page.getByTestId("listing")).toBeVisible();
  };
  await putUp("90");

  await staff.go(`/console?tab=land&id=${token}`);
  await staff.page.getByRole("button", { name: "Cancel the sale…" }).click();
  await staff.act("Cancel it", "The seller asked us to.");
  await expect(staff.page.getByRole("button", { name: "Cancel the sale…" })).toHaveCount(0);
  // The seller sees it go without asking.
  await expect(owner.page.getByTestId("listing")).toHaveCount(0);

  await putUp("10");
  const buyer = await Trader.enter(browser, server.url);
  await buyer.go(`?parcel=${token}`);
  await buyer.page.getByTestId("listing").getByRole("button", { name: "Buy" }).first().click();
  await buyer.confirm(/Buy for/);
  await staff.go(`/console?tab=land&id=${token}`);
  const land = staff.page.getByTestId("land");
  const before = await land
    .locator("dd", { has: staff.page.getByRole("link") })
    .first()
    .textContent();
  await land
    .getByRole("button", { name: /^Give back to / })
    .first()
    .click();
  await staff.act("Give back", "The account had been taken over.");
  await expect(land.locator("dd", { has: staff.page.getByRole("link") }).first()).not.toHaveText(
    before ?? "",
  );
  await owner.tab("My land");
  await expect(owner.page.getByRole("link", { name: "Stolen Meadow" })).toBeVisible();
  await buyer.tab("My land");
  await expect(buyer.page.getByRole("link", { name: "Stolen Meadow" })).toHaveCount(0);
  staff.expectQuiet();
  for (const person of [staff, owner, buyer]) await person.close();
});

test("land that staff have frozen is marked on the map", async ({ browser, server }) => {
  test.setTimeout(240_000);
  const staff = await Person.admin(browser, server);
  const owner = await Trader.withLand(browser, server.url, "Cold Corner");
  await owner.tab("My land");
  await owner.page.getByRole("link", { name: "Cold Corner" }).click();
  const token = tokenOf(owner.page);
  await staff.go(`/console?tab=land&id=${token}`);
  await staff.page.getByRole("button", { name: "Freeze…" }).click();
  await staff.act("Freeze", "Whose it is has to be found out.");

  const { page } = owner;
  const asked = page.waitForResponse((response) => response.url().endsWith(`/api/v1/lands/${token}`));
  await page.reload();
  const { center } = (await (await asked).json()) as { center: { lat_deg: number; lng_deg: number } };
  await page.goto(`${server.url}/map#map=15/${center.lat_deg}/${center.lng_deg}`);
  await expect(page.locator("main")).toHaveAttribute("data-idle", "true", { timeout: 90_000 });
  await expect(page.locator("details")).toContainText("Frozen by the staff");
  const map = page.getByTestId("map");
  const box = await map.boundingBox();
  if (!box) throw new Error("there is no map");
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  await expect(page.getByTestId("frozen")).toContainText("Frozen by the staff");
  staff.expectQuiet();
  for (const person of [staff, owner]) await person.close();
});

test("a player becomes a moderator, and what the console offers them grows and shrinks", async ({
  browser,
  server,
}) => {
  const staff = await Person.admin(browser, server);
  const player = await Person.guest(browser, server);
  const id = await player.accountId();
  await staff.go(`/console?tab=people&id=${id}`);
  const person = staff.page.getByTestId("person");
  const change = async (role: string, reason: string) => {
    await staff.page.getByRole("button", { name: "Change the role…" }).click();
    await staff.page.getByRole("dialog").getByLabel("Role").selectOption(role);
    await staff.act("Change it", reason);
    await expect(person).toHaveAttribute("data-role", role);
  };
  await change("moderator", "Keeps a cool head.");
  const standing = async () => {
    await player.go("/console");
    return player.page.getByTestId("console").getAttribute("data-standing");
  };
  await expect.poll(standing).toBe("staff");
  const tabs = player.page.getByRole("navigation", { name: "Console" });
  await expect(tabs.getByRole("link", { name: "People" })).toBeVisible();
  await expect(tabs.getByRole("link", { name: "Ledger" })).toHaveCount(0);
  // No moderator makes others moderators.
  await player.go(`/console?tab=people&id=${await staff.accountId()}`);
  await expect(player.page.getByTestId("person")).toBeVisible();
  await expect(player.page.getByRole("button", { name: "Change the role…" })).toHaveCount(0);

  await staff.go(`/console?tab=people&id=${id}`);
  await change("player", "Has no time any more.");
  await expect.poll(standing).toBe("player");
  staff.expectQuiet();
  for (const who of [staff, player]) await who.close();
});

test("an erasure that staff ask for goes on to its end", async ({ browser }) => {
  test.setTimeout(240_000);
  // Without time to think again.
  const server = await TerraneServer.create({ TERRANE_PRIVACY_COOLING_OFF_DAYS: "0" });
  const staff = await Person.admin(browser, server);
  const player = await Person.guest(browser, server);
  const id = await player.accountId();
  await staff.go(`/console?tab=people&id=${id}`);
  const name = (await staff.page.getByRole("heading", { level: 1 }).textContent()) ?? "";
  await staff.page.getByRole("button", { name: "Erase the account…" }).click();
  const dialog = staff.page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: /^Type/ }).fill(name);
  await staff.act("Erase", "Asked for by letter.");
  await expect
    .poll(
      async () => {
        await staff.go(`/console?tab=people&id=${id}`);
        return staff.page.getByTestId("person").getAttribute("data-state");
      },
      { timeout: 90_000 },
    )
    .toBe("erased");
  await expect(staff.page.getByText("Nothing can be done any more.")).toBeVisible();
  // The name goes a step later than the account.
  await expect
    .poll(
      async () => {
        await staff.go(`/console?tab=people&id=${id}`);
        return staff.page.getByRole("heading", { level: 1 }).textContent();
      },
      { timeout: 60_000 },
    )
    .not.toContain(name);
  // Their browser is a stranger's now: its key opens a new account, and not the one that is gone.
  expect(await player.accountId()).not.toBe(id);
  // And the books are whole.
  await staff.go("/console?tab=ledger");
  await expect(staff.page.getByTestId("is-sound")).toContainText("Yes");
  staff.expectQuiet();
  for (const who of [staff, player]) await who.close();
  await server.dispose();
});
