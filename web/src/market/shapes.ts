/** What the interface answers about land, markets and money: the names of its document, as the pages use them. */
import type { components } from "../gen/openapi.ts";

type Schemas = components["schemas"];

export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor?: string | null;
}

export type Owner = Schemas["OwnerView"];
export type Balance = Schemas["BalanceView"];
export type Wallet = Schemas["WalletView"];
export type StatementPage = Page<Schemas["StatementLine"]>;
export type Hold = Schemas["HoldView"];
export type Terms = Schemas["TermsView"];
export type Parcel = Schemas["LotView"];
export type SaleParcel = Schemas["SaleParcelView"];
export type Sale = Schemas["SaleView"];
export type SearchPage = Page<Sale>;
export type Bid = Schemas["BidView"];
export type Offer = Schemas["OfferView"];
export type Watch = Schemas["WatchView"];
export type Prices = Schemas["PricesView"];
export type TitlesPage = Page<Schemas["TitleView"]>;
export type FenceRule = Schemas["FenceRule"];
export type Fence = Schemas["FenceView"];
export type PermissionRole = Schemas["GivenRole"];
export type Permission = Schemas["PermissionView"];
export type Gift = Schemas["GiftView"];
export type Lease = Schemas["LeaseView"];
export type NoticesPage = Schemas["NoticesView"];
export type Group = Schemas["GroupView"];
export type GroupRole = NonNullable<Group["role"]>;
export type Webhook = Schemas["WebhookView"];
export type WebhookSecret = Schemas["WebhookWithSecret"];
export type Delivery = Schemas["DeliveryView"];
