-- What happened, written in the transaction in which it happened.
create table events (
  event_id uuid not null,
  -- Given after the commit by one hand at a time, 1, 2, 3 and so on: whoever has read up to a position has missed
  -- nothing before it, however late a transaction commits and whatever clocks say. Null: not given yet.
  event_position bigint,
  kind text not null,
  at timestamptz not null,
  -- public, near or accounts.
  audience text not null,
  -- The S2 cell that `near` means.
  near_cell bigint,
  -- The ids that `accounts` means, 16 bytes each.
  account_ids bytea,
  -- A JSON object.
  data text not null,
  constraint events_pkey primary key (event_id),
  constraint events_have_an_audience check (
    (audience = 'public' and near_cell is null and account_ids is null)
    or (audience = 'near' and near_cell is not null and account_ids is null)
    or (audience = 'accounts' and near_cell is null and account_ids is not null)
  )
);
create unique index events_by_position on events (event_position) where event_position is not null;
create index events_waiting on events (event_id) where event_position is null;

-- The last position given; whoever gives positions holds this row until its commit.
create table event_head (
  event_head_id bigint not null primary key,
  event_position bigint not null
);
insert into event_head (event_head_id, event_position) values (1, 0);

-- How far each durable reader is. Nothing that one of them has still to read is removed.
create table event_cursors (
  reader text not null primary key,
  event_position bigint not null
);
