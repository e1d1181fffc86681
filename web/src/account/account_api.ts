/** The calls of `/api/v1` that the account's pages make. */
import { type Login, loginOf, publicApi } from "../net/api.ts";
import { client, clientAs, dataOf, type TokenSource } from "../net/asking.ts";
import { challengeFault } from "../net/challenge.ts";
import type { DeviceKey } from "../net/device_key.ts";
import { Refusal } from "../net/refusal.ts";
import type {
  ApiKeyView,
  DeviceKeyView,
  ErasureView,
  ExportView,
  LinkedView,
  Me,
  Page,
  ProviderView,
  Scope,
  SessionView,
  Settings,
} from "./shapes.ts";

// biome-ignore lint/suspicious/noExplicitAny: until the document has these routes
type Untyped = any;
const open = client as Untyped;

/** What anybody may ask. */
export const doors = {
  register: (email: string, password: string, displayName?: string): Promise<void> =>
    dataOf(
      open.POST("/api/v1/auth/register", {
        body: { email, password, ...(displayName && { display_name: displayName }) },
      }),
    ),
  confirm: async (token: string): Promise<Login> =>
    loginOf(await dataOf<Untyped>(open.POST("/api/v1/auth/email/confirm", { body: { token } }))),
  password: async (email: string, password: string): Promise<Login> =>
    loginOf(await dataOf<Untyped>(open.POST("/api/v1/auth/password", { body: { email, password } }))),
  forgot: (email: string): Promise<void> =>
    dataOf(open.POST("/api/v1/auth/password/forgot", { body: { email } })),
  reset: (token: string, password: string): Promise<void> =>
    dataOf(open.POST("/api/v1/auth/password/reset", { body: { token, password } })),
  providers: async (): Promise<readonly ProviderView[]> =>
    (await dataOf<Untyped>(open.GET("/api/v1/auth/providers"))).items,
  startProvider: async (id: string): Promise<string> =>
    (
      await dataOf<Untyped>(
        open.POST("/api/v1/auth/providers/{id}/start", {
          params: { path: { id } },
          body: { purpose: "sign_in" },
        }),
      )
    ).authorize_url,
  async finishProvider(code: string): Promise<Login> {
    return loginOf(await dataOf<Untyped>(open.POST("/api/v1/auth/providers/finish", { body: { code } })));
  },
  logout: (refreshToken: string): Promise<unknown> =>
    dataOf(client.POST("/api/v1/auth/logout", { body: { refresh_token: refreshToken } })),
};

/** What the account itself may ask. */
export class AccountApi {
  readonly #client: Untyped;

  constructor(tokens: TokenSource) {
    this.#client = clientAs(tokens);
  }

