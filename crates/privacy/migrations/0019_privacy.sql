-- A key for each person, what they asked to have or to have forgotten, and what came of it.

-- What is sealed with a person's key can be read by nobody once the key is gone.
create table person_keys (
  account_id uuid not null,
  -- The key, encrypted under a master key, which is not in the database. Null: destroyed, for ever.
  wrapped bytea,
  -- Which master key.
  master_key_id text not null,
  created_at timestamptz not null,
  destroyed_at timestamptz,
  constraint person_keys_pkey primary key (account_id),
  constraint person_keys_destroyed check ((wrapped is null) = (destroyed_at is not null))
);
create index person_keys_by_master_key on person_keys (master_key_id, account_id) where wrapped is not null;

-- Keys of the vault itself, wrapped likewise: the one of blind indexes.
create table vault_secrets (
  secret_name text not null,
  wrapped bytea not null,
  master_key_id text not null,
  constraint vault_secrets_pkey primary key (secret_name)
);

-- Archives of a person's data. The file is beside the database, encrypted.
create table exports (
  export_id uuid not null,
  account_id uuid not null,
  -- pending, then ready or failed, then expired.
  state text not null,
  requested_by uuid not null,
  requested_at timestamptz not null,
  finished_at timestamptz,
  -- When the file is deleted.
  expires_at timestamptz,
  bytes bigint,
  -- The key of the file, sealed with the person's key.
  file_key bytea,
  -- A code, for the person.
  fault text,
  attempt_count bigint not null,
  -- Until when whoever makes it is believed to.
  leased_until timestamptz not null,
  constraint exports_pkey primary key (export_id),
  constraint exports_state check (state in ('pending', 'ready', 'failed', 'expired'))
);
create index exports_by_account on exports (account_id, export_id);
create index exports_pending on exports (leased_until) where state = 'pending';
create index exports_ending on exports (expires_at) where state = 'ready';

-- Who asked to be forgotten. Holds ids and times only, so that it may stay for ever: it is the record that it was done,
-- and what is done again after an old backup was restored.
create table erasures (
  erasure_id uuid not null,
  account_id uuid not null,
  -- cooling_off, then cancelled; or erasing, settling while something still runs, then done.
  state text not null,
  requested_by uuid not null,
  requested_at timestamptz not null,
  due_at timestamptz not null,
  -- When there is something to do; null when there will be nothing any more.
  acts_at timestamptz,
  cancelled_at timestamptz,
  finished_at timestamptz,
  -- What is waited for: a code.
  waits_for text,
  attempt_count bigint not null,
  constraint erasures_pkey primary key (erasure_id),
  constraint erasures_state check (state in ('cooling_off', 'cancelled', 'erasing', 'settling', 'done'))
);
create unique index erasures_open on erasures (account_id) where state in ('cooling_off', 'erasing', 'settling');
create index erasures_by_account on erasures (account_id, erasure_id);
create index erasures_acting on erasures (acts_at) where acts_at is not null;

-- What of an erasure was done, the newest pass over each step.
create table erasure_steps (
  erasure_id uuid not null,
  step text not null,
  done_at timestamptz not null,
  constraint erasure_steps_pkey primary key (erasure_id, step),
  constraint erasure_steps_erasure_fkey foreign key (erasure_id) references erasures (erasure_id)
);
