-- Holds, running balances and the chain of postings.

-- Money of any name is one kind of asset.
update assets set kind = 'currency' where kind = 'coin';

-- What is promised but not yet given: it stays in the balance and cannot be spent. The sum of the account's pending
-- holds of the asset.
alter table balances add column held bigint not null default 0
  constraint balances_held_not_negative check (held >= 0)
  constraint balances_held_covered check (amount - held >= amount_min);
-- How many legs it has; the number of the last one.
alter table balances add column leg_count bigint not null default 0;
update balances set leg_count = (
  select count(*) from legs
  where legs.ledger_account_id = balances.ledger_account_id and legs.asset_id = balances.asset_id
);
-- Who holds a deed.
create index balances_by_asset on balances (asset_id);

-- Legs get a number within their balance and what the balance was after them, so that a statement needs no sums and a
-- leg that is missing leaves a gap.
create table legs_before (
  posting_id uuid not null,
  ledger_account_id uuid not null,
  asset_id text not null,
  amount bigint not null
);
insert into legs_before (posting_id, ledger_account_id, asset_id, amount)
  select posting_id, ledger_account_id, asset_id, amount from legs;
drop table legs;
create table legs (
  posting_id uuid not null,
  ledger_account_id uuid not null,
  asset_id text not null,
  amount bigint not null,
  leg_number bigint not null,
  balance_after bigint not null,
  constraint legs_pkey primary key (posting_id, ledger_account_id, asset_id),
  constraint legs_posting_fkey foreign key (posting_id) references postings (posting_id),
  constraint legs_balance_fkey foreign key (ledger_account_id, asset_id)
    references balances (ledger_account_id, asset_id),
  constraint legs_not_zero check (amount <> 0)
);
insert into legs (posting_id, ledger_account_id, asset_id, amount, leg_number, balance_after)
  select posting_id, ledger_account_id, asset_id, amount,
    row_number() over (partition by ledger_account_id, asset_id order by posting_id),
    cast(sum(amount) over (partition by ledger_account_id, asset_id order by posting_id) as bigint)
  from legs_before;
drop table legs_before;
create unique index legs_by_balance on legs (ledger_account_id, asset_id, leg_number);
create index legs_by_account on legs (ledger_account_id, posting_id);

-- The posting that this one takes back; each is taken back once.
alter table postings add column reverses uuid
  constraint postings_reverses_fkey references postings (posting_id);
create unique index postings_reverses_key on postings (reverses) where reverses is not null;

create table holds (
  hold_id uuid not null,
  ledger_account_id uuid not null,
  asset_id text not null,
  amount bigint not null,
  -- Why: bid, offer, deposit, checkout; and for what.
  kind text not null,
  reference text not null,
  -- pending, then for ever one of posted, voided, expired.
  state text not null,
  -- What it was spent on.
  posting_id uuid,
  created_at timestamptz not null,
  expires_at timestamptz,
  settled_at timestamptz,
  constraint holds_pkey primary key (hold_id),
  constraint holds_balance_fkey foreign key (ledger_account_id, asset_id)
    references balances (ledger_account_id, asset_id),
  constraint holds_posting_fkey foreign key (posting_id) references postings (posting_id),
  constraint holds_positive check (amount > 0),
  constraint holds_state check (state in ('pending', 'posted', 'voided', 'expired')),
  constraint holds_settled check ((state = 'pending') = (settled_at is null))
);
create index holds_pending on holds (ledger_account_id, hold_id) where state = 'pending';
create index holds_due on holds (expires_at) where state = 'pending' and expires_at is not null;

-- Postings in the order in which they were sealed; each hash covers the posting and the hash before it.
create table posting_chain (
  chain_number bigint not null,
  posting_id uuid not null,
  hash bytea not null,
  constraint posting_chain_pkey primary key (chain_number),
  constraint posting_chain_posting_key unique (posting_id),
  constraint posting_chain_posting_fkey foreign key (posting_id) references postings (posting_id)
);
-- One row: where the chain ends.
create table chain_head (
  chain_head_id bigint not null,
  chain_number bigint not null,
  hash bytea not null,
  constraint chain_head_pkey primary key (chain_head_id),
  constraint chain_head_one check (chain_head_id = 1)
);
-- Postings that wait for their seal, a moment each.
create table unsealed_postings (
  posting_id uuid not null,
  constraint unsealed_postings_pkey primary key (posting_id),
  constraint unsealed_postings_posting_fkey foreign key (posting_id) references postings (posting_id)
);
insert into unsealed_postings (posting_id) select posting_id from postings;

-- Who gave money to whom, and what they said: apart from the books, because words can be asked to be forgotten.
create table transfers (
  posting_id uuid not null,
  from_account_id uuid not null,
  to_account_id uuid not null,
  message text,
  constraint transfers_pkey primary key (posting_id),
  constraint transfers_posting_fkey foreign key (posting_id) references postings (posting_id)
);

-- One row: how far the checker of the books has come, as JSON of its own.
create table ledger_audit (
  ledger_audit_id bigint not null,
  state text not null,
  constraint ledger_audit_pkey primary key (ledger_audit_id),
  constraint ledger_audit_one check (ledger_audit_id = 1)
);
