/** Where one is in the market, as the address says it. */

export const TABS = ["search", "selling", "land", "wallet", "notices", "groups", "webhooks"] as const;
export type Tab = (typeof TABS)[number];

export const KINDS = ["fixed", "auction", "english", "dutch", "sealed"] as const;
export const SORTS = [
  "newest",
  "ending",
  "price_asc",
  "price_desc",
  "price_per_m2",
  "area_asc",
  "area_desc",
  "nearest",
] as const;

/** What the search is narrowed to; names and units are those of `GET /api/v1/marketplace/search`. */
export interface Filters {
  readonly kind?: (typeof KINDS)[number];
  readonly price_min_minor?: number;
  readonly price_max_minor?: number;
  readonly area_min_m2?: number;
  readonly area_max_m2?: number;
  readonly biome?: string;
  /** `lat,lng` in degrees. */
  readonly near?: string;
  readonly radius_m?: number;
  /** What is called `near`, for people. */
  readonly near_name?: string;
  readonly front?: "river" | "coast" | "lake";
  readonly ends_within_s?: number;
  readonly sort?: (typeof SORTS)[number];
}

export type Route =
  | { readonly tab: Exclude<Tab, "search" | "wallet"> }
  | { readonly tab: "search"; readonly filters: Filters }
  | { readonly tab: "wallet"; readonly payTo?: string; readonly payName?: string }
  | { readonly tab: "parcel"; readonly token: string };

const WHOLE_NUMBERS = [
  "price_min_minor",
  "price_max_minor",
  "area_min_m2",
  "area_max_m2",
  "radius_m",
  "ends_within_s",
] as const;
const TEXTS = ["biome", "near_name"] as const;

/** Reads the part of the address from `?` on; what it does not know is left out. */
export function parseRoute(search: string): Route {
  const params = new URLSearchParams(search);
  const token = params.get("parcel")?.toLowerCase();
  if (token !== undefined && /^[0-9a-f]{1,16}$/.test(token)) return { tab: "parcel", token };
  const tab = TABS.find((name) => name === params.get("tab")) ?? "search";
  if (tab === "wallet") {
    const payTo = params.get("pay");
    const payName = params.get("name");
    return { tab, ...(payTo !== null && { payTo }), ...(payName !== null && { payName }) };
  }
  if (tab !== "search") return { tab };
  return { tab, filters: filtersOf(params) };
}

function filtersOf(params: URLSearchParams): Filters {
  const filters: Record<string, string | number> = {};
  for (const name of WHOLE_NUMBERS) {
    const text = params.get(name);
    if (text !== null && /^\d{1,16}$/.test(text)) filters[name] = Number(text);
  }
  for (const name of TEXTS) {
    const text = params.get(name);
    if (text) filters[name] = text.slice(0, 80);
  }
  const oneOf = (name: string, choices: readonly string[]) => {
    const text = params.get(name);
    if (text !== null && choices.includes(text)) filters[name] = text;
  };
  oneOf("kind", KINDS);
  oneOf("sort", SORTS);
  oneOf("front", ["river", "coast", "lake"]);
  const near = params.get("near");
  if (near !== null && /^-?\d{1,2}(\.\d+)?,-?\d{1,3}(\.\d+)?$/.test(near)) filters["near"] = near;
  // There is no order by distance from nowhere.
  if (filters["near"] === undefined && filters["sort"] === "nearest") delete filters["sort"];
  return filters as Filters;
}

/** The address of a place in the market. */
export function formatRoute(route: Route): string {
  const params = new URLSearchParams();
  switch (route.tab) {
    case "parcel":
      params.set("parcel", route.token);
      break;
    case "search":
      for (const [name, value] of Object.entries(route.filters)) params.set(name, String(value));
      break;
    case "wallet":
      params.set("tab", route.tab);
      if (route.payTo !== undefined) params.set("pay", route.payTo);
      if (route.payName !== undefined) params.set("name", route.payName);
      break;
    default:
      params.set("tab", route.tab);
  }
  const text = params.toString();
  return text === "" ? "/market" : `/market?${text}`;
}

export const parcelHref = (token: string): string => formatRoute({ tab: "parcel", token });
export const tabHref = (tab: Tab): string =>
  formatRoute(tab === "search" ? { tab, filters: {} } : tab === "wallet" ? { tab } : { tab });
