-- What staff write about people, and acts that wait for a second person. Columns called "sealed" hold bytes that only
-- the key of one person opens.

create table staff_notes (
  note_id uuid not null,
  -- Whom it is about; their key seals it.
  account_id uuid not null,
  author_id uuid not null,
  sealed bytea not null,
  written_at timestamptz not null,
  constraint staff_notes_pkey primary key (note_id)
);
create index staff_notes_by_account on staff_notes (account_id, note_id);

create table staff_acts (
  act_id uuid not null,
  -- What is to be done: reverse_posting.
  kind text not null,
  subject_id uuid not null,
  amount_minor bigint not null,
  requested_by uuid not null,
  requested_at timestamptz not null,
  expires_at timestamptz not null,
  -- Why, sealed by the key of whoever asks for it.
  reason_sealed bytea not null,
  -- waiting, then for ever one of approved, refused, expired.
  state text not null,
  decided_by uuid,
  decided_at timestamptz,
  -- What it became.
  posting_id uuid,
  constraint staff_acts_pkey primary key (act_id),
  constraint staff_acts_state check (state in ('waiting', 'approved', 'refused', 'expired')),
  constraint staff_acts_decided check ((state = 'waiting') = (decided_at is null)),
  constraint staff_acts_by_a_second_person check (decided_by is null or decided_by <> requested_by)
);
-- One thing is asked for once.
create unique index staff_acts_waiting on staff_acts (kind, subject_id) where state = 'waiting';
