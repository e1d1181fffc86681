/** What the interface answers about land, markets and money, as it stands in its document. */

export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}
export interface Owner {
  account_id: string;
  kind: "account" | "group";
  display_name: string;
}
export interface Place {
  lat_deg: number;
  lng_deg: number;
}
export interface Balance {
  asset: string;
  code: string;
  amount_minor: number;
  held_minor: number;
  available_minor: number;
  scale: number;
}
export interface Wallet {
  balances: Balance[];
}
export interface StatementEntry {
  posting_id: string;
  kind: string;
  reference: string;
  posted_at: string;
  amount_minor: number;
  balance_minor: number;
}
export type StatementPage = Page<StatementEntry>;
export interface Hold {
  hold_id: string;
  kind: string;
  currency: string;
  amount_minor: number;
  reference: string;
  expires_at?: string | null;
}
export interface Terms {
  currencies: {
    code: string;
    name: string;
    scale: number;
    increments: { from_minor: number; step_minor: number }[];
  }[];
  fee_bps: number;
  tax_bps: number;
  soft_close_s: number;
  auction_duration_min_s: number;
  auction_duration_max_s: number;
  auction_duration_default_s: number;
  listing_days_max: number;
  offer_days_max: number;
}
export interface ParcelMarket {
  kind: string;
  id: string;
  price_minor?: number | null;
  currency?: string | null;
  ends_at?: string | null;
}
export interface Parcel {
  token: string;
  status: "free" | "taken" | "unclaimable";
  reason?: string | null;
  owner?: Owner | null;
  name?: string | null;
  description?: string | null;
  area_m2: number;
  price_minor: number;
  center: Place;
  cell_count: number;
  cells: string[];
  biome?: string | null;
  front: string[];
  market?: ParcelMarket | null;
  is_leased: boolean;
  claimed_at?: string | null;
  fence?: FenceRule | null;
  role?: string | null;
}
export interface SaleParcel {
  token: string;
  name?: string | null;
  area_m2: number;
  cell_count: number;
  cells: string[];
  center: Place;
  biome: string;
  front: string[];
}
export interface Sale {
  id: string;
  kind: string;
  state: string;
  parcel: SaleParcel;
  seller: Owner;
  currency: string;
  price_minor: number;
  minor_per_m2: number;
  is_yours: boolean;
  created_at: string;
  ends_at: string;
  closed_at?: string | null;
  buyer?: Owner | null;
  start_minor?: number | null;
  minimum_bid_minor?: number | null;
  bid_count?: number | null;
  extension_count?: number | null;
  soft_close_s?: number | null;
  latest_end_at?: string | null;
  is_reserve_met?: boolean | null;
  is_leading?: boolean | null;
  your_max_minor?: number | null;
  floor_minor?: number | null;
  step_minor?: number | null;
  step_s?: number | null;
  falls_at?: string | null;
  server_time: string;
}
export type SearchPage = Page<Sale>;
export interface Bid {
  bid_number: number;
  bidder: string;
  is_yours: boolean;
  price_minor: number;
  max_minor?: number | null;
  at: string;
}
export interface Offer {
  offer_id: string;
  state: string;
  token: string;
  parcel?: SaleParcel | null;
  owner: Owner;
  buyer: Owner;
  currency: string;
  price_minor: number;
  message?: string | null;
  created_at: string;
  expires_at: string;
}
export interface Comparable {
  parcel: string;
  area_m2: number;
  price_minor: number;
  currency: string;
  sold_at: string;
}
export interface Prices {
  sales: { kind: string; price_minor: number; currency: string; sold_at: string }[];
  hint?: {
    price_minor: number;
    low_minor?: number | null;
    high_minor?: number | null;
    currency: string;
    comparables: Comparable[];
  } | null;
}
export interface Title {
  title_id: string;
  kind: string;
  from?: Owner | null;
  to?: Owner | null;
  price_minor?: number | null;
  currency?: string | null;
  at: string;
}
export type TitlesPage = Page<Title>;
export type FenceRule = "everyone" | "list" | "nobody";
export type PermissionRole = "manager" | "builder" | "guest" | "banned";
export interface Permission {
  subject: Owner;
  role: PermissionRole;
  expires_at?: string | null;
}
export interface Gift {
  gift_id: string;
  state: string;
  token: string;
  parcel?: SaleParcel | null;
  from: Owner;
  to: Owner;
  created_at: string;
}
export interface Lease {
  lease_id: string;
  state: string;
  token: string;
  landlord: Owner;
  tenant: Owner;
  currency: string;
  rent_minor: number;
  deposit_minor: number;
  period_s: number;
  periods: number;
  periods_paid?: number;
  next_due_at?: string | null;
  ends_at?: string | null;
  created_at: string;
}
export interface Notice {
  notice_id: string;
  kind: string;
  at: string;
  is_read: boolean;
  data: unknown;
}
export interface NoticesPage extends Page<Notice> {
  unread_count: number;
}
export type GroupRole = "owner" | "officer" | "member";
export interface GroupMember {
  account_id: string;
  display_name: string;
  role: GroupRole;
  is_invited: boolean;
  since: string;
}
export interface Group {
  group_id: string;
  name: string;
  member_count: number;
  created_at: string;
  is_dissolved: boolean;
  role?: GroupRole | null;
  is_invited: boolean;
  members?: GroupMember[] | null;
}
export interface Webhook {
  webhook_id: string;
  url: string;
  kinds: string[];
  description?: string | null;
  is_enabled: boolean;
  created_at: string;
}
export interface WebhookSecret {
  webhook: Webhook;
  secret: string;
}
export interface Delivery {
  delivery_id: string;
  kind: string;
  state: string;
  attempt_count: number;
  last_status?: number | null;
  created_at: string;
}
