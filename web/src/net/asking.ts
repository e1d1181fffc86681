/** How `/api/v1` is asked: one typed client, failures as errors, and a bearer token that is renewed when it runs out. */
import createClient from "openapi-fetch";
import type { paths } from "../gen/openapi.ts";
import { ApiError, problemOf, reach } from "./rest.ts";
import { ServerTime } from "./server_time.ts";

/** Where access tokens come from; see `identity.ts`. */
export interface TokenSource {
  accessToken(): Promise<string>;
  dropToken(): void;
}

/** What openapi-fetch hands back: data or not, and the response itself. */
export interface Answer<T> {
  readonly data?: T;
  readonly response: Response;
  readonly error?: unknown;
}

/** An alias, not an interface: only that may stand where any headers may. */
export type AuthHeader = { readonly authorization: string };

/** What time it is on the server, by its answers. */
export const serverTime = new ServerTime();

/** A request whose answer also tells the time. */
async function reachAndListen(request: Request): Promise<Response> {
  const sentMs = Date.now();
  const response = await reach(request);
  listen(response, sentMs);
  return response;
}

function listen(response: Response, sentMs: number): void {
  // A kept answer tells the time when it was made.
  if (!/no-(store|cache)/.test(response.headers.get("cache-control") ?? "")) return;
  serverTime.observe(sentMs, Date.now(), response.headers.get("date"));
}

/** What a call may bring; `key` makes it a decision that is never taken twice. */
export interface JsonRequest {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly key?: string;
}

/** `/api/v1` with a path and a query under it. */
export function apiPath(path: string, query: NonNullable<JsonRequest["query"]>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value));
  const text = params.toString();
  return `/api/v1${path}${text === "" ? "" : `?${text}`}`;
}

export const client = createClient<paths>({ baseUrl: "/", fetch: (request) => reachAndListen(request) });

/** The data of a good answer; an {@link ApiError} otherwise. */
export async function dataOf<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok) throw problemOf(response, error);
  // An answer without a body is data too: nothing.
  return data as T;
}

/** Asks as a logged-in person. A token that has just expired is replaced and the call made once more. */
export class Asker {
  constructor(private readonly tokens: TokenSource) {}

  ask<T>(call: (headers: AuthHeader) => Promise<Answer<T>>): Promise<T> {
    return this.#withToken((headers) => dataOf(call(headers)));
  }

  /** The answer as it comes, for streams and files. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return this.#withToken(async (auth) => {
      const headers = new Headers(init.headers);
      headers.set("authorization", auth.authorization);
      const response = await reach(new Request(new URL(path, location.origin), { ...init, headers }));
      if (response.status === 401) throw problemOf(response, await response.json().catch(() => undefined));
      return response;
    });
  }

  /** One call in JSON. The caller names the shape of the answer, as the interface's document has it. */
  async json<T>(method: string, path: string, { query = {}, body, key }: JsonRequest = {}): Promise<T> {
    const headers = new Headers();
    if (body !== undefined) headers.set("content-type", "application/json");
    if (key !== undefined) headers.set("idempotency-key", `"${key}"`);
    const sentMs = Date.now();
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const response = await this.fetch(apiPath(path, query), init);
    listen(response, sentMs);
    const text = await response.text();
    const answer: unknown = text === "" ? undefined : JSON.parse(text);
    if (!response.ok) throw problemOf(response, answer);
    return answer as T;
  }

  async #withToken<T>(call: (headers: AuthHeader) => Promise<T>): Promise<T> {
    const attempt = async () => call({ authorization: `Bearer ${await this.tokens.accessToken()}` });
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      this.tokens.dropToken();
      return attempt();
    }
  }
}
