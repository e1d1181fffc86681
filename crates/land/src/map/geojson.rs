//! Land as GeoJSON (RFC 7946, in degrees of this planet).

use cell::{CellId, LatLng};
use glam::DVec3;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::outline::{self, Polygon, Seam};
use super::tile::state;
use crate::seen::{Found, Seen};

/// Parcels of a box.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FeatureCollection {
    /// `FeatureCollection`.
    #[serde(rename = "type")]
    #[schema(example = "FeatureCollection")]
    kind: &'static str,
    /// One for each parcel.
    features: Vec<Feature>,
    /// How many features are here.
    #[serde(rename = "numberReturned")]
    number_returned: usize,
    /// Give this as `cursor` for the rest; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// One parcel.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Feature {
    /// `Feature`.
    #[serde(rename = "type")]
    #[schema(example = "Feature")]
    kind: &'static str,
    /// The parcel's token.
    id: String,
    /// A `Polygon` or `MultiPolygon` of longitudes and latitudes; what crosses the antimeridian is cut there.
    #[schema(value_type = Object)]
    geometry: Value,
    properties: Properties,
}

/// What is said of a parcel.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Properties {
    token: String,
    /// `taken`, `sale` or `auction`.
    #[schema(example = "taken")]
    state: &'static str,
    owner_id: Uuid,
    owner_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// `everyone`, `list` or `nobody`.
    #[schema(example = "everyone")]
    fence: &'static str,
    area_m2: f64,
    cell_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_minor: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
}

impl FeatureCollection {
    pub(crate) fn new(parcels: Vec<Seen>, next_cursor: Option<String>) -> Self {
        let features: Vec<_> = parcels.into_iter().map(feature).collect();
        Self { kind: "FeatureCollection", number_returned: features.len(), features, next_cursor }
    }
}

fn feature(seen: Seen) -> Feature {
    let Seen { facts, cells, encumbrance, fence, owner } = seen;
    let found = Found { facts, encumbrance, fence };
    let state = state(&found);
    let shown = found.encumbrance.filter(|_| state != "taken").map(|it| it.shown).unwrap_or_default();
    let token = found.facts.anchor.token();
    Feature {
        kind: "Feature",
        id: token.clone(),
        geometry: geometry(&cells),
        properties: Properties {
            token,
            state,
            owner_id: found.facts.owner_id,
            owner_name: owner.display_name,
            name: found.facts.name,
            fence: found.fence.name(),
            area_m2: (found.facts.area_m2 * 100.0).round() / 100.0,
            cell_count: found.facts.cells,
            price_minor: shown.price_minor,
            currency: shown.currency,
        },
    }
}

/// The union of lots, cut along the antimeridian.
fn geometry(cells: &[CellId]) -> Value {
    let mut polygons: Vec<Value> =
        outline::polygons(cells, Seam::Antimeridian).iter().map(coordinates).collect();
    match polygons.len() {
        1 => json!({"type": "Polygon", "coordinates": polygons.remove(0)}),
        _ => json!({"type": "MultiPolygon", "coordinates": polygons}),
    }
}

/// Rings of longitude and latitude, closed.
fn coordinates(polygon: &Polygon) -> Value {
    let rings = std::iter::once(&polygon.outer).chain(&polygon.holes);
    rings.map(|ring| json!(closed(ring))).collect()
}

/// Nearer to the axis than this a longitude is rounding noise.
const POLE: f64 = 1e-12;

fn closed(ring: &[DVec3]) -> Vec<[f64; 2]> {
    let lng_of = |point: DVec3| LatLng::from_point(point).lng_deg();
    let is_pole = |point: DVec3| point.x.abs() < POLE && point.y.abs() < POLE;
    let mut out = Vec::with_capacity(ring.len() + 2);
    for (index, point) in ring.iter().copied().enumerate() {
        if is_pole(point) {
            // Flattened, a pole is a line: from the meridian one comes by to the one that one leaves by.
            let before = ring[(index + ring.len() - 1) % ring.len()];
            let after = ring[(index + 1) % ring.len()];
            let lat = 90.0_f64.copysign(point.z);
            out.extend([[lng_of(before), lat], [lng_of(after), lat]]);
        } else {
            out.push([lng_of(point), LatLng::from_point(point).lat_deg()]);
        }
    }
    out.extend(out.first().copied());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(rings: &Value) -> f64 {
        let rings = rings.as_array().unwrap();
        let doubled = |ring: &Value| {
            let points: Vec<[f64; 2]> = serde_json::from_value(ring.clone()).unwrap();
            assert_eq!(points.first(), points.last());
            points.windows(2).map(|it| it[0][0] * it[1][1] - it[1][0] * it[0][1]).sum::<f64>()
        };
        rings.iter().map(|it| 0.5 * doubled(it)).sum()
    }

    #[test]
    fn what_crosses_the_antimeridian_is_cut_there() {
        let lot = CellId::from_lat_lng(LatLng::from_degrees(10.0, 179.99999).unwrap()).parent(15);
        let mut cells: Vec<CellId> = lot.all_neighbors().to_vec();
        cells.push(lot);
        let shape = geometry(&cells);
        assert_eq!(shape["type"], "MultiPolygon");
        let parts = shape["coordinates"].as_array().unwrap();
        assert_eq!(parts.len(), 2);
        for part in parts {
            assert!(area(part) > 0.0, "outer rings run counter-clockwise");
            let points: Vec<[f64; 2]> = serde_json::from_value(part[0].clone()).unwrap();
            let (least, most) = points
                .iter()
                .fold((f64::MAX, f64::MIN), |(least, most), it| (least.min(it[0]), most.max(it[0])));
            assert!(most - least < 1.0, "{least} to {most}");
        }
        assert_eq!(geometry(&[lot])["type"], "Polygon");
    }

    #[test]
    fn a_parcel_around_a_pole_is_a_strip_along_the_edge_of_the_map() {
        for axis in [DVec3::Z, -DVec3::Z] {
            let pole = CellId::from_point(axis).parent(15);
            let mut cells: Vec<CellId> = pole.all_neighbors().to_vec();
            cells.push(pole);
            let shape = geometry(&cells);
            assert_eq!(shape["type"], "Polygon", "{shape}");
            assert!(area(&shape["coordinates"]) > 0.3, "360 degrees wide: {shape}");
            for lot in cells {
                let shape = geometry(&[lot]);
                assert!(shape["type"] == "Polygon" && area(&shape["coordinates"]) > 0.0, "{shape}");
            }
        }
    }

    #[test]
    fn lots_in_the_middle_of_the_map_are_not_cut() {
        let lot = CellId::from_lat_lng(LatLng::from_degrees(51.5, 0.000_01).unwrap()).parent(15);
        let mut cells: Vec<CellId> = lot.all_neighbors().to_vec();
        cells.push(lot);
        assert_eq!(geometry(&cells)["type"], "Polygon");
    }
}
