/**
 * The keys of this browser: the one in use, and those of accounts that were put aside when somebody signed in here as
 * another. Nobody loses a guest's land by signing in.
 */
import { del, get, set } from "idb-keyval";
import { type DeviceKey, generatePair, keyOf, STORAGE_KEY } from "./device_key.ts";
import type { Account } from "./domain.ts";

interface Aside {
  readonly account: Account;
  readonly pair: CryptoKeyPair;
}

const ASIDE_KEY = "device-keys-aside/1";

/** The accounts that this browser could go on as without a password. */
export async function accountsAside(): Promise<readonly Account[]> {
  return (await asides()).map(({ account }) => account);
}

/** A key that is not kept yet: it has first to be made known to the server. */
export async function newKey(): Promise<{ readonly key: DeviceKey; readonly pair: CryptoKeyPair }> {
  const pair = await generatePair();
  return { key: await keyOf(pair, true), pair };
}

/** Uses another key from now on, or none. That of `present` is put aside. */
export async function useKey(pair: CryptoKeyPair | undefined, present: Account | undefined): Promise<void> {
  await putAside(present);
  await (pair ? set(STORAGE_KEY, pair) : del(STORAGE_KEY));
}

/** Goes on as an account that was put aside; `present` takes its place there. */
export async function takeBack(accountId: string, present: Account | undefined): Promise<boolean> {
  const wanted = (await asides()).find(({ account }) => account.accountId === accountId);
  if (!wanted) return false;
  await putAside(present);
  await set(
    ASIDE_KEY,
    (await asides()).filter(({ account }) => account.accountId !== accountId),
  );
  await set(STORAGE_KEY, wanted.pair);
  return true;
}

/** There is no key any more: whoever comes next is a stranger. */
export async function forgetKey(): Promise<void> {
  await del(STORAGE_KEY);
}

async function asides(): Promise<readonly Aside[]> {
  return (await get<readonly Aside[]>(ASIDE_KEY).catch(() => undefined)) ?? [];
}

async function putAside(owner: Account | undefined): Promise<void> {
  const pair = await get<CryptoKeyPair>(STORAGE_KEY);
  if (!pair) return;
  // Nobody has logged in with it for long: it is kept all the same.
  const account = owner ?? { accountId: crypto.randomUUID(), name: "An earlier guest", color: "#779b2a" };
  const others = (await asides()).filter((aside) => aside.account.accountId !== account.accountId);
  await set(ASIDE_KEY, [...others, { account, pair }]);
}
