-- Who simulates which part of the planet. A lease that is given to somebody else gets the next epoch, and nothing that
-- carries an older one is taken any more.

create table zone_leases (
    -- The lowest and the highest cell of the part, whatever zones it is cut into meanwhile.
    first_cell BIGINT not null,
    last_cell BIGINT not null,
    -- The folder of the journal: a process that has it locked knows that whoever had the lease with it is dead.
    home_id UUID not null,
    epoch BIGINT not null,
    expires_at TIMESTAMPTZ not null,
    constraint zone_leases_pk primary key (first_cell),
    constraint zone_leases_order check (first_cell <= last_cell),
    constraint zone_leases_epoch check (epoch > 0)
);