  me = (): Promise<Me> => dataOf(this.#client.GET("/api/v1/users/me"));
  change = (body: { display_name?: string; color?: string }): Promise<Me> =>
    dataOf(this.#client.PATCH("/api/v1/users/me", { body }));
  setEmail = (email: string, password: string): Promise<void> =>
    dataOf(this.#client.PUT("/api/v1/users/me/email", { body: { email, password } }));
  setPassword = (password: string, present?: string): Promise<void> =>
    dataOf(
      this.#client.PUT("/api/v1/users/me/password", {
        body: { password, ...(present !== undefined && { current_password: present }) },
      }),
    );

  // ---- devices ----

  keys = (): Promise<Page<DeviceKeyView>> => dataOf(this.#client.GET("/api/v1/users/me/keys"));
  /** Lets a key of this browser open the account. */
  async addKey(key: DeviceKey, label: string, accountId: string): Promise<void> {
    const { publicKey } = key;
    const asked = this.#client.POST("/api/v1/auth/challenge", {
      body: { public_key: publicKey, purpose: "add_key" },
    });
    const { message, nonce } = await dataOf<Untyped>(asked);
    const fault = challengeFault(message, {
      origin: location.origin,
      publicKey,
      nonce,
      addsTo: accountId,
    });
    if (fault) throw new Refusal("challenge_refused", `This page did not sign the server’s text: ${fault}.`);
    const signature = await key.sign(message);
    await dataOf(
      this.#client.POST("/api/v1/users/me/keys", {
        body: { public_key: publicKey, nonce, signature, label },
      }),
    );
  }
  renameKey = (id: string, label: string): Promise<unknown> =>
    dataOf(
      this.#client.PATCH("/api/v1/users/me/keys/{key_id}", {
        params: { path: { key_id: id } },
        body: { label },
      }),
    );
  removeKey = (id: string): Promise<unknown> =>
    dataOf(this.#client.DELETE("/api/v1/users/me/keys/{key_id}", { params: { path: { key_id: id } } }));
  sessions = (): Promise<Page<SessionView>> => dataOf(this.#client.GET("/api/v1/users/me/sessions"));
  endSession = (id: string): Promise<unknown> =>
    dataOf(
      this.#client.DELETE("/api/v1/users/me/sessions/{session_id}", { params: { path: { session_id: id } } }),
    );
  endOtherSessions = (): Promise<unknown> => dataOf(this.#client.DELETE("/api/v1/users/me/sessions"));

  // ---- other ways in ----

  linked = (): Promise<Page<LinkedView>> => dataOf(this.#client.GET("/api/v1/users/me/identities"));
  unlink = (id: string): Promise<unknown> =>
    dataOf(
      this.#client.DELETE("/api/v1/users/me/identities/{identity_id}", {
        params: { path: { identity_id: id } },
      }),
    );
  startLink = async (id: string): Promise<string> =>
    (
      await dataOf<Untyped>(
        this.#client.POST("/api/v1/auth/providers/{id}/start", {
          params: { path: { id } },
          body: { purpose: "link" },
        }),
      )
    ).authorize_url;
  finishLink = (code: string): Promise<unknown> =>
    dataOf(this.#client.POST("/api/v1/auth/providers/finish", { body: { code } }));

  // ---- programs ----

  apiKeys = (): Promise<Page<ApiKeyView>> => dataOf(this.#client.GET("/api/v1/users/me/api-keys"));
  makeApiKey = (body: {
    name: string;
    scopes: readonly Scope[];
    expires_in_days: number;
  }): Promise<{ readonly key: ApiKeyView; readonly secret: string }> =>
    dataOf(this.#client.POST("/api/v1/users/me/api-keys", { body }));
  removeApiKey = (id: string): Promise<unknown> =>
    dataOf(
      this.#client.DELETE("/api/v1/users/me/api-keys/{api_key_id}", { params: { path: { api_key_id: id } } }),
    );

  // ---- one's data ----

  exports = (): Promise<Page<ExportView>> => dataOf(this.#client.GET("/api/v1/users/me/exports"));
  startExport = (): Promise<ExportView> => dataOf(this.#client.POST("/api/v1/users/me/exports"));
  exportFile = (id: string): Promise<Blob> =>
    dataOf(
      this.#client.GET("/api/v1/users/me/exports/{export_id}/file", {
        params: { path: { export_id: id } },
        parseAs: "blob",
      }),
    );
  erasure = (): Promise<ErasureView> => dataOf(this.#client.GET("/api/v1/users/me/erasure"));
  startErasure = (): Promise<ErasureView> => dataOf(this.#client.POST("/api/v1/users/me/erasure"));
  cancelErasure = (): Promise<unknown> => dataOf(this.#client.DELETE("/api/v1/users/me/erasure"));
  settings = (): Promise<Settings> => dataOf(this.#client.GET("/api/v1/users/me/settings"));
  setSettings = (body: Settings): Promise<Settings> =>
    dataOf(this.#client.PUT("/api/v1/users/me/settings", { body }));
}

/** Ends what is left of a login that another one has replaced; nobody waits for it. */
export function endQuietly(refreshToken: string | undefined): void {
  if (refreshToken !== undefined) doors.logout(refreshToken).catch(() => undefined);
}

export const { planet } = publicApi;
