/** The calls of `/api/v1` that the market page makes. */
import { type Asker, apiPath, type JsonRequest } from "../net/asking.ts";
import { problemOf } from "../net/rest.ts";
import type { Filters } from "./route.ts";
import type {
  Bid,
  Delivery,
  Fence,
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
  Watch,
  Webhook,
  WebhookSecret,
} from "./shapes.ts";

const PAGES_MAX = 10;
const PAGE_ITEMS = 100;

export class MarketApi {
  constructor(private readonly asker: Asker) {}

  // ---- money ----

  terms = () => this.#ask<Terms>("GET", "/marketplace/terms");
  wallet = (asGroup?: string) => this.#ask<Wallet>("GET", "/wallet", { query: { as_group: asGroup } });
  holds = (asGroup?: string) =>
    this.#ask<Page<Hold>>("GET", "/wallet/holds", { query: { as_group: asGroup } });
  statement = (asset: string, asGroup?: string, cursor?: string) =>
    this.#ask<StatementPage>("GET", "/wallet/statement", {
      query: { asset: asset || undefined, as_group: asGroup, cursor },
    });
  pay = (body: object, key: string) => this.#ask<unknown>("POST", "/wallet/transfers", { body, key });

  async statementCsv(asset: string, asGroup?: string): Promise<Blob> {
    const response = await this.asker.fetch(
      apiPath("/wallet/statement.csv", { asset: asset || undefined, as_group: asGroup }),
    );
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
  offers = (direction: "received" | "made", asGroup?: string) =>
    this.#ask<Page<Offer>>("GET", "/marketplace/offers", { query: { direction, as_group: asGroup } });
  makeOffer = (body: object, key: string) => this.#ask<Offer>("POST", "/marketplace/offers", { body, key });
  answerOffer = (id: string, answer: "accept" | "decline" | "withdraw", key: string) =>
    this.#ask<unknown>("POST", `/marketplace/offers/${id}/${answer}`, { key });
  prices = (token: string) => this.#ask<Prices>("GET", `/marketplace/prices/${token}`);
  watch = () => this.#ask<Page<Watch>>("GET", "/marketplace/watch");
  setWatched = (token: string, isWatched: boolean) =>
    this.#ask<unknown>(isWatched ? "PUT" : "DELETE", `/marketplace/watch/${token}`);
  async mySales(asGroup?: string): Promise<readonly Sale[]> {
    const query = { as_group: asGroup };
    const [auctions, listings] = await Promise.all([
      this.#ask<Page<Sale>>("GET", "/marketplace/auctions/mine", { query }),
      this.#ask<Page<Sale>>("GET", "/marketplace/listings/mine", { query }),
    ]);
    return [...auctions.items, ...listings.items];
  }
  myBids = async (asGroup?: string) =>
    (await this.#ask<Page<Sale>>("GET", "/marketplace/bids/mine", { query: { as_group: asGroup } })).items;

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
  gifts = (role: "received" | "given", asGroup?: string) =>
    this.#ask<Page<Gift>>("GET", "/lands/gifts", { query: { role, as_group: asGroup } });
  answerGift = (id: string, answer: "accept" | "decline" | "cancel", key: string) =>
    this.#ask<unknown>("POST", `/lands/gifts/${id}/${answer}`, { key });
  fence = (token: string) => this.#ask<Fence>("GET", `/lands/${token}/fence`);
  setFence = (token: string, rule: FenceRule) =>
    this.#ask<unknown>("PUT", `/lands/${token}/fence`, { body: { rule } });
  permissions = (token: string) => this.#ask<Page<Permission>>("GET", `/lands/${token}/permissions`);
  permit = (token: string, subject: string, body: { role: PermissionRole; expires_at?: string }) =>
    this.#ask<unknown>("PUT", `/lands/${token}/permissions/${subject}`, { body });
  unpermit = (token: string, subject: string) =>
    this.#ask<unknown>("DELETE", `/lands/${token}/permissions/${subject}`);
  /** As tenant and as landlord. */
  async leases(asGroup?: string): Promise<readonly Lease[]> {
    const ask = (role: "tenant" | "landlord") =>
      this.#ask<Page<Lease>>("GET", "/leases", { query: { role, as_group: asGroup } });
    const [rented, let_] = await Promise.all([ask("tenant"), ask("landlord")]);
    return [...rented.items, ...let_.items];
  }
  offerLease = (token: string, body: object, key: string) =>
    this.#ask<Lease>("POST", `/lands/${token}/lease`, { body, key });
  answerLease = (id: string, answer: "accept" | "decline" | "end", key: string) =>
    this.#ask<unknown>("POST", `/leases/${id}/${answer}`, {
      ...(answer === "end" && { body: { at_once: false } }),
      key,
    });

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

  #ask<T>(method: string, path: string, request?: JsonRequest): Promise<T> {
    return this.asker.json(method, path, request);
  }
}
