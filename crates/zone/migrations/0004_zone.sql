-- Where each account's body was last: feet and facing, in metres from the planet's centre.

create table bodies (
    account_id UUID not null,
    px DOUBLE PRECISION not null,
    py DOUBLE PRECISION not null,
    pz DOUBLE PRECISION not null,
    fx DOUBLE PRECISION not null,
    fy DOUBLE PRECISION not null,
    fz DOUBLE PRECISION not null,
    saved_at TIMESTAMPTZ not null,
    constraint bodies_pk primary key (account_id)
);
