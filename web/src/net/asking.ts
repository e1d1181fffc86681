/** How `/api/v1` is asked: one typed client, failures as errors, and a bearer token that is renewed when it runs out. */
import createClient, { type Client } from "openapi-fetch";
import type { paths } from "../gen/openapi.ts";
import { problemOf, reach } from "./rest.ts";
import { ServerTime } from "./server_time.ts";

/** Where access tokens come from; see `identity.ts`. */
export interface TokenSource {
  accessToken(): Promise<string>;
  dropToken(): void;
  /** Has the person show once more who they are; false where they would not or cannot be asked. */
  prove?(): Promise<boolean>;
}

/** What openapi-fetch hands back: data or not, and the response itself. */
interface Answer<T> {
  readonly data?: T;
  readonly response: Response;
  readonly error?: unknown;
}

/** What time it is on the server, by its answers. */
export const serverTime = new ServerTime();

/** A request whose answer also tells the time. */
async function reachAndListen(request: Request): Promise<Response> {
  const sentMs = Date.now();
  const response = await reach(request);
  // A kept answer tells the time when it was made.
  if (/no-(store|cache)/.test(response.headers.get("cache-control") ?? "")) {
    serverTime.observe(sentMs, Date.now(), response.headers.get("date"));
  }
  return response;
}

/** Every call of the interface, typed by its document; asks as nobody. */
export const client: Client<paths> = createClient<paths>({ baseUrl: "/", fetch: reachAndListen });

/** The data of a good answer; an {@link ApiError} otherwise. */
export async function dataOf<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok) throw problemOf(response, error);
  // An answer without a body is data too: nothing.
  return data as T;
}

/** An idempotency key as the header wants it: with it a decision is never taken twice. */
export const keyed = (key: string): { readonly "Idempotency-Key": string } => ({
  "Idempotency-Key": `"${key}"`,
});

/** What of a query or a body is there at all. */
export function some<T extends object>(parts: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as never;
}

/**
 * Every call, asked as a logged-in person. A token that has just expired is replaced and the call made once more; so
 * it is where the server first wants to be sure that it is still the same person.
 */
export function clientAs(tokens: TokenSource): Client<paths> {
  async function attempt(request: Request): Promise<Response> {
    request.headers.set("authorization", `Bearer ${await tokens.accessToken()}`);
    return reachAndListen(request);
  }
  async function send(request: Request): Promise<Response> {
    // A body can be read once.
    const again = request.clone();
    const response = await attempt(request);
    if (response.status !== 401 && response.status !== 403) return response;
    const code = await codeOf(response);
    // A wrong password is refused with the same status, and must not be tried twice.
    if (typeof code === "string" && code.startsWith("token_")) {
      tokens.dropToken();
      return attempt(again);
    }
    if (code === "fresh_login_required" && (await tokens.prove?.())) return attempt(again);
    return response;
  }
  return createClient<paths>({ baseUrl: "/", fetch: send });
}

async function codeOf(response: Response): Promise<unknown> {
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  return typeof body === "object" && body !== null ? Reflect.get(body, "code") : undefined;
}
