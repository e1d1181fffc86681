/** The calls of `/api/v1` that the market page makes. */
import type { Asker } from "../net/asking.ts";
import { problemOf } from "../net/rest.ts";
import type { Filters } from "./route.ts";
import type {
  Bid,
  Delivery,
  FenceRule,
  Gift,
  Group,
  GroupRole,
  Hold,
  Lease,
  NoticesPage,
  Offer,
  Page,
  Parcel,
  Permission,
  PermissionRole,
  Prices,
  Sale,
  SearchPage,
  StatementPage,
  Terms,
  TitlesPage,
  Wallet,
  Webhook,
  WebhookSecret,
} from "./shapes.ts";

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface Request {
  readonly query?: Query;
  readonly body?: unknown;
  readonly key?: string;
}

const PAGES_MAX = 10;
const PAGE_ITEMS = 100;

export class MarketApi {
  constructor(private readonly asker: Asker) {}

  // ---- money ----

  terms = () => this.#ask<Terms>("GET", "/marketplace/terms");
  wallet = () => this.#ask<Wallet>("GET", "/wallet");
  holds = () => this.#ask<Page<Hold>>("GET", "/wallet/holds");
  statement = (asset: string, cursor?: string) =>
    this.#ask<StatementPage>("GET", "/wallet/statement", { query: { asset: asset || undefined, cursor } });
  pay = (body: object, key: string) => this.#ask<unknown>("POST", "/wallet/transfers", { body, key });

  async statementCsv(asset: string): Promise<Blob> {
    const response = await this.asker.fetch(pathOf("/wallet/statement.csv", { asset: asset || undefined }));
    if (!response.ok) throw problemOf(response, await response.json().catch(() => undefined));
    return response.blob();
  }

  // ---- the market ----

