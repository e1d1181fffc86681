-- Land let to somebody: rent in advance for each period, a deposit held in the tenant's wallet.
create table leases (
  lease_id uuid not null,
  parcel_id bigint not null,
  -- Who offered it; from then on whoever owns the parcel, as far as we have heard. Rent goes to the owner of the moment.
  landlord_id uuid not null,
  tenant_id uuid not null,
  currency text not null,
  rent_minor bigint not null,
  -- Held under the lease's own id.
  deposit_minor bigint not null,
  period_us bigint not null,
  -- How many there are, and how many are paid or over.
  period_count bigint not null,
  periods_paid bigint not null,
  -- offered, active, then one of declined, withdrawn, expired, ended, defaulted.
  state text not null,
  end_reason text,
  offered_at timestamptz not null,
  expires_at timestamptz not null,
  started_at timestamptz,
  -- When the next period begins.
  due_at timestamptz,
  -- What is done next: remind, collect, or collect again while there is grace.
  step text not null,
  grace_until timestamptz,
  ended_at timestamptz,
  -- When there is something to do; null when there will be nothing any more.
  acts_at timestamptz,
  constraint leases_pkey primary key (lease_id),
  constraint leases_amounts check (rent_minor > 0 and deposit_minor >= 0),
  constraint leases_periods check (period_us > 0 and period_count > 0 and periods_paid >= 0)
);
create index leases_due on leases (acts_at) where acts_at is not null;
create index leases_by_landlord on leases (landlord_id, lease_id);
create index leases_by_tenant on leases (tenant_id, lease_id);
create index leases_by_parcel on leases (parcel_id);

-- Rounds over all parcels: one for each period of upkeep, one for each day of looking for abandoned land.
create table tenure_rounds (
  kind text not null,
  round_number bigint not null,
  -- The last parcel that was looked at; null before the first.
  after_parcel bigint,
  is_done boolean not null,
  constraint tenure_rounds_pkey primary key (kind, round_number)
);

-- Upkeep that its owner could not pay, by parcel; gone with the next payment.
create table upkeep_debts (
  parcel_id bigint not null primary key,
  owner_id uuid not null,
  missed_count bigint not null,
  since timestamptz not null
);

-- Owners who have been told that their land will go back.
create table reclaim_notices (
  parcel_id bigint not null primary key,
  owner_id uuid not null,
  reason text not null,
  noticed_at timestamptz not null,
  due_at timestamptz not null
);
