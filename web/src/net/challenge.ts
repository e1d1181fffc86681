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
 */
export interface Expected {
  readonly origin: string;
  readonly publicKey: string;
  readonly nonce: string;
  /** What the signature is for: no text for one may serve another. */
  readonly purpose?: "login" | "add-key";
}

/**
 * Says what is wrong with a login text, `undefined` when it may be signed. The origin matters most: another site
 * that passes on a real server's challenge must not get our signature for it.
 */
export function challengeFault(message: string, expected: Expected): string | undefined {
  const lines = message.split("\n");
  if (lines.length !== 7 || lines[6] !== "") return "it is not six lines";
  const purpose = expected.purpose ?? "login";
  if (lines[0] !== `terrane-${purpose}/1`) return `it is not a ${purpose} of version 1`;
  if (lines[1] !== `origin: ${expected.origin}`) return `it is not for ${expected.origin}`;
  if (lines[2] !== `key: ${expected.publicKey}`) return "it names another key";
  if (lines[3] !== `nonce: ${expected.nonce}`) return "it names another nonce";
  if (!/^issued: \d+$/.test(lines[4] ?? "") || !/^expires: \d+$/.test(lines[5] ?? ""))
    return "its times do not read";
  return undefined;
}
