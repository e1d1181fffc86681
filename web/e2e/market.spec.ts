import { expect, test } from "./fixtures.ts";
import { quickMarket, removeFolder, Trader } from "./traders.ts";

test("one lists land, another buys it, and the first sees the money", async ({ browser, server }) => {
  const ann = await Trader.withLand(browser, server.url, "Apple Yard");
  const bob = await Trader.enter(browser, server.url);
  const before = await ann.money();

  await ann.tab("My land");
  await ann.page.getByRole("link", { name: "Apple Yard" }).click();
  await expect(ann.page.getByTestId("parcel")).toHaveAttribute("data-state", "mine");
  const sell = ann.page.getByTestId("sell");
  await sell.getByRole("textbox", { name: "Price" }).fill("120");
  await expect(sell.getByTestId("fee-preview")).toContainText("115.80 coin");
  await sell.getByRole("button", { name: "Put up for sale" }).click();
  await expect(ann.page.getByRole("dialog")).toContainText("115.80 coin");
  await ann.confirm("Put up for sale");
  await expect(ann.page.getByTestId("parcel")).toHaveAttribute("data-state", "sale");

  // Bob's search shows it without being asked again.
  const card = bob.page.getByTestId("parcel-card").filter({ hasText: "Apple Yard" });
  await expect(card).toContainText("120.00 coin");
  await card.getByRole("link").click();
  await expect(bob.page).toHaveURL(/parcel=/);
  await bob.page.getByTestId("listing").getByRole("button", { name: "Buy" }).first().click();
  await expect(bob.page.getByRole("dialog")).toContainText("380.00 coin");
  await bob.confirm(/Buy for 120\.00 coin/);
  await expect(bob.page.getByTestId("parcel")).toHaveAttribute("data-state", "mine");
  await expect.poll(() => bob.money()).toEqual({ available: 38_000, held: 0 });

  // Ann is told, has the money, and finds it in her statement and among her notices.
  await expect(ann.page.getByTestId("toast").filter({ hasText: "Sold" })).toBeVisible();
  await expect.poll(async () => (await ann.money()).available).toBe(before.available + 11_580);
  await expect(ann.page.getByTestId("parcel")).toHaveAttribute("data-state", "taken");
  await expect(ann.page.getByTestId("titles")).toContainText("Sold");
  await ann.tab("Wallet");
  await expect(ann.page.getByTestId("statement")).toContainText("+115.80 coin");
  const file = ann.page.waitForEvent("download");
  await ann.page.getByRole("button", { name: "CSV" }).click();
  expect((await file).suggestedFilename()).toBe("terrane-coin-statement.csv");
  await expect(ann.page.getByTestId("unread")).toBeVisible();
  await ann.tab("Notices");
  await expect(ann.page.getByTestId("notices")).toContainText("Sold");
  await ann.page.getByRole("button", { name: "Mark all as read" }).click();
  await expect(ann.page.getByTestId("unread")).toHaveCount(0);

  // The page comes back to where it was.
  await bob.page.reload();
  await bob.known();
  await expect(bob.page.getByRole("heading", { level: 1 })).toHaveText("Apple Yard");
  ann.expectQuiet();
  bob.expectQuiet();
  await ann.close();
  await bob.close();
});

