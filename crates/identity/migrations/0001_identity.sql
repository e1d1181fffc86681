-- Who people are: an account, the device keys that open it, and what is between a device and a session.

create table accounts (
    account_id UUID not null,
    display_name TEXT not null,
    -- 0xRRGGBB
    color BIGINT not null,
    created_at TIMESTAMPTZ not null,
    constraint accounts_pk primary key (account_id),
    constraint accounts_color_is_rgb check (color between 0 and 16777215)
);

-- An account has as many keys as it has devices; a key belongs to one account for ever.
create table device_keys (
    public_key BYTEA not null,
    account_id UUID not null,
    created_at TIMESTAMPTZ not null,
    last_used_at TIMESTAMPTZ not null,
    constraint device_keys_pk primary key (public_key),
    constraint device_keys_account_fk foreign key (account_id) references accounts (account_id)
);

create index device_keys_account on device_keys (account_id);

-- Texts waiting to be signed. The answer deletes its row, so that each is good once.
create table challenges (
    nonce BYTEA not null,
    public_key BYTEA not null,
    purpose TEXT not null,
    signed_text TEXT not null,
    expires_at TIMESTAMPTZ not null,
    constraint challenges_pk primary key (nonce)
);

create index challenges_expiry on challenges (expires_at);
create index challenges_key on challenges (public_key, expires_at);

-- Refresh tokens by their SHA-256: the tokens themselves are nowhere. A family is one session; it starts at a login
-- and each refresh spends its newest token for the next one.
create table refresh_tokens (
    token_hash BYTEA not null,
    family_id UUID not null,
    account_id UUID not null,
    issued_at TIMESTAMPTZ not null,
    -- The family's end, the same for all of it.
    expires_at TIMESTAMPTZ not null,
    spent_at TIMESTAMPTZ,
    -- The token that this one was last spent for.
    replaced_by_hash BYTEA,
    revoked_at TIMESTAMPTZ,
    constraint refresh_tokens_pk primary key (token_hash),
    constraint refresh_tokens_account_fk foreign key (account_id) references accounts (account_id)
);

create index refresh_tokens_family on refresh_tokens (family_id);
create index refresh_tokens_expiry on refresh_tokens (expires_at);
create index refresh_tokens_account on refresh_tokens (account_id);
