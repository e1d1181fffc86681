-- Who may enter and use land.

create table fences (
  parcel_id bigint not null,
  -- A parcel without a row is open to everyone but the banned.
  rule text not null,
  constraint fences_pkey primary key (parcel_id),
  constraint fences_parcel_fkey foreign key (parcel_id) references parcels (parcel_id) on delete cascade,
  constraint fences_rule check (rule in ('list', 'nobody'))
);

create table permissions (
  parcel_id bigint not null,
  -- An account or a group.
  subject_id uuid not null,
  role text not null,
  -- Null: until it is taken back.
  expires_at timestamptz,
  granted_by uuid not null,
  since timestamptz not null,
  constraint permissions_pkey primary key (parcel_id, subject_id),
  constraint permissions_parcel_fkey foreign key (parcel_id) references parcels (parcel_id) on delete cascade,
  constraint permissions_role check (role in ('tenant', 'manager', 'builder', 'guest', 'banned'))
);