test("two bid in an auction: who is outbid is told and has the money back, who wins has the land", async ({
  browser,
}) => {
  test.setTimeout(240_000);
  const server = await quickMarket();
  try {
    const ann = await Trader.withLand(browser, server.url, "Plum Corner");
    const bob = await Trader.enter(browser, server.url);
    const cyd = await Trader.enter(browser, server.url);
    const before = await ann.money();
    await ann.tab("My land");
    await ann.page.getByRole("link", { name: "Plum Corner" }).click();
    const sell = ann.page.getByTestId("sell");
    await sell.getByRole("radio", { name: /^Auction/ }).check();
    await sell.getByLabel("First bid").fill("100");
    await sell.getByLabel("Runs for").selectOption({ label: "45 seconds" });
    await sell.getByRole("button", { name: "Open the auction" }).click();
    await ann.confirm("Open the auction");
    const address = new URL(ann.page.url()).search;

    const bid = async (trader: Trader, amount: string) => {
      await trader.page.getByLabel("Your highest bid").fill(amount);
      await trader.page
        .getByTestId("auction")
        .getByRole("button", { name: /^(Bid|Raise your bid)$/ })
        .click();
      await trader.confirm(/^Bid /);
    };
    for (const trader of [bob, cyd]) {
      await trader.page.goto(`${server.url}/market${address}`);
      await trader.known();
      await expect(trader.page.getByTestId("price")).toHaveText("100.00 coin");
    }
    // Less than the first bid is not even sent.
    await bob.page.getByLabel("Your highest bid").fill("99.99");
    await expect(bob.page.getByText("The next bid is at least 100.00 coin.")).toBeVisible();
    await expect(
      bob.page.getByTestId("auction").getByRole("button", { name: "Bid", exact: true }),
    ).toBeDisabled();

    await bid(bob, "150");
    await expect(bob.page.getByTestId("leading")).toBeVisible();
    await expect.poll(() => bob.money()).toEqual({ available: 35_000, held: 15_000 });
    await expect(cyd.page.getByTestId("bid-count")).toHaveText("1");
    await bid(cyd, "200");
    await expect(bob.page.getByTestId("toast").filter({ hasText: "outbid" })).toBeVisible();
    await expect(bob.page.getByTestId("outbid")).toBeVisible();
    await expect.poll(() => bob.money()).toEqual({ available: 50_000, held: 0 });
    const price = (await cyd.page.getByTestId("price").textContent()) ?? "";
    expect(price).toMatch(/^15\d\.\d\d coin$/);

    // It ends by itself: money and land change hands together.
    await expect(cyd.page.getByTestId("parcel")).toHaveAttribute("data-state", "mine", { timeout: 120_000 });
    const paid = Number(price.replace(/\D/g, ""));
    await expect.poll(() => cyd.money()).toEqual({ available: 50_000 - paid, held: 0 });
    const received = paid - Math.floor(paid * 0.025) - Math.floor(paid * 0.01);
    await expect.poll(async () => (await ann.money()).available).toBe(before.available + received);
    expect(await bob.money()).toEqual({ available: 50_000, held: 0 });
    await cyd.tab("Notices");
    await expect(cyd.page.getByTestId("notices")).toContainText("You won the auction");
    for (const trader of [ann, bob, cyd]) {
      trader.expectQuiet();
      await trader.close();
    }
  } finally {
    await server.dispose();
    await removeFolder(server.folder);
  }
});

test("what cannot be is refused in words, and nothing is spent", async ({ browser, server }) => {
  const ann = await Trader.enter(browser, server.url);
  const { page } = ann;
  await ann.tab("Wallet");
  const amount = page.getByLabel("Amount", { exact: true });
  const pay = page.getByRole("button", { name: "Pay", exact: true });
  const own = (await page.locator("code").first().textContent()) ?? "";
  await page.getByLabel("To", { exact: true }).fill(own);
  await expect(page.getByText("This is yourself.")).toBeVisible();
  await page.getByLabel("To", { exact: true }).fill("Bob");
  await expect(page.getByText("This is not the number of an account.")).toBeVisible();
  await page.getByLabel("To", { exact: true }).fill("019aa5c3-1f00-7000-8000-000000000001");
  for (const [text, words] of [
    ["-3", "An amount cannot be negative."],
    ["0", "The amount must be more than zero."],
    ["1.005", "coin has 2 decimals at most."],
    ["ten", "Write an amount in digits, such as 12.50."],
    ["99999999999999999999", "That is more than there can be."],
    ["500.01", "You can spend 500.00 coin."],
  ] as const) {
    await amount.fill(text);
    await expect(page.getByText(words)).toBeVisible();
    await expect(pay).toBeDisabled();
  }
  // The server has the last word.
  await amount.fill("5");
  await pay.click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("495.00 coin");
  await dialog.getByRole("button", { name: "Pay 5.00 coin" }).click();
  await expect(dialog.getByTestId("decide-fault")).toHaveText("There is no such account. Check its number.");
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  expect(await ann.money()).toEqual({ available: 50_000, held: 0 });

  await ann.tab("Groups");
  await page.getByLabel("Name").fill("\u202egnp.exe");
  await page.getByRole("button", { name: "Found it" }).click();
  await expect(page.getByRole("alert")).toContainText("The name");

  await ann.go("?parcel=ffff");
  await expect(page.getByRole("alert")).toBeVisible();
  // The refusals themselves are the browser's to mention.
  ann.expectQuiet(/Failed to load resource/);
  await ann.close();
});

