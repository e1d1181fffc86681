-- Answers of decisions, kept so that a repeated request gets the first answer and changes nothing.
-- The row is written in the same transaction as the effect: there is never one without the other.
create table idempotency_keys (
  account_id uuid not null,
  idempotency_key text not null,
  -- SHA-256 over the operation and its input: the same key with anything else is a client's mistake.
  fingerprint bytea not null,
  -- Null only inside the transaction that decides.
  status bigint,
  body text,
  expires_at timestamptz not null,
  constraint idempotency_keys_pkey primary key (account_id, idempotency_key)
);
create index idempotency_keys_by_expiry on idempotency_keys (expires_at);
