//! Vector tiles of land: outlines near, numbers far away.

use std::collections::BTreeMap;

use api::Problem;
use cell::CellId;
use store::{Tx, params};

use super::mvt::{self, Layer, Property, Step};
use super::outline::{self, Seam};
use super::xyz::TileXyz;
use crate::area::Area;
use crate::encumbrance::{EncumbranceKind, Shown};
use crate::find;
use crate::seen::Found;
use crate::service::LandService;

/// The finest zoom at shift 3; pictures of the ground end there too.
const ZOOM_MAX_AT_DEFAULT: u8 = 14;
/// From this zoom on, at shift 3, tiles show parcels: a tile has room for some 1200 lots.
const ZOOM_OUTLINES_AT_DEFAULT: u8 = 12;
/// Lots that a tile shows at most. Beyond, which needs lots smaller than any planet's, the rest is left out.
const LOTS_MAX: usize = 8_192;
const BATCH: u32 = 1_024;
/// A cluster counts no further.
const COUNTED_MAX: i64 = 1_000;
/// A cell of this many levels below a tile's zoom is about an eighth of the tile wide.
const CLUSTER_LEVELS_BELOW_ZOOM: u8 = 1;
/// Clusters of one tile. There is room for about a hundred.
const CLUSTERS_MAX: usize = 512;

store::statements! {
    /// The first owned lot of a range.
    FIRST = "select cell from parcel_cells where cell > $1 and cell <= $2 order by cell limit 1";
    /// How many lots of a range are owned, up to a number.
    COUNT = "select count(*) from \
             (select cell from parcel_cells where cell >= $1 and cell <= $2 limit $3) as counted";
}

/// Owned lots of a cell, told by their number.
struct Cluster {
    place: CellId,
    lots: i64,
}

impl LandService {
    /// The finest zoom of tiles of land.
    pub(crate) fn zoom_max(&self) -> u8 {
        self.deps.planet.grid_level(ZOOM_MAX_AT_DEFAULT)
    }

    /// The coarsest zoom whose tiles show parcels.
    pub(crate) fn zoom_outlines(&self) -> u8 {
        self.deps.planet.grid_level(ZOOM_OUTLINES_AT_DEFAULT)
    }

    /// A tile as it is now.
    pub(crate) async fn tile(&self, tile: TileXyz) -> Result<Vec<u8>, Problem> {
        let area = Area::Box(tile.rect());
        let ranges = area.ranges(self.lot_level());
        if tile.z < self.zoom_outlines() {
            let clusters = self.deps.store.read(move |tx| clusters(tx, tile, &ranges)).await?;
            return Ok(cluster_tile(tile, clusters));
        }
        let found = self.deps.store.read(move |tx| parcels(tx, &area, &ranges)).await?;
        // Outlines take a millisecond where a tile is full.
        tokio::task::spawn_blocking(move || parcel_tile(tile, found))
            .await
            .map_err(|error| Problem::internal(&error))
    }
}

/// Parcels by their anchors, with those of their lots that are in an area.
type Parcels = BTreeMap<CellId, (Found, Vec<CellId>)>;

fn parcels(tx: &mut Tx<'_>, area: &Area, ranges: &[CellId]) -> Result<Parcels, store::Error> {
    let mut parcels = Parcels::new();
    let mut count = 0;
    for range in ranges {
        let mut after = None;
        loop {
            let lots = find::lots_in(tx, *range, after, BATCH)?;
            let is_last = lots.len() < BATCH as usize;
            after = lots.last().map(|(lot, _)| *lot);
            for (lot, found) in lots.into_iter().filter(|(lot, _)| area.meets(*lot)) {
                if count == LOTS_MAX {
                    return Ok(parcels);
                }
                count += 1;
                parcels.entry(found.facts.anchor).or_insert_with(|| (found, Vec::new())).1.push(lot);
            }
            if is_last {
                break;
            }
        }
    }
    Ok(parcels)
}