test("land is managed: fence, people with a role, description, and abandoned only by typing its name", async ({
  browser,
  server,
}) => {
  const ann = await Trader.withLand(browser, server.url, "Quiet Hill");
  const bob = await Trader.enter(browser, server.url);
  await bob.tab("Wallet");
  const bobId = (await bob.page.locator("code").first().textContent()) ?? "";
  const { page } = ann;
  await ann.tab("My land");
  await page.getByRole("link", { name: "Quiet Hill" }).click();
  const address = new URL(page.url()).search;
  const tools = page.getByTestId("owner-tools");

  await tools.getByText("Name and description", { exact: true }).click();
  await tools.getByLabel("Description").fill("Moss and birds.");
  await tools.getByRole("button", { name: "Keep" }).click();
  await expect(page.getByTestId("parcel")).toContainText("Moss and birds.");

  await tools.getByText("Fence and permissions", { exact: true }).click();
  await tools.getByRole("radio", { name: "Only people on the list may enter" }).check();
  await expect(page.getByTestId("parcel").locator("dl")).toContainText("Only people on the list may enter");
  await tools.getByRole("textbox", { name: "Somebody" }).fill(bobId);
  await tools.getByRole("button", { name: "Give the role" }).click();
  await expect(tools.getByTestId("permissions")).toContainText("Guest");

  await bob.go(address);
  await expect(bob.page.getByTestId("parcel")).toContainText("you among them");
  await expect(bob.page.getByTestId("owner-tools")).toHaveCount(0);

  await tools.getByText("Give away or abandon", { exact: true }).click();
  await tools.getByRole("button", { name: "Abandon…" }).click();
  const dialog = page.getByRole("dialog");
  const abandon = dialog.getByRole("button", { name: "Abandon it for ever" });
  await expect(abandon).toBeDisabled();
  await dialog.getByRole("textbox").fill("Quiet Hill");
  await abandon.click();
  await expect(page.getByTestId("parcel")).toHaveAttribute("data-state", "free");
  await expect(bob.page.getByTestId("parcel")).toHaveAttribute("data-state", "free");
  ann.expectQuiet();
  bob.expectQuiet();
  await ann.close();
  await bob.close();
});

const PAGES = [
  "",
  "?tab=selling",
  "?tab=land",
  "?tab=wallet",
  "?tab=notices",
  "?tab=groups",
  "?tab=webhooks",
];

for (const [name, options] of [
  ["on a phone", { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true }],
  ["on a desk in the dark", { viewport: { width: 1280, height: 800 }, colorScheme: "dark" }],
] as const) {
  test(`every page of the market can be used by everybody, ${name}`, async ({ browser, server }) => {
    const ann = await Trader.enter(browser, server.url, options);
    for (const query of PAGES) {
      await ann.go(query);
      await expect(ann.page.getByText("Asking…")).toHaveCount(0);
      await expect(ann.page.getByRole("heading", { level: 1 })).toBeVisible();
      const overflow = await ann.page.evaluate(() => {
        const content = document.querySelector("main");
        return (content?.scrollWidth ?? 0) - (content?.clientWidth ?? 0);
      });
      expect(overflow, query).toBeLessThanOrEqual(0);
      await ann.expectAccessible();
    }
    // A dialog too, reached by the keyboard alone.
    await ann.go("?tab=wallet&pay=019aa5c3-1f00-7000-8000-000000000001&name=Bob");
    await ann.page.getByLabel("Amount", { exact: true }).fill("1");
    await ann.page.keyboard.press("Enter");
    await expect(ann.page.getByRole("dialog")).toContainText("Bob");
    await ann.expectAccessible();
    await ann.page.keyboard.press("Escape");
    await expect(ann.page.getByRole("dialog")).toHaveCount(0);
    ann.expectQuiet();
    await ann.close();
  });
}
