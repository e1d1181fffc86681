-- Parcels become sets of lots. The id of a parcel is its anchor, one of its cells; what was one lot before is a parcel
-- of one cell, so that every id, deed and title stays what it was.

create table parcel_cells (
  -- A lot belongs to one parcel at most. All lots inside a larger cell are one range of this key.
  cell bigint not null,
  parcel_id bigint not null,
  constraint parcel_cells_pkey primary key (cell),
  constraint parcel_cells_parcel_fkey foreign key (parcel_id) references parcels (parcel_id)
);
create index parcel_cells_by_parcel on parcel_cells (parcel_id, cell);
insert into parcel_cells (cell, parcel_id) select parcel_id, parcel_id from parcels;

alter table parcels add column description text;
alter table parcels add column cell_count bigint not null default 1;
-- What the planet says of it. SQL cannot ask the planet: where area_m2 is null the next start does.
alter table parcels add column area_m2 double precision;
alter table parcels add column center bigint;
alter table parcels add column biome text;
alter table parcels add column front bigint;
-- Who has let it out keeps its shape until the lease ends.
alter table parcels add column lease_id uuid;
create index parcels_unsurveyed on parcels (parcel_id) where area_m2 is null;

-- What is about to happen to a parcel: at most one thing.
create table encumbrances (
  parcel_id bigint not null,
  kind text not null,
  reference_id uuid not null,
  -- What a map says of it; the truth is with whoever made it.
  price_minor bigint,
  currency text,
  ends_at timestamptz,
  constraint encumbrances_pkey primary key (parcel_id),
  constraint encumbrances_parcel_fkey foreign key (parcel_id) references parcels (parcel_id)
);

-- Titles outlive their parcel: it may be merged into another or abandoned. So the table no longer refers to parcels,
-- and an owner may be nobody.
create table titles_before (
  parcel_id bigint not null,
  title_number bigint not null,
  owner_id uuid not null,
  price_minor bigint not null,
  posting_id uuid not null,
  since timestamptz not null
);
insert into titles_before select parcel_id, title_number, owner_id, price_minor, posting_id, since from titles;
drop table titles;
create table titles (
  parcel_id bigint not null,
  title_number bigint not null,
  kind text not null,
  -- Whose it is from then on; nobody's after it was merged into another parcel, abandoned or reclaimed.
  owner_id uuid,
  -- Whose it was until then.
  from_id uuid,
  -- What was paid, in smallest units of the currency, and the posting that shows it.
  price_minor bigint not null,
  currency text not null,
  posting_id uuid not null,
  -- The parcel it was merged into or split from.
  other_parcel_id bigint,
  since timestamptz not null,
  constraint titles_pkey primary key (parcel_id, title_number),
  constraint titles_number_from_one check (title_number >= 1)
);
insert into titles (parcel_id, title_number, kind, owner_id, from_id, price_minor, currency, posting_id, other_parcel_id, since)
  select parcel_id, title_number, 'claim', owner_id, null, price_minor, 'coin', posting_id, null, since
  from titles_before;
drop table titles_before;

create table gifts (
  gift_id uuid not null,
  parcel_id bigint not null,
  from_id uuid not null,
  to_id uuid not null,
  -- offered, then one of accepted, declined, cancelled, expired.
  state text not null,
  offered_at timestamptz not null,
  expires_at timestamptz not null,
  decided_at timestamptz,
  constraint gifts_pkey primary key (gift_id)
);
create index gifts_by_receiver on gifts (to_id, gift_id);
create index gifts_by_giver on gifts (from_id, gift_id);
create index gifts_open on gifts (expires_at) where state = 'offered';
