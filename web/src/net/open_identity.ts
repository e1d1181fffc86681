/** Who this browser is to the planet, when a page opens. */
import { type DeviceKey, hasDeviceKey, openDeviceKey } from "./device_key.ts";
import { Identity } from "./identity.ts";
import { browserStore, type LoginStore, tabLogin, tabStore } from "./login_store.ts";

/** Somebody by a key of theirs, a login that is kept, or both. */
export function identityWith(key: DeviceKey | undefined, store: LoginStore = browserStore()): Identity {
  return new Identity(key, location.origin, () => Date.now(), store);
}

/** Somebody who has been here before; `undefined` for a stranger. Nobody is logged in by this yet. */
export async function knownIdentity(): Promise<Identity | undefined> {
  if (tabLogin()) return identityWith(undefined, tabStore());
  if (await hasDeviceKey()) return identityWith(await openDeviceKey());
  const store = browserStore();
  return (await store.load()) ? identityWith(undefined, store) : undefined;
}

/** Whoever is here; a stranger is made a guest, who plays at once. */
export async function anyIdentity(): Promise<Identity> {
  return (await knownIdentity()) ?? identityWith(await openDeviceKey());
}
