import { expect, test } from "./fixtures.ts";
import { Person } from "./people.ts";
import { Trader } from "./traders.ts";

test("a player finds no way into the console", async ({ browser, server }) => {
  const player = await Person.guest(browser, server);
  await player.go("/console?tab=audit");
  await expect(player.page.getByTestId("console")).toHaveAttribute("data-standing", "player");
  await expect(player.page.getByRole("heading", { level: 1 })).toHaveText("This is for the staff");
  await expect(player.page.getByRole("navigation", { name: "Console" })).toHaveCount(0);
  await player.expectAccessible("the page for those who are not of the staff");
  player.expectQuiet();
  await player.close();
});

test("staff suspend somebody, who is out, and let them in again; the log has it", async ({
  browser,
  server,
}) => {
  const staff = await Person.admin(browser, server);
  const player = await Person.guest(browser, server);
  const id = await player.accountId();
  const name = (await player.page.getByRole("heading", { level: 1 }).textContent()) ?? "";

  await staff.page.getByLabel("Name begins with").fill(name.slice(0, 6).toLowerCase());
  await staff.page.getByRole("button", { name: "Search" }).click();
  await staff.page.getByTestId("people").getByRole("link", { name }).first().click();
  const person = staff.page.getByTestId("person");
  await staff.go(`/console?tab=people&id=${id}`);
  await expect(person).toHaveAttribute("data-state", "active");
  await staff.page.getByRole("button", { name: "Suspend…" }).click();
  await staff.act("Suspend", "Shouted at newcomers all evening.");
  await expect(person).toHaveAttribute("data-state", "suspended");

  await expect
    .poll(async () => {
      await player.go("/market");
      return player.page.getByTestId("market").getAttribute("data-standing");
    })
    .toBe("failed");
  await expect(player.page.getByRole("alert")).toContainText("suspended");

  await staff.page.getByLabel(/A new note/).fill("Said sorry by mail.");
  await staff.page.getByRole("button", { name: "Keep the note" }).click();
  await expect(staff.page.getByTestId("notes")).toContainText("Said sorry by mail.");
  await staff.page.getByRole("button", { name: "Let in again…" }).click();
  await staff.act("Let in", "Has said sorry.");
  await expect(person).toHaveAttribute("data-state", "active");
  await expect
    .poll(async () => {
      await player.go("/market");
      return player.page.getByTestId("market").getAttribute("data-standing");
    })
    .toBe("known");

  // Entries get their place in the log a moment after the act.
  await expect
    .poll(async () => {
      await staff.go(`/console?tab=audit&about=${id}`);
      return staff.page.getByTestId("entries").getByRole("link", { name: "account.suspended" }).count();
    })
    .toBeGreaterThan(0);
  await expect(staff.page.getByTestId("is-whole")).toContainText("Yes");
  await staff.page.getByRole("link", { name: "account.suspended" }).first().click();
  await expect(staff.page.getByTestId("entry")).toContainText("Shouted at newcomers all evening.");
  await expect(staff.page.getByTestId("is-included")).toHaveText("It does: this browser has checked it.");
  staff.expectQuiet();
  await staff.close();
  await player.close();
});

test("staff freeze land that is for sale nowhere, and reverse a payment", async ({ browser, server }) => {
  const staff = await Person.admin(browser, server);
  const owner = await Trader.withLand(browser, server.url, "Frosty Acre");
  await owner.tab("My land");
  await owner.page.getByRole("link", { name: "Frosty Acre" }).click();
  const token = new URL(owner.page.url()).searchParams.get("parcel") ?? "";

  await staff.go(`/console?tab=land&id=${token}`);
  const land = staff.page.getByTestId("land");
  await expect(land).toContainText("Frosty Acre");
  await staff.page.getByRole("button", { name: "Freeze…" }).click();
  await staff.act("Freeze", "Its owner may have been robbed.");
  await expect(land).toHaveAttribute("data-frozen", "true");
  const sell = owner.page.getByTestId("sell");
  await sell.getByRole("textbox", { name: "Price" }).fill("120");
  await sell.getByRole("button", { name: "Put up for sale" }).click();
  await owner.page.getByRole("dialog").getByRole("button", { name: "Put up for sale" }).click();
  await expect(owner.page.getByTestId("decide-fault")).toContainText("frozen");
  await staff.page.getByRole("button", { name: "Thaw…" }).click();
  await staff.act("Thaw", "All is well.");
  await expect(land).toHaveAttribute("data-frozen", "false");

  const payer = await Trader.enter(browser, server.url);
  await payer.go("?tab=wallet");
  const payerId = (await payer.page.locator("code").first().textContent()) ?? "";
  const payee = await Person.guest(browser, server);
  await payer.go(`?tab=wallet&pay=${await payee.accountId()}`);
  await payer.page.getByLabel("Amount", { exact: true }).fill("7");
  await payer.page.getByRole("button", { name: "Pay", exact: true }).click();
  await payer.confirm(/^Pay 7/);
  await expect.poll(() => payer.money()).toEqual({ available: 49_300, held: 0 });
  await staff.go(`/console?tab=ledger&id=${payerId}&about=${payerId}`);
  await expect(staff.page.getByTestId("is-sound")).toContainText("Yes");
  await staff.page
    .getByTestId("postings")
    .getByRole("listitem")
    .filter({ hasText: "Transfer" })
    .getByRole("button", { name: "Reverse…" })
    .first()
    .click();
  await staff.act("Reverse", "Sent to the wrong person.");
  await expect.poll(() => payer.money()).toEqual({ available: 50_000, held: 0 });
  staff.expectQuiet();
  for (const person of [staff, owner, payer, payee]) await person.close();
});

const TABS = ["people", "land", "ledger", "acts", "audit", "world", "system"].map(
  (tab) => `/console?tab=${tab}`,
);

for (const [name, options] of [
  ["on a phone", { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true }],
  ["on a desk in the dark", { viewport: { width: 1280, height: 800 }, colorScheme: "dark" }],
] as const) {
  test(`every page of the console can be used by everybody, ${name}`, async ({ browser, server }) => {
    const staff = await Person.admin(browser, server, options);
    const player = await Person.guest(browser, server);
    const id = await player.accountId();
    for (const path of [...TABS, `/console?tab=people&id=${id}`]) {
      await staff.go(path);
      await expect(staff.page.getByText("Asking…")).toHaveCount(0);
      await expect(staff.page.getByRole("alert")).toHaveCount(0);
      await expect(staff.page.getByRole("heading", { level: 1 })).toBeVisible();
      await staff.expectAccessible(path);
    }
    await staff.page.getByRole("button", { name: "Ban for good…" }).click();
    await expect(staff.page.getByRole("dialog")).toBeVisible();
    await staff.expectAccessible("an act");
    await staff.page.keyboard.press("Escape");
    await expect(staff.page.getByRole("dialog")).toHaveCount(0);
    staff.expectQuiet();
    await staff.close();
    await player.close();
  });
}
