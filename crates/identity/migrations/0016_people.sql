-- People in full: what somebody may do, ways in beside device keys, sessions that can be seen and ended.
--
-- Columns called "sealed" hold bytes encrypted under the key of one person, which erasure destroys.

alter table accounts add column role TEXT not null default 'player'
    constraint accounts_role_is_known check (role in ('player', 'moderator', 'developer', 'admin'));
-- A suspension that has run out counts as active without being written.
alter table accounts add column state TEXT not null default 'active'
    constraint accounts_state_is_known check (state in ('active', 'suspended', 'banned', 'erased'));
alter table accounts add column suspended_until TIMESTAMPTZ;
-- The name in lower case, as bytes: ordered alike on every engine. Filled in by the program where it is missing.
alter table accounts add column search_key BYTEA;
-- What the name looks like (UTS 39), of staff alone: nobody else may look the same.
alter table accounts add column skeleton TEXT;

create index accounts_search on accounts (search_key, account_id);
create index accounts_staff on accounts (role) where role <> 'player';

-- What the owner calls this device; sealed.
alter table device_keys add column label BYTEA;
-- A removed key stays, so that it opens nothing any more: a key nobody knows would make an account.
alter table device_keys add column removed_at TIMESTAMPTZ;

-- Whom a key is to be added to.
alter table challenges add column account_id UUID;

-- A session is a family of refresh tokens; its row says how it began and whether it goes on.
create table sessions (
    session_id UUID not null,
    account_id UUID not null,
    method TEXT not null,
    -- The device key that opened it.
    public_key BYTEA,
    -- When the person proved who they are.
    signed_in_at TIMESTAMPTZ not null,
    last_seen_at TIMESTAMPTZ not null,
    expires_at TIMESTAMPTZ not null,
    ended_at TIMESTAMPTZ,
    -- What the browser called itself; sealed.
    user_agent BYTEA,
    constraint sessions_pk primary key (session_id),
    constraint sessions_account_fk foreign key (account_id) references accounts (account_id)
);

create index sessions_account on sessions (account_id, signed_in_at);
create index sessions_expiry on sessions (expires_at);

-- Sessions that are open go on.
insert into sessions (session_id, account_id, method, signed_in_at, last_seen_at, expires_at)
    select family_id, account_id, 'key', min(issued_at), max(issued_at), max(expires_at) from refresh_tokens
    group by family_id, account_id
    having sum(case when spent_at is null and revoked_at is null then 1 else 0 end) > 0;

create table passwords (
    account_id UUID not null,
    -- A PHC string of Argon2id, or of bcrypt if it was brought from elsewhere and not used since.
    phc TEXT not null,
    changed_at TIMESTAMPTZ not null,
    constraint passwords_pk primary key (account_id),
    constraint passwords_account_fk foreign key (account_id) references accounts (account_id)
);

-- Confirmed addresses alone: one that is only claimed waits in email_tokens and keeps nobody from it.
create table emails (
    account_id UUID not null,
    -- Sealed.
    address BYTEA not null,
    -- A keyed hash of the address, to find it by.
    address_index BYTEA not null,
    confirmed_at TIMESTAMPTZ not null,
    constraint emails_pk primary key (account_id),
    constraint emails_address_unique unique (address_index),
    constraint emails_account_fk foreign key (account_id) references accounts (account_id)
);

-- What a link in a mail does, by the SHA-256 of its token. Each is good once.
create table email_tokens (
    token_hash BYTEA not null,
    purpose TEXT not null,
    -- Of a registration: the account that will be made, so without a foreign key.
    account_id UUID not null,
    address_index BYTEA not null,
    -- Sealed.
    address BYTEA,
    -- Takes effect with the confirmation.
    phc TEXT,
    -- Sealed.
    display_name BYTEA,
    expires_at TIMESTAMPTZ not null,
    constraint email_tokens_pk primary key (token_hash),
    constraint email_tokens_purpose_is_known check (purpose in ('register', 'confirm', 'reset'))
);

create index email_tokens_address on email_tokens (address_index, expires_at);
create index email_tokens_account on email_tokens (account_id);
create index email_tokens_expiry on email_tokens (expires_at);

-- Wrong passwords by address, whether or not anybody has it: counting tells nothing about who exists.
create table password_failures (
    address_index BYTEA not null,
    failures BIGINT not null,
    expires_at TIMESTAMPTZ not null,
    constraint password_failures_pk primary key (address_index)
);

create index password_failures_expiry on password_failures (expires_at);

-- Keys for machines, by their SHA-256.
create table api_keys (
    api_key_id UUID not null,
    account_id UUID not null,
    secret_hash BYTEA not null,
    -- Sealed.
    name BYTEA not null,
    -- Names of scopes, separated by spaces.
    scopes TEXT not null,
    created_at TIMESTAMPTZ not null,
    expires_at TIMESTAMPTZ not null,
    last_used_at TIMESTAMPTZ,
    constraint api_keys_pk primary key (api_key_id),
    constraint api_keys_secret_unique unique (secret_hash),
    constraint api_keys_account_fk foreign key (account_id) references accounts (account_id)
);

create index api_keys_account on api_keys (account_id);

create table account_settings (
    account_id UUID not null,
    settings JSONB not null,
    constraint account_settings_pk primary key (account_id),
    constraint account_settings_account_fk foreign key (account_id) references accounts (account_id)
);
