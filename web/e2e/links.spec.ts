import { readFileSync } from "node:fs";
import { expect, test, Visitor } from "./fixtures.ts";

test("a link puts one at its place, and is followed once", async ({ browser, server }) => {
  const ann = await Visitor.open(browser, server.url);
  const home = (await ann.state).latLng;
  if (!home) throw new Error("there is no body yet");
  // Some 280 m inland from the arrival place.
  const there = { latitude_deg: home.latitude_deg - 0.02, longitude_deg: home.longitude_deg };
  const link = `#${there.latitude_deg.toFixed(5)},${there.longitude_deg.toFixed(5)}`;

  const bob = await Visitor.open(browser, `${server.url}/${link}`);
  const isThere = async (visitor: Visitor) => {
    const { latLng } = await visitor.state;
    return Math.abs((latLng?.latitude_deg ?? 0) - there.latitude_deg) < 0.003;
  };
  expect(await isThere(bob)).toBe(true);
  expect(new URL(bob.page.url()).hash).toBe("");

  // One who is here already follows it too, and finds the other.
  await ann.page.evaluate((hash) => {
    location.hash = hash;
  }, link);
  await expect.poll(() => isThere(ann)).toBe(true);
  await ann.until((state) => state.people.length === 1);

  // The link that the panel hands out leads to where one stands.
  await ann.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await ann.page.getByRole("button", { name: "Copy a link to this place" }).click();
  await expect(ann.page.getByText("Link copied")).toBeAttached();
  const copied = await ann.page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toMatch(new RegExp(`^${server.url}/#-?\\d+\\.\\d{5},-?\\d+\\.\\d{5}$`));

  for (const visitor of [ann, bob]) {
    visitor.expectQuiet();
    await visitor.close();
  }
});

test("the contract in the documents is the one that is served", async ({ request, server }) => {
  const document = readFileSync(new URL("../../docs/openapi.json", import.meta.url), "utf8");
  const served = await request.get(`${server.url}/api/openapi.json`);
  expect(await served.json()).toEqual(JSON.parse(document));
});

test("an address that is no place is a visit like any other", async ({ browser, server }) => {
  const visitor = await Visitor.open(browser, `${server.url}/#91,500`);
  expect((await visitor.state).connection).toBe("online");
  // Every test fails on a violation of the policy; this one, that there is a policy.
  const policy = (await visitor.page.request.get(server.url)).headers()["content-security-policy"];
  expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
  visitor.expectQuiet();
  await visitor.close();
});
