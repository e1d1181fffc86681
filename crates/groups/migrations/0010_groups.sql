-- Groups of accounts. A group owns land and money under its own id, which no account has.

create table groups (
  group_id uuid not null,
  name text not null,
  created_at timestamptz not null,
  -- Since when it is no more. The row stays: titles name it for ever.
  dissolved_at timestamptz,
  constraint groups_pkey primary key (group_id)
);

create table group_members (
  group_id uuid not null,
  account_id uuid not null,
  role text not null,
  invited_at timestamptz not null,
  -- Null until the account has said yes; such a row gives no right.
  joined_at timestamptz,
  constraint group_members_pkey primary key (group_id, account_id),
  constraint group_members_group_fkey foreign key (group_id) references groups (group_id),
  constraint group_members_role check (role in ('owner', 'officer', 'member'))
);
create index group_members_by_account on group_members (account_id, group_id);
