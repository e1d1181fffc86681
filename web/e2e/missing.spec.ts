/** Browsers that cannot play are told why, and never shown a blank page. */
import { expect, test } from "./fixtures.ts";

const LACKS: readonly (readonly [what: string, script: () => void, title: string])[] = [
  [
    "WebGL 2",
    () => {
      HTMLCanvasElement.prototype.getContext = () => null;
    },
    "This browser cannot draw the planet",
  ],
  [
    "WebAssembly",
    () => {
      Reflect.deleteProperty(globalThis, "WebAssembly");
    },
    "This browser cannot run the planet",
  ],
  [
    "Ed25519 keys",
    () => {
      const generateKey = () => Promise.reject(new DOMException("", "NotSupportedError"));
      Object.assign(crypto.subtle, { generateKey });
    },
    "This page cannot keep your key",
  ],
];

for (const [what, script, title] of LACKS) {
  test(`a browser without ${what} is told so`, async ({ page, server }) => {
    await page.addInitScript(script);
    await page.goto(server.url);
    await expect(page.getByRole("alert")).toContainText(title);
    await expect(page.getByRole("button", { name: "Try again" })).toBeVisible();
  });
}

test("a page whose server is gone says so", async ({ page, server }) => {
  await page.route("**/api/v1/**", (route) => route.abort());
  await page.goto(server.url);
  await expect(page.getByRole("alert")).toContainText("The planet cannot be reached");
});
