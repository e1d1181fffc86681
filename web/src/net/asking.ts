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
  // A kept answer tells the time when it was made.
  if (/no-(store|cache)/.test(response.headers.get("cache-control") ?? "")) {
    serverTime.observe(sentMs, Date.now(), response.headers.get("date"));
  }
  return response;
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
