import { expect, metresBetween, test, Visitor } from "./fixtures.ts";
import { TerraneServer } from "./server.ts";

test("a claimed lot and the place one stands at survive a restart of the server", async ({ browser }) => {
  const server = await TerraneServer.create();
  try {
    const ann = await Visitor.open(browser, server.url);
    const { page } = ann;

    // The ground in front of one's feet.
    await ann.until((state) => state.lot?.status === "free" && state.lot.isInReach);
    const { cell } = (await ann.state).lot ?? {};
    const balance = page.getByTestId("balance");
    await expect(balance).toContainText("500.00");
    await page.keyboard.press("KeyE");
    await expect(page.getByTestId("lot")).toContainText("Buy this lot for");
    await page.getByRole("button", { name: "Buy it" }).click();
    await page.getByLabel("What is this place called?").fill("Windy Corner");
    await page.getByRole("button", { name: "Keep" }).click();
    await expect(page.getByTestId("lot-title")).toHaveText("Windy Corner");
    await expect(balance).not.toContainText("500.00");
    const paid = await balance.textContent();

    // Somewhere else on it, and then the power fails.
    const start = await ann.position();
    await page.keyboard.down("KeyS");
    await expect.poll(async () => metresBetween(await ann.position(), start)).toBeGreaterThan(1.5);
    await page.keyboard.up("KeyS");
    await server.stop();
    await expect(page.getByTestId("connection")).toHaveAttribute("data-state", "reconnecting");
    const before = await ann.position();
    await server.start();
    await ann.online();
    expect(metresBetween(await ann.position(), before)).toBeLessThan(1);

    await page.keyboard.press("KeyL");
    await expect(page.getByTestId("my-lots")).toContainText("Windy Corner");
    await page.keyboard.press("Escape");
    await page.reload();
    await ann.online();
    expect(metresBetween(await ann.position(), before)).toBeLessThan(1);
    await expect(balance).toHaveText(paid ?? "");

    // Another person at the lot's own link sees whose it is, and cannot have it.
    const bob = await Visitor.open(browser, `${server.url}/#lot=${cell}`);
    await bob.until((state) => state.lot?.status === "taken");
    await expect(bob.page.getByTestId("lot")).toContainText(await ann.name());
    await expect(bob.page.getByRole("button", { name: "Claim" })).toHaveCount(0);
    bob.expectQuiet();
    await bob.close();
    // A server that is away is the browser's to complain about.
    ann.expectQuiet(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|WebSocket connection to|net::/);
    await ann.close();
  } finally {
    await server.dispose();
  }
});