fn parcel_tile(tile: TileXyz, parcels: Parcels) -> Vec<u8> {
    let mut layer = Layer::new("parcels");
    for (anchor, (found, lots)) in parcels {
        let steps =
            |ring: &Vec<glam::DVec3>| -> Vec<Step> { ring.iter().map(|it| tile.steps(*it)).collect() };
        let polygons: Vec<Vec<Vec<Step>>> = outline::polygons(&lots, Seam::None)
            .iter()
            .map(|it| std::iter::once(&it.outer).chain(&it.holes).map(steps).collect())
            .collect();
        layer.add_polygons(feature_id(anchor), &polygons, properties(found));
    }
    mvt::encode(vec![layer])
}

/// Cell ids have 64 bits, but numbers of JavaScript 53: lots are never so small that the last eleven matter.
fn feature_id(anchor: CellId) -> u64 {
    anchor.raw() >> 11
}

/// Taken, or for sale, or being auctioned.
pub(crate) fn state(found: &Found) -> &'static str {
    match found.encumbrance.as_ref().map(|it| it.kind) {
        Some(EncumbranceKind::Listing) => "sale",
        Some(EncumbranceKind::Auction) => "auction",
        Some(EncumbranceKind::LeaseOffer | EncumbranceKind::Gift) | None => "taken",
    }
}

fn properties(found: Found) -> Vec<(&'static str, Property)> {
    let text = |it: &str| Property::Text(it.to_owned());
    let facts = &found.facts;
    let mut properties = vec![
        ("token", Property::Text(facts.anchor.token())),
        ("state", text(state(&found))),
        ("owner_id", Property::Text(facts.owner_id.to_string())),
        ("fence", text(found.fence.name())),
        ("cell_count", Property::Whole(i64::from(facts.cells))),
    ];
    properties.extend(facts.name.as_deref().map(|it| ("name", text(it))));
    properties.extend(facts.frozen_at_us.map(|_| ("is_frozen", Property::Flag(true))));
    // What lease offers and gifts say is not the price of the land.
    let is_for_sale = state(&found) != "taken";
    if let Some(encumbrance) = found.encumbrance.filter(|_| is_for_sale) {
        let Shown { price_minor, currency, .. } = encumbrance.shown;
        properties.extend(price_minor.map(|it| ("price_minor", Property::Whole(it))));
        properties.extend(currency.map(|it| ("currency", Property::Text(it))));
    }
    properties
}

/// The middles of cells in the tile that have owned lots, found by jumping from one to the next.
fn clusters(tx: &mut Tx<'_>, tile: TileXyz, ranges: &[CellId]) -> Result<Vec<Cluster>, store::Error> {
    let level = tile.z + CLUSTER_LEVELS_BELOW_ZOOM;
    let mut clusters = Vec::new();
    for range in ranges {
        // A cell that belongs to the tile by its middle may reach beyond the range.
        let range = range.parent(range.level().min(level));
        let (mut after, last) = (range.range_min().to_sql() - 1, range.range_max().to_sql());
        while let Some(row) = tx.query_opt(FIRST, params![after, last])? {
            let place = crate::parcel::cell_at(&row, 0)?.parent(level);
            after = place.range_max().to_sql();
            let is_known = clusters.iter().any(|it: &Cluster| it.place == place);
            if is_known || !TileXyz::holds(tile.steps(place.center())) {
                continue;
            }
            let values = params![place.range_min().to_sql(), place.range_max().to_sql(), COUNTED_MAX];
            let lots = tx.query_one(COUNT, values)?.get(0)?;
            clusters.push(Cluster { place, lots });
            if clusters.len() == CLUSTERS_MAX {
                return Ok(clusters);
            }
        }
    }
    Ok(clusters)
}

fn cluster_tile(tile: TileXyz, mut clusters: Vec<Cluster>) -> Vec<u8> {
    clusters.sort_unstable_by_key(|it| it.place);
    let mut layer = Layer::new("clusters");
    for Cluster { place, lots } in clusters {
        let properties = vec![
            ("token", Property::Text(place.token())),
            ("count", Property::Whole(lots)),
            ("is_more", Property::Flag(lots == COUNTED_MAX)),
        ];
        layer.add_point(feature_id(place), tile.steps(place.center()), properties);
    }
    mvt::encode(vec![layer])
}
