-- The few assets that are money, among the deeds of all land: what somebody has of money is found without reading their
-- deeds.
create index assets_currencies on assets (asset_id) where kind = 'currency';
