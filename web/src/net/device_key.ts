import { del, get, update } from "idb-keyval";

/**
 * The Ed25519 key that is this person's account on this device: made silently on the first visit and kept in
 * IndexedDB in a form that no script can read out.
 */
export interface DeviceKey {
  readonly publicKey: string;
  /** False when the browser keeps nothing (a private window): the next visit will be a newcomer's. */
  readonly isKept: boolean;
  sign(text: string): Promise<string>;
  /** The server takes it no more: whoever comes next is a stranger. */
  forget?(): Promise<void>;
}

/** Why this browser cannot make or use a key. */
export class NoDeviceKey extends Error {
  constructor(readonly reason: "insecure_context" | "no_ed25519") {
    super(
      reason === "insecure_context"
        ? "Browsers keep keys only for pages opened by https or on this computer itself (localhost)."
        : "This browser cannot make Ed25519 keys. Current versions of Chrome, Edge, Firefox and Safari can.",
    );
  }
}

export const STORAGE_KEY = "device-key/1";

/** Loads the key, or makes one. Two tabs that do so at once end up with the same. */
export async function openDeviceKey(): Promise<DeviceKey> {
  if (!globalThis.isSecureContext || !globalThis.crypto?.subtle) throw new NoDeviceKey("insecure_context");
  let isKept = true;
  let pair: CryptoKeyPair | undefined;
  try {
    pair = await get<CryptoKeyPair>(STORAGE_KEY);
  } catch {
    isKept = false;
  }
  if (!pair) {
    const made = await generatePair();
    pair = made;
    if (isKept) {
      try {
        // Whoever comes first wins; the other tab's key was never used.
        await update<CryptoKeyPair>(STORAGE_KEY, (existing) => existing ?? made);
        pair = (await get<CryptoKeyPair>(STORAGE_KEY)) ?? made;
      } catch {
        isKept = false;
      }
    }
  }
  return keyOf(pair, isKept);
}

export async function keyOf(pair: CryptoKeyPair, isKept: boolean): Promise<DeviceKey> {
  const publicKey = base64Url(await crypto.subtle.exportKey("raw", pair.publicKey));
  return {
    publicKey,
    isKept,
    forget: () => del(STORAGE_KEY),
    sign: async (text) =>
      base64Url(await crypto.subtle.sign("Ed25519", pair.privateKey, new TextEncoder().encode(text))),
  };
}

/** Whether this browser keeps a key already: somebody has walked here before. */
export async function hasDeviceKey(): Promise<boolean> {
  if (!globalThis.isSecureContext) return false;
  return (await get<CryptoKeyPair>(STORAGE_KEY).catch(() => undefined)) !== undefined;
}

export async function generatePair(): Promise<CryptoKeyPair> {
  try {
    return (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
  } catch {
    throw new NoDeviceKey("no_ed25519");
  }
}

/** Base64 for addresses, without padding. */
export function base64Url(bytes: ArrayBuffer): string {
  let binary = "";
  for (const byte of new Uint8Array(bytes)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
