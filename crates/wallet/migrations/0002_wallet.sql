-- The books. Postings and legs are only ever added; balances are their running sums, kept so that money can be guarded
-- without adding up a history. `ledger` decides what a posting may be; the constraints here are the net below it.

-- coin, and the deed of each lot ever claimed.
create table assets (
  asset_id text not null,
  kind text not null,
  -- Decimal places between the smallest unit and the one people speak of.
  scale bigint not null,
  constraint assets_pkey primary key (asset_id)
);

-- The id of a wallet is its player's account id.
create table ledger_accounts (
  ledger_account_id uuid not null,
  kind text not null,
  opened_at timestamptz not null,
  constraint ledger_accounts_pkey primary key (ledger_account_id)
);

create table postings (
  -- Ascending in time.
  posting_id uuid not null,
  -- Chosen by whoever posts: the same one twice is the same posting.
  client_id text not null,
  kind text not null,
  reference text not null,
  posted_at timestamptz not null,
  constraint postings_pkey primary key (posting_id),
  constraint postings_client_id_key unique (client_id)
);

create table balances (
  ledger_account_id uuid not null,
  asset_id text not null,
  amount bigint not null,
  -- Zero, except for an account that issues the asset.
  amount_min bigint not null,
  constraint balances_pkey primary key (ledger_account_id, asset_id),
  constraint balances_account_fkey foreign key (ledger_account_id) references ledger_accounts (ledger_account_id),
  constraint balances_asset_fkey foreign key (asset_id) references assets (asset_id),
  constraint balances_not_below_min check (amount >= amount_min),
  -- Every client reads it exactly.
  constraint balances_not_above_max check (amount <= 9007199254740991)
);

create table legs (
  posting_id uuid not null,
  ledger_account_id uuid not null,
  asset_id text not null,
  amount bigint not null,
  constraint legs_pkey primary key (posting_id, ledger_account_id, asset_id),
  constraint legs_posting_fkey foreign key (posting_id) references postings (posting_id),
  constraint legs_balance_fkey foreign key (ledger_account_id, asset_id)
    references balances (ledger_account_id, asset_id),
  constraint legs_not_zero check (amount <> 0)
);
create index legs_by_account on legs (ledger_account_id, posting_id);
