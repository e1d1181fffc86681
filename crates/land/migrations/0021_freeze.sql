-- Land that staff have frozen: until it is thawed it keeps its owner, its shape and its tenant.
alter table parcels add column frozen_at timestamptz;
