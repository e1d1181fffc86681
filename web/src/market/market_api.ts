/** The calls of `/api/v1` that the market page makes. */
import type { components } from "../gen/openapi.ts";
import { clientAs, dataOf, keyed, some, type TokenSource } from "../net/asking.ts";
import type { Filters } from "./route.ts";
import type { FenceRule, GroupRole, Lease, Parcel, Sale } from "./shapes.ts";

type Schemas = components["schemas"];

const PAGES_MAX = 10;
const PAGE_ITEMS = 100;

export class MarketApi {
  readonly #client: ReturnType<typeof clientAs>;

  constructor(tokens: TokenSource) {
    this.#client = clientAs(tokens);
  }

  // ---- money ----

  settings = () => dataOf(this.#client.GET("/api/v1/users/me/settings"));
  terms = () => dataOf(this.#client.GET("/api/v1/marketplace/terms"));
  wallet = (asGroup?: string) =>
    dataOf(this.#client.GET("/api/v1/wallet", { params: { query: some({ as_group: asGroup }) } }));
  holds = (asGroup?: string) =>
    dataOf(this.#client.GET("/api/v1/wallet/holds", { params: { query: some({ as_group: asGroup }) } }));
  statement(asset: string, asGroup?: string, cursor?: string) {
    const query = some({ asset: asset || undefined, as_group: asGroup, cursor });
    return dataOf(this.#client.GET("/api/v1/wallet/statement", { params: { query } }));
  }
  pay = (body: Schemas["TransferRequest"], key: string) =>
    dataOf(this.#client.POST("/api/v1/wallet/transfers", { params: { header: keyed(key) }, body }));
  statementCsv(asset: string, asGroup?: string): Promise<Blob> {
    const params = { query: some({ asset: asset || undefined, as_group: asGroup }) };
    return dataOf(this.#client.GET("/api/v1/wallet/statement.csv", { params, parseAs: "blob" }));
  }

  // ---- the market ----

  search(filters: Filters, cursor?: string) {
    const { near_name: _, ...narrowed } = filters;
    const query = { ...narrowed, ...some({ cursor }) };
    return dataOf(this.#client.GET("/api/v1/marketplace/search", { params: { query } }));
  }
  listing = (id: string) =>
    dataOf(this.#client.GET("/api/v1/marketplace/listings/{id}", { params: { path: { id } } }));
  list = (body: Schemas["ListingRequest"], key: string) =>
    dataOf(this.#client.POST("/api/v1/marketplace/listings", { params: { header: keyed(key) }, body }));
  changeListing = (id: string, body: Schemas["PriceRequest"], key: string) =>
    dataOf(this.#client.PATCH("/api/v1/marketplace/listings/{id}", { params: sure(id, key), body }));
  cancelListing = (id: string, key: string) =>
    dataOf(this.#client.DELETE("/api/v1/marketplace/listings/{id}", { params: sure(id, key) }));
  buy = (id: string, body: Schemas["PurchaseRequest"], key: string) =>
    dataOf(this.#client.POST("/api/v1/marketplace/listings/{id}/purchase", { params: sure(id, key), body }));
  auction = (id: string) =>
    dataOf(this.#client.GET("/api/v1/marketplace/auctions/{id}", { params: { path: { id } } }));
  openAuction = (body: Schemas["AuctionRequest"], key: string) =>
    dataOf(this.#client.POST("/api/v1/marketplace/auctions", { params: { header: keyed(key) }, body }));
  bids = (id: string) =>
    dataOf(this.#client.GET("/api/v1/marketplace/auctions/{id}/bids", { params: { path: { id } } }));
  bid = (id: string, body: Schemas["BidRequest"], key: string) =>
    dataOf(this.#client.POST("/api/v1/marketplace/auctions/{id}/bids", { params: sure(id, key), body }));
  cancelAuction = (id: string, key: string) =>
    dataOf(this.#client.POST("/api/v1/marketplace/auctions/{id}/cancel", { params: sure(id, key) }));
  acceptAuction = (id: string, body: Schemas["PurchaseRequest"], key: string) =>
    dataOf(this.#client.POST("/api/v1/marketplace/auctions/{id}/accept", { params: sure(id, key), body }));
  offers(direction: "received" | "made", asGroup?: string) {
    const query = { direction, ...some({ as_group: asGroup }) };
    return dataOf(this.#client.GET("/api/v1/marketplace/offers", { params: { query } }));
  }
  makeOffer = (body: Schemas["OfferRequest"], key: string) =>
    dataOf(this.#client.POST("/api/v1/marketplace/offers", { params: { header: keyed(key) }, body }));
  answerOffer = (id: string, answer: "accept" | "decline" | "withdraw", key: string) =>
    dataOf<unknown>(
      this.#client.POST(`/api/v1/marketplace/offers/{id}/${answer}`, { params: sure(id, key) }),
    );
  prices = (token: string) =>
    dataOf(this.#client.GET("/api/v1/marketplace/prices/{token}", { params: { path: { token } } }));
  watch = () => dataOf(this.#client.GET("/api/v1/marketplace/watch"));
  setWatched(token: string, isWatched: boolean) {
    const params = { path: { token } };
    return dataOf<unknown>(
      isWatched
        ? this.#client.PUT("/api/v1/marketplace/watch/{token}", { params })
        : this.#client.DELETE("/api/v1/marketplace/watch/{token}", { params }),
    );
  }
  async mySales(asGroup?: string): Promise<readonly Sale[]> {
    const params = { query: some({ as_group: asGroup }) };
    const [auctions, listings] = await Promise.all([
      dataOf(this.#client.GET("/api/v1/marketplace/auctions/mine", { params })),
      dataOf(this.#client.GET("/api/v1/marketplace/listings/mine", { params })),
    ]);
    return [...auctions.items, ...listings.items];
  }
  async myBids(asGroup?: string): Promise<readonly Sale[]> {
    const params = { query: some({ as_group: asGroup }) };
    return (await dataOf(this.#client.GET("/api/v1/marketplace/bids/mine", { params }))).items;
  }

  // ---- land ----

  parcel = (token: string) => dataOf(this.#client.GET("/api/v1/lands/{token}", { params: land(token) }));
  /** All land of somebody, up to a thousand parcels. */
  async landOf(owner: string): Promise<readonly Parcel[]> {
    const parcels: Parcel[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const query = { owner, limit: PAGE_ITEMS, ...some({ cursor }) };
      const answer = await dataOf(this.#client.GET("/api/v1/lands", { params: { query } }));
      parcels.push(...answer.items);
      cursor = answer.next_cursor ?? undefined;
      if (cursor === undefined) break;
    }
    return parcels;
  }
  describe = (token: string, body: Schemas["DescribeRequest"]) =>
    dataOf(this.#client.PATCH("/api/v1/lands/{token}", { params: land(token), body }));
  titles(token: string, cursor?: string) {
    const params = { ...land(token), query: some({ cursor }) };
    return dataOf(this.#client.GET("/api/v1/lands/{token}/titles", { params }));
  }
  merge = (token: string, body: Schemas["MergeRequest"], key: string) =>
    dataOf(this.#client.POST("/api/v1/lands/{token}/merge", { params: sureOf(token, key), body }));
  split = (token: string, body: Schemas["SplitRequest"], key: string) =>
    dataOf(this.#client.POST("/api/v1/lands/{token}/split", { params: sureOf(token, key), body }));
  abandon = (token: string, key: string) =>
    dataOf(this.#client.POST("/api/v1/lands/{token}/abandon", { params: sureOf(token, key) }));
  give = (token: string, body: Schemas["GiftRequest"], key: string) =>
    dataOf(this.#client.POST("/api/v1/lands/{token}/gift", { params: sureOf(token, key), body }));
  gifts(role: "received" | "given", asGroup?: string) {
    const query = { role, ...some({ as_group: asGroup }) };
    return dataOf(this.#client.GET("/api/v1/lands/gifts", { params: { query } }));
  }
  answerGift = (id: string, answer: "accept" | "decline" | "cancel", key: string) =>
    dataOf(this.#client.POST(`/api/v1/lands/gifts/{id}/${answer}`, { params: sure(id, key) }));
  fence = (token: string) => dataOf(this.#client.GET("/api/v1/lands/{token}/fence", { params: land(token) }));
  setFence = (token: string, rule: FenceRule) =>
    dataOf(this.#client.PUT("/api/v1/lands/{token}/fence", { params: land(token), body: { rule } }));
  permissions = (token: string) =>
    dataOf(this.#client.GET("/api/v1/lands/{token}/permissions", { params: land(token) }));
  permit(token: string, subject: string, body: Schemas["PermissionRequest"]) {
    const params = { path: { token, subject_id: subject } };
    return dataOf(this.#client.PUT("/api/v1/lands/{token}/permissions/{subject_id}", { params, body }));
  }
  unpermit(token: string, subject: string) {
    const params = { path: { token, subject_id: subject } };
    return dataOf(this.#client.DELETE("/api/v1/lands/{token}/permissions/{subject_id}", { params }));
  }
  /** As tenant and as landlord. */
  async leases(asGroup?: string): Promise<readonly Lease[]> {
    const ask = (role: "tenant" | "landlord") => {
      const query = { role, ...some({ as_group: asGroup }) };
      return dataOf(this.#client.GET("/api/v1/leases", { params: { query } }));
    };
    const [rented, let_] = await Promise.all([ask("tenant"), ask("landlord")]);
    return [...rented.items, ...let_.items];
  }
  offerLease = (token: string, body: Schemas["LeaseRequest"], key: string) =>
    dataOf(this.#client.POST("/api/v1/lands/{token}/lease", { params: sureOf(token, key), body }));
  answerLease(id: string, answer: "accept" | "decline" | "end", key: string) {
    const params = sure(id, key);
    return dataOf(
      answer === "end"
        ? this.#client.POST("/api/v1/leases/{id}/end", { params, body: { at_once: false } })
        : this.#client.POST(`/api/v1/leases/{id}/${answer}`, { params }),
    );
  }

  // ---- people and programs ----

  groups = () => dataOf(this.#client.GET("/api/v1/groups/mine"));
  group = (id: string) =>
    dataOf(this.#client.GET("/api/v1/groups/{group_id}", { params: { path: { group_id: id } } }));
  createGroup = (name: string, key: string) =>
    dataOf(this.#client.POST("/api/v1/groups", { params: { header: keyed(key) }, body: { name } }));
  putMember(id: string, account: string, role: GroupRole) {
    const params = { path: { group_id: id, account_id: account } };
    const body = { role };
    return dataOf(this.#client.PUT("/api/v1/groups/{group_id}/members/{account_id}", { params, body }));
  }
  removeMember(id: string, account: string) {
    const params = { path: { group_id: id, account_id: account } };
    return dataOf(this.#client.DELETE("/api/v1/groups/{group_id}/members/{account_id}", { params }));
  }
  dissolveGroup = (id: string) =>
    dataOf(this.#client.DELETE("/api/v1/groups/{group_id}", { params: { path: { group_id: id } } }));
  notices({ unread, cursor }: { unread: boolean; cursor?: string }) {
    const query = some({ unread: unread || undefined, cursor });
    return dataOf(this.#client.GET("/api/v1/notices", { params: { query } }));
  }
  markRead = (upTo: string) => dataOf(this.#client.POST("/api/v1/notices/read", { body: { up_to: upTo } }));
  webhooks = () => dataOf(this.#client.GET("/api/v1/webhooks"));
  addWebhook = (body: Schemas["WebhookRequest"], key: string) =>
    dataOf(this.#client.POST("/api/v1/webhooks", { params: { header: keyed(key) }, body }));
  changeWebhook = (id: string, body: Schemas["WebhookChange"]) =>
    dataOf(this.#client.PATCH("/api/v1/webhooks/{webhook_id}", { params: hook(id), body }));
  removeWebhook = (id: string) =>
    dataOf(this.#client.DELETE("/api/v1/webhooks/{webhook_id}", { params: hook(id) }));
  testWebhook = (id: string) =>
    dataOf(this.#client.POST("/api/v1/webhooks/{webhook_id}/test", { params: hook(id) }));
  rotateWebhook(id: string, key: string) {
    const params = { ...hook(id), header: keyed(key) };
    return dataOf(this.#client.POST("/api/v1/webhooks/{webhook_id}/rotate", { params, body: {} }));
  }
  deliveries = (id: string) =>
    dataOf(this.#client.GET("/api/v1/webhooks/{webhook_id}/deliveries", { params: hook(id) }));
  replayDelivery(id: string, delivery: string) {
    const params = { path: { webhook_id: id, delivery_id: delivery } };
    return dataOf(
      this.#client.POST("/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", { params }),
    );
  }

  async events(lastEventId: string | undefined, signal: AbortSignal): Promise<Response> {
    const params = { header: some({ "Last-Event-ID": lastEventId }) };
    const asked = this.#client.GET("/api/v1/events", { params, parseAs: "stream", signal });
    return (await asked).response;
  }
}

const land = (token: string) => ({ path: { token } });
const hook = (id: string) => ({ path: { webhook_id: id } });
const sure = (id: string, key: string) => ({ path: { id }, header: keyed(key) });
const sureOf = (token: string, key: string) => ({ path: { token }, header: keyed(key) });
