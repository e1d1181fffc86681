-- Land for sale, and what was sold. A row is written once and closed once; sold rows are the history of prices.

create table sales (
  sale_id uuid not null,
  -- fixed, english, dutch, sealed; offer for a sale by an accepted offer, which is never open.
  kind text not null,
  -- open, then one of sold, unsold, cancelled, expired.
  state text not null,
  parcel_id bigint not null,
  seller_id uuid not null,
  seller_is_group boolean not null,
  -- Who put it up, for the seller.
  opened_by uuid not null,
  currency text not null,
  -- What it costs now, as everybody sees it; once sold, what was paid.
  price_minor bigint not null,
  minor_per_m2 double precision not null,
  opened_at timestamptz not null,
  ends_at timestamptz not null,
  closed_at timestamptz,
  buyer_id uuid,
  posting_id uuid,
  -- The land as it was put up: while it is for sale it cannot change, and later it may be merged or split.
  cell_count bigint not null,
  area_m2 double precision not null,
  biome text not null,
  -- 1 river, 2 coast, 4 lake.
  front bigint not null,
  -- The leaf at its middle, and that as a point of the unit sphere: distances are chords.
  center bigint not null,
  center_x double precision not null,
  center_y double precision not null,
  center_z double precision not null,
  constraint sales_pkey primary key (sale_id),
  constraint sales_price_in_range check (price_minor between 1 and 9007199254740991),
  constraint sales_closed_once check ((state = 'open') = (closed_at is null)),
  constraint sales_sold_to_somebody check
    ((state = 'sold') = (buyer_id is not null) and (state = 'sold') = (posting_id is not null)),
  constraint sales_not_to_the_seller check (buyer_id is null or buyer_id <> seller_id)
);
-- The net below the encumbrance: a listing and an auction never coexist.
create unique index sales_open_by_parcel on sales (parcel_id) where state = 'open';
create index sales_open_by_end on sales (ends_at, sale_id) where state = 'open';
create index sales_open_by_price on sales (price_minor, sale_id) where state = 'open';
create index sales_open_by_rate on sales (minor_per_m2, sale_id) where state = 'open';
create index sales_open_by_area on sales (area_m2, sale_id) where state = 'open';
create index sales_open_by_age on sales (opened_at, sale_id) where state = 'open';
create index sales_open_by_center on sales (center) where state = 'open';
-- Prices that were paid: of a parcel, and of all in a range of cells.
create index sales_sold_by_parcel on sales (parcel_id, closed_at) where state = 'sold';
create index sales_sold_by_center on sales (center, closed_at) where state = 'sold';
create index sales_by_seller on sales (seller_id, sale_id);

-- What an auction has beside its sale.
create table auctions (
  auction_id uuid not null,
  start_minor bigint not null,
  -- Secret.
  reserve_minor bigint,
  -- The end as first published, and the latest to which bids can move it.
  first_ends_at timestamptz not null,
  latest_end_at timestamptz,
  soft_close_us bigint not null,
  extension_count bigint not null,
  bid_count bigint not null,
  bidder_count bigint not null,
  -- English: who is ahead; the maximum is secret.
  leader_id uuid,
  leader_max_minor bigint,
  -- Dutch: how the price falls, and when it falls next.
  floor_minor bigint,
  step_minor bigint,
  step_us bigint,
  falls_at timestamptz,
  -- When bidders and watchers are told that it is about to end; null once they were.
  notice_at timestamptz,
  constraint auctions_pkey primary key (auction_id),
  constraint auctions_sale_fkey foreign key (auction_id) references sales (sale_id),
  constraint auctions_leader_is_whole check ((leader_id is null) = (leader_max_minor is null))
);
create index auctions_falling on auctions (falls_at, auction_id) where falls_at is not null;
create index auctions_ending on auctions (notice_at, auction_id) where notice_at is not null;

-- Everybody who has bid in an auction, with what they are bound to.
create table bidders (
  auction_id uuid not null,
  -- An account or a group.
  bidder_id uuid not null,
  bidder_is_group boolean not null,
  -- Their name in public: bidder 1, 2, 3 in the order of their first bids.
  bidder_number bigint not null,
  -- Their highest maximum and the bid that named it; secret.
  max_minor bigint not null,
  bid_number bigint not null,
  -- The money held for it; null once released or paid.
  hold_id uuid,
  constraint bidders_pkey primary key (auction_id, bidder_id),
  constraint bidders_auction_fkey foreign key (auction_id) references auctions (auction_id)
);
create index bidders_by_bidder on bidders (bidder_id, auction_id);

-- Every bid that was taken, in the order in which they were.
create table bids (
  auction_id uuid not null,
  bid_number bigint not null,
  bidder_id uuid not null,
  placed_by uuid not null,
  placed_at timestamptz not null,
  -- Secret.
  max_minor bigint not null,
  -- What everybody saw afterwards.
  price_minor bigint not null,
  constraint bids_pkey primary key (auction_id, bid_number),
  constraint bids_auction_fkey foreign key (auction_id) references auctions (auction_id)
);

-- Offers for land, whether it is for sale or not.
create table offers (
  offer_id uuid not null,
  -- open, then one of accepted, declined, withdrawn, expired, lapsed.
  state text not null,
  parcel_id bigint not null,
  -- Whose it was, and how large: an offer is for that.
  owner_id uuid not null,
  cell_count bigint not null,
  buyer_id uuid not null,
  buyer_is_group boolean not null,
  placed_by uuid not null,
  currency text not null,
  price_minor bigint not null,
  message text,
  hold_id uuid not null,
  made_at timestamptz not null,
  expires_at timestamptz not null,
  decided_at timestamptz,
  constraint offers_pkey primary key (offer_id),
  constraint offers_decided_once check ((state = 'open') = (decided_at is null)),
  constraint offers_not_to_oneself check (buyer_id <> owner_id)
);
create unique index offers_open_of_buyer on offers (parcel_id, buyer_id) where state = 'open';
create index offers_open_by_end on offers (expires_at, offer_id) where state = 'open';
create index offers_by_buyer on offers (buyer_id, offer_id);
create index offers_by_owner on offers (owner_id, offer_id);

-- Who wants to hear of which parcel.
create table watches (
  account_id uuid not null,
  parcel_id bigint not null,
  since timestamptz not null,
  constraint watches_pkey primary key (account_id, parcel_id)
);
create index watches_by_parcel on watches (parcel_id, account_id);
