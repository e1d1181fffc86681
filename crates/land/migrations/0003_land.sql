-- Who owns which lot. The deed itself is in the books of `wallet`; the two change in one transaction.

create table parcels (
  -- The id of the lot's cell, the same 64 bits. All lots inside a larger cell are one range of it.
  parcel_id bigint not null,
  owner_id uuid not null,
  name text,
  claimed_at timestamptz not null,
  constraint parcels_pkey primary key (parcel_id)
);
create index parcels_by_owner on parcels (owner_id, parcel_id);

-- Every owner a lot ever had, the newest last; rows are only ever added.
create table titles (
  parcel_id bigint not null,
  title_number bigint not null,
  owner_id uuid not null,
  -- What was paid, in smallest units, and the posting that shows it.
  price_minor bigint not null,
  posting_id uuid not null,
  since timestamptz not null,
  constraint titles_pkey primary key (parcel_id, title_number),
  constraint titles_parcel_fkey foreign key (parcel_id) references parcels (parcel_id),
  constraint titles_number_from_one check (title_number >= 1)
);
