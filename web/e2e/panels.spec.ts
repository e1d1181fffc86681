import AxeBuilder from "@axe-core/playwright";
import type { BrowserContextOptions, Page } from "@playwright/test";
import { expect, metresBetween, test, Visitor } from "./fixtures.ts";

async function expectAccessible(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  const faults = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join("\n")}`);
  expect(faults, what).toEqual([]);
}

const SCREENS: readonly (readonly [name: string, options: BrowserContextOptions])[] = [
  ["a desktop, light", { viewport: { width: 1440, height: 900 }, colorScheme: "light" }],
  [
    "a phone, dark",
    { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: "dark" },
  ],
];

for (const [name, options] of SCREENS) {
  test(`every panel is accessible on ${name}`, async ({ browser, server }) => {
    const visitor = await Visitor.open(browser, server.url, { ...options, isNewcomer: true });
    const { page } = visitor;
    await expect(page.getByTestId("welcome")).toBeVisible();
    await expectAccessible(page, "on arrival");

    await page.getByRole("button", { name: "Change name" }).click();
    await page.getByLabel("Your name").fill("Wanderer Ünal");
    await page.getByText("Blue", { exact: true }).click({ force: true });
    await expectAccessible(page, "while choosing a name");
    await page.getByRole("button", { name: "That is me" }).click();
    await expect(page.getByTestId("welcome")).toBeHidden();
    expect((await visitor.state).account).toMatchObject({ name: "Wanderer Ünal", color: "#1982c4" });

    for (const label of ["Your land", "Settings", "Help"]) {
      await page.getByRole("button", { name: label, exact: true }).click();
      await expect(page.getByRole("dialog")).toBeVisible();
      await expectAccessible(page, label);
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toHaveCount(0);
    }
    await page.getByRole("button", { name: "See the whole planet" }).click();
    await visitor.until((state) => state.view === "globe");
    await expectAccessible(page, "the globe");
    await page.getByRole("button", { name: "Back to the ground" }).click();
    await visitor.until((state) => state.view === "ground");
    visitor.expectQuiet();
    await visitor.close();
  });
}

test("on a phone one walks with the stick, and everything to touch is large enough", async ({
  browser,
  server,
}) => {
  const visitor = await Visitor.open(browser, server.url, {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  const { page } = visitor;
  const stick = page.getByTestId("stick");
  const box = await stick.boundingBox();
  if (!box) throw new Error("the stick is not on the screen");
  const start = await visitor.position();
  const touch = await page.context().newCDPSession(page);
  const at = (dy: number) => [{ x: box.x + box.width / 2, y: box.y + box.height / 2 + dy }];
  await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at(0) });
  await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(-50) });
  await expect.poll(async () => metresBetween(await visitor.position(), start)).toBeGreaterThan(3);
  await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });

  const small = await page.locator("button:visible, a:visible, input:visible").evaluateAll((elements) =>
    elements
      .map((element) => ({
        name: element.getAttribute("aria-label") ?? element.textContent,
        box: element.getBoundingClientRect(),
      }))
      .filter(({ box: { width, height } }) => width < 44 || height < 44)
      .map(({ name, box: { width, height } }) => `${name?.trim()} is ${width}×${height}`),
  );
  expect(small).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);

  await page.getByRole("button", { name: "Talk" }).tap();
  await page.getByLabel("Say something to people nearby").fill("Anyone here?");
  await page.getByRole("button", { name: "Say it" }).tap();
  await expect(page.getByTestId("overheard")).toContainText("Anyone here?");
  visitor.expectQuiet();
  await visitor.close();
});
