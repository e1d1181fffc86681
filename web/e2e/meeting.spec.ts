import { expect, metresBetween, test, Visitor } from "./fixtures.ts";

test("one who opens a second window goes on there, and can come back", async ({ browser, server }) => {
  const first = await Visitor.open(browser, server.url);
  const second = await first.openAgain(server.url);
  expect(await second.name()).toBe(await first.name());
  await expect(first.page.getByRole("alert")).toContainText("You are playing in another window");
  await first.page.getByRole("button", { name: "Play here" }).click();
  await first.online();
  await expect(second.page.getByRole("alert")).toContainText("You are playing in another window");
  first.expectQuiet();
  await first.close();
});

test("two strangers meet: one walks and speaks, the other sees and hears", async ({ browser, server }) => {
  const ann = await Visitor.open(browser, server.url);
  const bob = await Visitor.open(browser, server.url);
  const annName = await ann.name();

  // They arrive a few metres apart and know each other's names.
  await bob.until((state) => state.people.length === 1);
  const [seenAnn] = (await bob.state).people;
  expect(seenAnn?.name).toBe(annName);
  expect(seenAnn?.distanceM).toBeLessThan(30);
  await bob.page.getByRole("button", { name: "1 person near" }).click();
  await expect(bob.page.getByTestId("people").getByRole("button")).toContainText(annName);

  // Ann walks; Bob sees her where she is.
  const start = await ann.position();
  await ann.page.keyboard.down("KeyW");
  await expect.poll(async () => metresBetween(await ann.position(), start)).toBeGreaterThan(4);
  await ann.page.keyboard.up("KeyW");
  await expect
    .poll(async () => {
      const seen = (await bob.state).seen[0]?.position ?? [0, 0, 0];
      return metresBetween(seen, await ann.position());
    })
    .toBeLessThan(0.2);
  expect(metresBetween((await bob.state).seen[0]?.position ?? [0, 0, 0], start)).toBeGreaterThan(3);

  // She speaks: it stands over her head and in the log, with what it is.
  await bob.page.getByTestId("people").getByRole("button").click();
  await ann.page.keyboard.press("Enter");
  await expect(ann.page.getByLabel("Say something to people nearby")).toBeFocused();
  await ann.page.keyboard.type("Hello there, stranger!");
  await ann.page.keyboard.press("Enter");
  await expect(bob.page.getByTestId("overheard").or(bob.page.getByTestId("chat-log"))).toContainText(
    `${annName}: Hello there, stranger!`,
  );
  await expect(bob.page.locator(".label-bubble", { hasText: "Hello there, stranger!" })).toBeVisible();
  await expect(bob.page.locator(".label-name", { hasText: annName })).toBeVisible();
  await expect(ann.page.locator(".label-bubble", { hasText: "Hello there, stranger!" })).toBeVisible();

  // She leaves: he sees that too.
  await ann.close();
  await bob.until((state) => state.people.length === 0);
  bob.expectQuiet();
  await bob.close();
});