  search(filters: Filters, cursor?: string): Promise<SearchPage> {
    const { near_name: _, ...query } = filters;
    return this.#ask("GET", "/marketplace/search", { query: { ...query, cursor } });
  }
  listing = (id: string) => this.#ask<Sale>("GET", `/marketplace/listings/${id}`);
  list = (body: object, key: string) => this.#ask<Sale>("POST", "/marketplace/listings", { body, key });
  changeListing = (id: string, body: object, key: string) =>
    this.#ask<Sale>("PATCH", `/marketplace/listings/${id}`, { body, key });
  cancelListing = (id: string, key: string) =>
    this.#ask<unknown>("DELETE", `/marketplace/listings/${id}`, { key });
  buy = (id: string, body: object, key: string) =>
    this.#ask<unknown>("POST", `/marketplace/listings/${id}/purchase`, { body, key });
  auction = (id: string) => this.#ask<Sale>("GET", `/marketplace/auctions/${id}`);
  openAuction = (body: object, key: string) =>
    this.#ask<Sale>("POST", "/marketplace/auctions", { body, key });
  bids = (id: string) => this.#ask<Page<Bid>>("GET", `/marketplace/auctions/${id}/bids`);
  bid = (id: string, body: object, key: string) =>
    this.#ask<unknown>("POST", `/marketplace/auctions/${id}/bids`, { body, key });
  cancelAuction = (id: string, key: string) =>
    this.#ask<unknown>("POST", `/marketplace/auctions/${id}/cancel`, { key });
  acceptAuction = (id: string, body: object, key: string) =>
    this.#ask<unknown>("POST", `/marketplace/auctions/${id}/accept`, { body, key });
  offers = (side: "received" | "made") =>
    this.#ask<Page<Offer>>("GET", "/marketplace/offers", { query: { direction: side, state: "open" } });
  makeOffer = (body: object, key: string) => this.#ask<Offer>("POST", "/marketplace/offers", { body, key });
  answerOffer = (id: string, answer: "accept" | "decline" | "withdraw", key: string) =>
    this.#ask<unknown>("POST", `/marketplace/offers/${id}/${answer}`, { key });
  prices = (token: string) => this.#ask<Prices>("GET", `/marketplace/prices/${token}`);
  watch = () => this.#ask<Page<Parcel>>("GET", "/marketplace/watch");
  setWatched = (token: string, isWatched: boolean) =>
    this.#ask<unknown>(isWatched ? "PUT" : "DELETE", `/marketplace/watch/${token}`);
  mySales = async () => [
    ...(await this.#ask<Page<Sale>>("GET", "/marketplace/auctions/mine", { query: { state: "open" } })).items,
    ...(await this.#ask<Page<Sale>>("GET", "/marketplace/listings/mine", { query: { state: "open" } })).items,
  ];
  myBids = async () =>
    (await this.#ask<Page<Sale>>("GET", "/marketplace/bids/mine", { query: { state: "open" } })).items;

  // ---- land ----

  parcel = (token: string) => this.#ask<Parcel>("GET", `/lands/${token}`);
  /** All land of somebody, up to a thousand parcels. */
  async landOf(owner: string): Promise<readonly Parcel[]> {
    const parcels: Parcel[] = [];
    let cursor: string | null | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const query = { owner, limit: PAGE_ITEMS, cursor: cursor ?? undefined };
      const answer: Page<Parcel> = await this.#ask("GET", "/lands", { query });
      parcels.push(...answer.items);
      cursor = answer.next_cursor;
      if (!cursor) break;
    }
    return parcels;
  }
  describe = (token: string, body: object) => this.#ask<Parcel>("PATCH", `/lands/${token}`, { body });
  titles = (token: string, cursor?: string) =>
    this.#ask<TitlesPage>("GET", `/lands/${token}/titles`, { query: { cursor } });
  merge = (token: string, body: object, key: string) =>
    this.#ask<Parcel>("POST", `/lands/${token}/merge`, { body, key });
  split = (token: string, body: object, key: string) =>
    this.#ask<unknown>("POST", `/lands/${token}/split`, { body, key });
  abandon = (token: string, key: string) => this.#ask<unknown>("POST", `/lands/${token}/abandon`, { key });
  give = (token: string, body: object, key: string) =>
    this.#ask<Gift>("POST", `/lands/${token}/gift`, { body, key });
  gifts = () => this.#ask<Page<Gift>>("GET", "/lands/gifts");
  answerGift = (id: string, answer: "accept" | "decline" | "cancel", key: string) =>
    this.#ask<unknown>("POST", `/lands/gifts/${id}/${answer}`, { key });
  fence = (token: string) => this.#ask<{ rule: FenceRule }>("GET", `/lands/${token}/fence`);
  setFence = (token: string, rule: FenceRule) =>
    this.#ask<unknown>("PUT", `/lands/${token}/fence`, { body: { rule } });
  permissions = (token: string) => this.#ask<Page<Permission>>("GET", `/lands/${token}/permissions`);
  permit = (token: string, subject: string, body: { role: PermissionRole; expires_at?: string }) =>
    this.#ask<unknown>("PUT", `/lands/${token}/permissions/${subject}`, { body });
  unpermit = (token: string, subject: string) =>
    this.#ask<unknown>("DELETE", `/lands/${token}/permissions/${subject}`);
  leases = () => this.#ask<Page<Lease>>("GET", "/leases");
  offerLease = (token: string, body: object, key: string) =>
    this.#ask<Lease>("POST", `/lands/${token}/lease`, { body, key });
  answerLease = (id: string, answer: "accept" | "decline" | "end", key: string) =>
    this.#ask<unknown>("POST", `/leases/${id}/${answer}`, { key });

  // ---- people and programs ----

  groups = () => this.#ask<Page<Group>>("GET", "/groups/mine");
  group = (id: string) => this.#ask<Group>("GET", `/groups/${id}`);
  createGroup = (name: string, key: string) => this.#ask<Group>("POST", "/groups", { body: { name }, key });
  putMember = (id: string, account: string, role: GroupRole) =>
    this.#ask<unknown>("PUT", `/groups/${id}/members/${account}`, { body: { role } });
  removeMember = (id: string, account: string) =>
    this.#ask<unknown>("DELETE", `/groups/${id}/members/${account}`);
  dissolveGroup = (id: string) => this.#ask<unknown>("DELETE", `/groups/${id}`);
  notices = ({ unread, cursor }: { unread: boolean; cursor?: string }) =>
    this.#ask<NoticesPage>("GET", "/notices", { query: { unread: unread || undefined, cursor } });
  markRead = (upTo: string) => this.#ask<unknown>("POST", "/notices/read", { body: { up_to: upTo } });
  webhooks = () => this.#ask<Page<Webhook>>("GET", "/webhooks");
  addWebhook = (body: object, key: string) => this.#ask<WebhookSecret>("POST", "/webhooks", { body, key });
  changeWebhook = (id: string, body: object) => this.#ask<unknown>("PATCH", `/webhooks/${id}`, { body });
  removeWebhook = (id: string) => this.#ask<unknown>("DELETE", `/webhooks/${id}`);
  testWebhook = (id: string) => this.#ask<unknown>("POST", `/webhooks/${id}/test`);
  rotateWebhook = (id: string) => this.#ask<WebhookSecret>("POST", `/webhooks/${id}/rotate`, { body: {} });
  deliveries = (id: string) => this.#ask<Page<Delivery>>("GET", `/webhooks/${id}/deliveries`);
  replayDelivery = (id: string, delivery: string) =>
    this.#ask<unknown>("POST", `/webhooks/${id}/deliveries/${delivery}/replay`);

  events(lastEventId: string | undefined, signal: AbortSignal): Promise<Response> {
    const headers = {
      accept: "text/event-stream",
      ...(lastEventId !== undefined && { "last-event-id": lastEventId }),
    };
    return this.asker.fetch("/api/v1/events", { headers, signal });
  }

  async #ask<T>(method: string, path: string, { query = {}, body, key }: Request = {}): Promise<T> {
    const headers = new Headers();
    if (body !== undefined) headers.set("content-type", "application/json");
    if (key !== undefined) headers.set("idempotency-key", `"${key}"`);
    const response = await this.asker.fetch(pathOf(path, query), {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer: unknown = text === "" ? undefined : JSON.parse(text);
    if (!response.ok) throw problemOf(response, answer);
    return answer as T;
  }
}

function pathOf(path: string, query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value));
  const text = params.toString();
  return `/api/v1${path}${text === "" ? "" : `?${text}`}`;
}
