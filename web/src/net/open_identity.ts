/** Who this browser is to the planet, when a page opens. */
import { hasDeviceKey, openDeviceKey } from "./device_key.ts";
import { Identity } from "./identity.ts";
import { browserStore, tabLogin, tabStore } from "./login_store.ts";

const nowMs = () => Date.now();

/** Somebody who has been here before; `undefined` for a stranger. Nobody is logged in by this yet. */
export async function knownIdentity(): Promise<Identity | undefined> {
  if (tabLogin()) return new Identity(undefined, location.origin, nowMs, tabStore());
  if (await hasDeviceKey()) return browserIdentity();
  const store = browserStore();
  return (await store.load()) ? new Identity(undefined, location.origin, nowMs, store) : undefined;
}

/** Whoever is here; a stranger is made a guest, who plays at once. */
export async function anyIdentity(): Promise<Identity> {
  return (await knownIdentity()) ?? browserIdentity();
}

async function browserIdentity(): Promise<Identity> {
  return new Identity(await openDeviceKey(), location.origin, nowMs, browserStore());
}
