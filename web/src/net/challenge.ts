/**
 * The text that the server gives to sign at login, version 1:
 *
 * ```text
 * terrane-login/1
 * origin: https://planet.example
 * key: <public key, base64url>
 * nonce: <base64url>
 * issued: <seconds since 1970>
 * expires: <seconds since 1970>
 * ```
 *
 * To add a key to an account it begins with `terrane-add-key/1` and ends with `account: <its id>`.
 */
export interface Expected {
  readonly origin: string;
  readonly publicKey: string;
  readonly nonce: string;
  /** The account that the key is to be added to; without one it is a login. No text for one may serve the other. */
  readonly addsTo?: string;
}

/**
 * Says what is wrong with a login text, `undefined` when it may be signed. The origin matters most: another site
 * that passes on a real server's challenge must not get our signature for it.
 */
export function challengeFault(message: string, expected: Expected): string | undefined {
  const lines = message.split("\n");
  const { addsTo } = expected;
  const last = addsTo === undefined ? [""] : [`account: ${addsTo}`, ""];
  if (lines.length !== 6 + last.length) return `it is not ${5 + last.length} lines`;
  if (last.some((line, index) => lines[6 + index] !== line)) return "it is for another account";
  const purpose = addsTo === undefined ? "login" : "add-key";
  if (lines[0] !== `terrane-${purpose}/1`) return `it is not a ${purpose} of version 1`;
  if (lines[1] !== `origin: ${expected.origin}`) return `it is not for ${expected.origin}`;
  if (lines[2] !== `key: ${expected.publicKey}`) return "it names another key";
  if (lines[3] !== `nonce: ${expected.nonce}`) return "it names another nonce";
  if (!/^issued: \d+$/.test(lines[4] ?? "") || !/^expires: \d+$/.test(lines[5] ?? ""))
    return "its times do not read";
  return undefined;
}
