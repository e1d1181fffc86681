-- The planet is made once and kept as an artifact: what names it is kept here, so that another is never taken for it.

-- Planets from before have no artifact; their generator is refused anyway.
alter table planet add column raster_level BIGINT not null default 10;

-- How many worlds of this seed were rejected before this one.
alter table planet add column sub_seed BIGINT not null default 0;

-- BLAKE3 of the imported heights in hexadecimal; null if it was made from its seed alone.
alter table planet add column import_hash TEXT;

-- The planet hash in hexadecimal; null until the artifact is made.
alter table planet add column planet_hash TEXT;

-- Where newcomers arrive, found once: two unit vectors, of the place and of the view from it, six numbers with
-- blanks between them; null until it is found.
alter table planet add column arrival TEXT;
