-- What this planet is: written once, at its first start.

create table planet (
    planet_id UUID not null,
    -- There is one planet in a database.
    only_row BIGINT not null,
    -- 64 bits without a sign, as decimal text: BIGINT has a sign.
    seed TEXT not null,
    shift BIGINT not null,
    generator_version BIGINT not null,
    created_at TIMESTAMPTZ not null,
    constraint planet_pk primary key (planet_id),
    constraint planet_only_row_is_one check (only_row = 1),
    constraint planet_only_row_key unique (only_row)
);
