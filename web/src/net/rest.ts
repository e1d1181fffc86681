/** What can go wrong with a request, as errors with a type. */

/** What the server answered instead of what was asked: RFC 9457 with a stable `code`. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly retryAfterS: number | undefined,
    /** The first thing that is wrong with what was sent, `must have at least 2 characters`, and where. */
    readonly fault?: { readonly pointer: string; readonly detail: string },
    private readonly body?: unknown,
  ) {
    super(detail);
  }

  /** A number that the answer gives beside its code, `minimum_minor`. */
  fact(name: string): number | undefined {
    const value: unknown =
      typeof this.body === "object" && this.body !== null ? Reflect.get(this.body, name) : undefined;
    return typeof value === "number" ? value : undefined;
  }
}

/** The server could not be reached at all. */
export class Unreachable extends Error {}

/** Turns a failed answer into an {@link ApiError}; understands bodies that are no problem documents too. */
export function problemOf(response: Response, body: unknown): ApiError {
  const member = (of: unknown, name: string): unknown =>
    typeof of === "object" && of !== null ? Reflect.get(of, name) : undefined;
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  const field = (name: string) => text(member(body, name));
  const first = member(member(body, "errors"), "0");
  const pointer = text(member(first, "pointer"));
  const fault = text(member(first, "detail"));
  const retryAfterS = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new ApiError(
    response.status,
    field("code") ?? `http_${response.status}`,
    field("detail") ?? field("title") ?? `The server answered ${response.status}.`,
    Number.isFinite(retryAfterS) ? retryAfterS : undefined,
    pointer && fault ? { pointer, detail: fault } : undefined,
    body,
  );
}

/** `fetch` whose failure to connect has a type of its own. */
export async function reach(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (cause) {
    throw new Unreachable("the server cannot be reached", { cause });
  }
}
