-- Login with providers of identity.

-- Which account a person at a provider opens. The pair of issuer and subject is the key, for ever; an e-mail never is.
create table oidc_identities (
    identity_id UUID not null,
    account_id UUID not null,
    issuer TEXT not null,
    subject TEXT not null,
    linked_at TIMESTAMPTZ not null,
    last_used_at TIMESTAMPTZ not null,
    constraint oidc_identities_pk primary key (identity_id),
    constraint oidc_identities_subject_is_once unique (issuer, subject),
    constraint oidc_identities_account_fk foreign key (account_id) references accounts (account_id)
);

create index oidc_identities_account on oidc_identities (account_id);

-- Browsers that were sent to a provider and are not back. Only hashes: the secrets are in the browser's cookie.
create table oidc_attempts (
    state_hash BYTEA not null,
    binding_hash BYTEA not null,
    provider_id TEXT not null,
    redirect_uri TEXT not null,
    -- Whose account is to be linked; null to sign in.
    account_id UUID,
    expires_at TIMESTAMPTZ not null,
    constraint oidc_attempts_pk primary key (state_hash)
);

create index oidc_attempts_expiry on oidc_attempts (expires_at);

-- Who came back rightly, until the page has asked for the session with its one-time code.
create table oidc_arrivals (
    code_hash BYTEA not null,
    binding_hash BYTEA not null,
    issuer TEXT not null,
    subject TEXT not null,
    account_id UUID,
    expires_at TIMESTAMPTZ not null,
    constraint oidc_arrivals_pk primary key (code_hash)
);

create index oidc_arrivals_expiry on oidc_arrivals (expires_at);
