-- Who did what: decisions by staff, and every change of price, role or ownership.

-- What was recorded and waits for its place in the log, a moment each.
create table audit_waiting (
  audit_entry_id uuid not null,
  at timestamptz not null,
  -- account, operator or system; the account if it was one.
  actor text not null,
  actor_account_id uuid,
  action text not null,
  subject_kind text not null,
  subject_id text not null,
  details text not null,
  reason_commitment bytea,
  constraint audit_waiting_pkey primary key (audit_entry_id)
);
refuse update on audit_waiting;

-- The log. Each hash covers the entry and the hash before it.
create table audit_entries (
  sequence bigint not null,
  audit_entry_id uuid not null,
  at timestamptz not null,
  actor text not null,
  actor_account_id uuid,
  action text not null,
  subject_kind text not null,
  subject_id text not null,
  details text not null,
  reason_commitment bytea,
  hash bytea not null,
  constraint audit_entries_pkey primary key (sequence),
  -- Ids sort by time: this is also how entries of a time are found.
  constraint audit_entries_id_key unique (audit_entry_id),
  constraint audit_entries_from_one check (sequence > 0),
  constraint audit_entries_actor check (actor in ('account', 'operator', 'system')),
  constraint audit_entries_account check ((actor = 'account') = (actor_account_id is not null))
);
create index audit_entries_by_actor on audit_entries (actor_account_id, audit_entry_id)
  where actor_account_id is not null;
create index audit_entries_by_subject on audit_entries (subject_id, audit_entry_id);
create index audit_entries_by_action on audit_entries (action, audit_entry_id);
refuse update on audit_entries;
refuse delete on audit_entries;

-- The Merkle tree over the log (RFC 9162): the hash over 2^level entries, from entry node_index * 2^level on; from
-- level 1, because level 0 follows from an entry alone.
create table audit_nodes (
  level bigint not null,
  node_index bigint not null,
  hash bytea not null,
  constraint audit_nodes_pkey primary key (level, node_index)
);
refuse update on audit_nodes;
refuse delete on audit_nodes;

-- One row: how many entries there are, the last hash, and the roots of the whole trees that make up the tree, the
-- largest first.
create table audit_head (
  audit_head_id bigint not null,
  sequence bigint not null,
  hash bytea not null,
  peaks bytea not null,
  constraint audit_head_pkey primary key (audit_head_id),
  constraint audit_head_one check (audit_head_id = 1)
);

-- What was signed about the log.
create table audit_checkpoints (
  tree_size bigint not null,
  -- The planet's id.
  log_id uuid not null,
  at timestamptz not null,
  root bytea not null,
  chain_hash bytea not null,
  public_key bytea not null,
  signature bytea not null,
  constraint audit_checkpoints_pkey primary key (tree_size)
);
refuse update on audit_checkpoints;
refuse delete on audit_checkpoints;

-- The words of reasons, sealed with the key of a person and apart from the log, because words can be asked to be
-- forgotten. The log holds what shows that they are the ones.
create table audit_reasons (
  audit_entry_id uuid not null,
  account_id uuid not null,
  sealed bytea not null,
  constraint audit_reasons_pkey primary key (audit_entry_id)
);
create index audit_reasons_by_account on audit_reasons (account_id);
refuse update on audit_reasons;

-- One row: how far the check of the log has come, as JSON of its own.
create table audit_check (
  audit_check_id bigint not null,
  state text not null,
  constraint audit_check_pkey primary key (audit_check_id),
  constraint audit_check_one check (audit_check_id = 1)
);
