/** The calls of `/api/v1` that the account's pages make. */
import type { components } from "../gen/openapi.ts";
import { type Login, loginOf } from "../net/api.ts";
import { client, clientAs, dataOf, type TokenSource } from "../net/asking.ts";
import { challengeFault } from "../net/challenge.ts";
import type { DeviceKey } from "../net/device_key.ts";
import { Refusal } from "../net/refusal.ts";
import type { Settings } from "./shapes.ts";

type Schemas = components["schemas"];

/** What anybody may ask. */
export const doors = {
  register(email: string, password: string, displayName: string) {
    const body = { email, password, ...(displayName && { display_name: displayName }) };
    return dataOf(client.POST("/api/v1/auth/register", { body }));
  },
  async confirm(token: string): Promise<Login> {
    return loginOf(await dataOf(client.POST("/api/v1/auth/email/confirm", { body: { token } })));
  },
  async password(email: string, password: string): Promise<Login> {
    return loginOf(await dataOf(client.POST("/api/v1/auth/password", { body: { email, password } })));
  },
  forgot: (email: string) => dataOf(client.POST("/api/v1/auth/password/forgot", { body: { email } })),
  reset: (token: string, password: string) =>
    dataOf(client.POST("/api/v1/auth/password/reset", { body: { token, password } })),
  providers: async () => (await dataOf(client.GET("/api/v1/auth/providers"))).items,
  async startProvider(id: string): Promise<string> {
    const params = { path: { provider_id: id } };
    const body = { purpose: "sign_in" as const };
    const asked = client.POST("/api/v1/auth/providers/{provider_id}/start", { params, body });
    return (await dataOf(asked)).authorize_url;
  },
  async finishProvider(code: string): Promise<Login> {
    const session = await dataOf(client.POST("/api/v1/auth/providers/finish", { body: { code } }));
    if (!session) throw new Refusal("no_session", "The other site did not let you in.");
    return loginOf(session);
  },
  logout: (refreshToken: string) =>
    dataOf(client.POST("/api/v1/auth/logout", { body: { refresh_token: refreshToken } })),
};

/** What the account itself may ask. */
export class AccountApi {
  readonly #client: ReturnType<typeof clientAs>;

  constructor(tokens: TokenSource) {
    this.#client = clientAs(tokens);
  }

  me = () => dataOf(this.#client.GET("/api/v1/users/me"));
  change = (body: Schemas["ProfileChange"]) => dataOf(this.#client.PATCH("/api/v1/users/me", { body }));
  setEmail = (email: string, password: string) =>
    dataOf(this.#client.PUT("/api/v1/users/me/email", { body: { email, password } }));
  setPassword(password: string, present?: string) {
    const body = { password, ...(present !== undefined && { current_password: present }) };
    return dataOf(this.#client.PUT("/api/v1/users/me/password", { body }));
  }

  // ---- devices ----

  keys = () => dataOf(this.#client.GET("/api/v1/users/me/keys"));
  /** Lets a key of this browser open the account. */
  async addKey(key: DeviceKey, label: string, accountId: string): Promise<void> {
    const { publicKey } = key;
    const asked = { public_key: publicKey, purpose: "add_key" as const };
    const { message, nonce } = await dataOf(this.#client.POST("/api/v1/auth/challenge", { body: asked }));
    const fault = challengeFault(message, { origin: location.origin, publicKey, nonce, addsTo: accountId });
    if (fault) throw new Refusal("challenge_refused", `This page did not sign the server’s text: ${fault}.`);
    const body = { public_key: publicKey, nonce, signature: await key.sign(message), label };
    await dataOf(this.#client.POST("/api/v1/users/me/keys", { body }));
  }
  renameKey(id: string, label: string) {
    const params = { path: { key_id: id } };
    return dataOf(this.#client.PATCH("/api/v1/users/me/keys/{key_id}", { params, body: { label } }));
  }
  removeKey = (id: string) =>
    dataOf(this.#client.DELETE("/api/v1/users/me/keys/{key_id}", { params: { path: { key_id: id } } }));
  sessions = () => dataOf(this.#client.GET("/api/v1/users/me/sessions"));
  endSession(id: string) {
    const params = { path: { session_id: id } };
    return dataOf(this.#client.DELETE("/api/v1/users/me/sessions/{session_id}", { params }));
  }
  endOtherSessions = () => dataOf(this.#client.DELETE("/api/v1/users/me/sessions"));

  // ---- other ways in ----

  linked = () => dataOf(this.#client.GET("/api/v1/users/me/identities"));
  unlink(id: string) {
    const params = { path: { identity_id: id } };
    return dataOf(this.#client.DELETE("/api/v1/users/me/identities/{identity_id}", { params }));
  }
  async startLink(id: string): Promise<string> {
    const params = { path: { provider_id: id } };
    const body = { purpose: "link" as const };
    const asked = this.#client.POST("/api/v1/auth/providers/{provider_id}/start", { params, body });
    return (await dataOf(asked)).authorize_url;
  }
  finishLink = (code: string) =>
    dataOf(this.#client.POST("/api/v1/auth/providers/finish", { body: { code } }));

  // ---- programs ----

  apiKeys = () => dataOf(this.#client.GET("/api/v1/users/me/api-keys"));
  makeApiKey = (body: Schemas["ApiKeyRequest"]) =>
    dataOf(this.#client.POST("/api/v1/users/me/api-keys", { body }));
  removeApiKey(id: string) {
    const params = { path: { api_key_id: id } };
    return dataOf(this.#client.DELETE("/api/v1/users/me/api-keys/{api_key_id}", { params }));
  }

  // ---- one's data ----

  exports = () => dataOf(this.#client.GET("/api/v1/users/me/exports"));
  startExport = () => dataOf(this.#client.POST("/api/v1/users/me/exports"));
  exportFile(id: string): Promise<Blob> {
    const params = { path: { export_id: id } };
    const asked = this.#client.GET("/api/v1/users/me/exports/{export_id}/file", { params, parseAs: "blob" });
    return dataOf(asked);
  }
  erasure = () => dataOf(this.#client.GET("/api/v1/users/me/erasure"));
  startErasure = () => dataOf(this.#client.POST("/api/v1/users/me/erasure"));
  cancelErasure = () => dataOf(this.#client.DELETE("/api/v1/users/me/erasure"));
  settings = () => dataOf(this.#client.GET("/api/v1/users/me/settings"));
  setSettings = (body: Settings) => dataOf(this.#client.PUT("/api/v1/users/me/settings", { body }));
}

/** Ends what is left of a login that another one has replaced; nobody waits for it. */
export function endQuietly(refreshToken: string | undefined): void {
  if (refreshToken !== undefined) doors.logout(refreshToken).catch(() => undefined);
}
