-- What an account is told of what happened, made once from each event that concerns it.
create table notices (
  account_id uuid not null,
  -- The event's position: the order of notices.
  event_position bigint not null,
  -- The event's id, and the notice's.
  event_id uuid not null,
  kind text not null,
  at timestamptz not null,
  data text not null,
  is_read boolean not null,
  constraint notices_pkey primary key (account_id, event_position)
);
create index notices_unread on notices (account_id, event_position) where not is_read;
create index notices_by_age on notices (at);

-- Where an account wants its events sent to.
create table webhook_endpoints (
  endpoint_id uuid not null,
  account_id uuid not null,
  url text not null,
  description text not null,
  -- Patterns of kinds, separated by spaces: `market.*`.
  kinds text not null,
  -- Keys of the signatures. The one before stays good for a while after a change.
  secret bytea not null,
  secret_before bytea,
  secret_before_until timestamptz,
  created_at timestamptz not null,
  is_enabled boolean not null,
  -- Why it was disabled.
  disabled_reason text,
  -- Of the failures since the last success.
  failing_since timestamptz,
  failures_in_a_row bigint not null,
  -- When there is something to do; never before the pause after a failure is over. Null: nothing waits.
  due_at timestamptz,
  paused_until timestamptz not null,
  -- Who sends at the moment, and until when they are believed to.
  lease_id uuid,
  leased_until timestamptz not null,
  constraint webhook_endpoints_pkey primary key (endpoint_id)
);
create index webhook_endpoints_by_account on webhook_endpoints (account_id, endpoint_id);
create index webhook_endpoints_due on webhook_endpoints (due_at) where is_enabled and due_at is not null;

-- What is to be sent, and what became of it.
create table webhook_deliveries (
  delivery_id uuid not null,
  endpoint_id uuid not null,
  -- The event, or an id of its own for a test.
  event_id uuid not null,
  kind text not null,
  -- The bytes that are signed and sent, the same at each attempt.
  body text not null,
  -- waiting, delivered or failed.
  state text not null,
  attempt_count bigint not null,
  due_at timestamptz not null,
  created_at timestamptz not null,
  -- When its owner last asked for it: a test, or once more.
  asked_at timestamptz,
  finished_at timestamptz,
  -- Of the last attempt.
  attempted_at timestamptz,
  answer_status bigint,
  answer_fault text,
  constraint webhook_deliveries_pkey primary key (delivery_id),
  constraint webhook_deliveries_once unique (endpoint_id, event_id),
  constraint webhook_deliveries_endpoint foreign key (endpoint_id)
    references webhook_endpoints (endpoint_id) on delete cascade
);
create index webhook_deliveries_waiting on webhook_deliveries (endpoint_id, due_at) where state = 'waiting';
create index webhook_deliveries_by_endpoint on webhook_deliveries (endpoint_id, delivery_id);
create index webhook_deliveries_finished on webhook_deliveries (finished_at) where finished_at is not null;
