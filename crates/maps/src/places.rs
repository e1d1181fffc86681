//! Places over HTTP: what has a name, and what is where.

use std::sync::{Arc, OnceLock};

use api::{Problem, kinds};
use cell::{CellId, LatLng};
use planet::places::{NameTable, Place, PlaceKind, Places};
use planet::{Ground, Planet};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Places that a search answers with at most.
const SEARCH_ITEMS_MAX: usize = 12;

/// Longest text to search for.
const SEARCH_CHARS_MAX: usize = 80;

/// Points of a line at most: enough for a name along it.
const LINE_POINTS_MAX: usize = 48;

/// Level of standard lots on a planet of shift 3.
const LOT_LEVEL: u8 = 15;

/// The named places of a planet, found when first asked for.
pub(crate) struct Gazetteer {
    planet: Arc<Planet>,
    names: NameTable,
    places: OnceLock<Places>,
}

impl Gazetteer {
    /// Nothing is found yet.
    pub(crate) fn new(planet: Arc<Planet>, names: NameTable) -> Self {
        Self { planet, names, places: OnceLock::new() }
    }

    /// The places; some tenths of a second at the first call, so not on an async thread.
    fn places(&self) -> &Places {
        let seed = self.planet.spec().seed;
        self.places.get_or_init(|| Places::find(self.planet.raster(), &self.names, seed))
    }
}

/// Kinds of places.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NamedPlaceKind {
    /// Open sea.
    Ocean,
    /// Great land.
    Continent,
    /// Smaller sea, gulf or bay.
    Sea,
    /// Smaller land.
    Island,
    /// Mountains that stand together.
    Range,
    /// Water that runs.
    River,
    /// Water that stands, above the sea.
    Lake,
}

impl From<PlaceKind> for NamedPlaceKind {
    fn from(kind: PlaceKind) -> Self {
        match kind {
            PlaceKind::Ocean => Self::Ocean,
            PlaceKind::Continent => Self::Continent,
            PlaceKind::Sea => Self::Sea,
            PlaceKind::Island => Self::Island,
            PlaceKind::Range => Self::Range,
            PlaceKind::River => Self::River,
            PlaceKind::Lake => Self::Lake,
        }
    }
}

/// A point of the planet.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PointView {
    /// Geocentric latitude, −90 to 90.
    pub lat_deg: f64,
    /// Longitude, −180 to 180.
    pub lng_deg: f64,
}

impl From<glam::DVec3> for PointView {
    fn from(direction: glam::DVec3) -> Self {
        let place = LatLng::from_point(direction);
        Self { lat_deg: rounded(place.lat_deg()), lng_deg: rounded(place.lng_deg()) }
    }
}

/// A place with a name.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct NamedPlaceView {
    /// Token of the raster cell it hangs on; with the kind it is unique.
    pub id: String,
    /// What it is.
    pub kind: NamedPlaceKind,
    /// What it is called, unique on the planet.
    pub name: String,
    /// Where its name belongs on a map.
    pub center: PointView,
    /// Area; absent for rivers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_km2: Option<f64>,
    /// Length; rivers and ranges only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_km: Option<f64>,
    /// A river from its source to its mouth, a range from end to end: `[longitude, latitude]` each, in degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Vec<[f64; 2]>>,
}

impl NamedPlaceView {
    fn of(place: &Place, radius_m: f64) -> Self {
        let radius_km = radius_m / 1_000.0;
        let sphere_km2 = 4.0 * std::f64::consts::PI * radius_km * radius_km;
        let line = (!place.line.is_empty()).then(|| {
            let step = place.line.len().div_ceil(LINE_POINTS_MAX);
            let last = place.line.len() - 1;
            let chosen = (0..last).step_by(step).chain([last]);
            chosen
                .map(|index| PointView::from(place.line[index]))
                .map(|at| [at.lng_deg, at.lat_deg])
                .collect()
        });
        Self {
            id: place.anchor.token(),
            kind: place.kind.into(),
            name: place.name.clone(),
            center: place.center.into(),
            area_km2: (place.area_share > 0.0)
                .then(|| (place.area_share * sphere_km2 * 100.0).round() / 100.0),
            length_km: line.is_some().then(|| (place.length_rad * radius_km * 10.0).round() / 10.0),
            line,
        }
    }
}

/// Places, the most important first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct NamedPlacesView {
    /// The places.
    pub items: Vec<NamedPlaceView>,
}

/// A place that one is in or near, by its name.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct NameView {
    /// What it is.
    pub kind: NamedPlaceKind,
    /// What it is called.
    pub name: String,
}

impl NameView {
    fn of(place: Option<&Place>) -> Option<Self> {
        place.map(|place| Self { kind: place.kind.into(), name: place.name.clone() })
    }
}

/// Water over the ground.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct WaterView {
    /// Height of its surface over the sea, metres.
    pub surface_m: f64,
    /// How deep it is, metres.
    pub depth_m: f64,
}

/// What is at a point of the planet.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct HereView {
    /// Height of the ground over the sea, metres; below zero on the sea floor.
    pub elevation_m: f64,
    /// The sea, lake or river over it; absent where it is dry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub water: Option<WaterView>,
    /// What grows there, English.
    pub biome: String,
    /// Mean of the year.
    pub temperature_c: f64,
    /// Sum of the year.
    pub rain_mm: f64,
    /// The standard lot there.
    pub lot_token: String,
    /// Its corners, around.
    pub lot_corners: Vec<PointView>,
    /// The ocean, sea, continent or island.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<NameView>,
    /// The mountain range around.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<NameView>,
    /// The river nearby.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub river: Option<NameView>,
    /// The lake here or nearby.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lake: Option<NameView>,
}

/// What to search for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchParams {
    /// Part of a name, whatever its case; 1 to 80 characters.
    #[param(min_length = 1, max_length = 80, example = "sea")]
    q: String,
}

/// Which point.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PointParams {
    /// Geocentric latitude in degrees.
    #[param(minimum = -90, maximum = 90, example = 12.5)]
    lat: f64,
    /// Longitude in degrees.
    #[param(minimum = -180, maximum = 180, example = -40.25)]
    lng: f64,
}

impl Gazetteer {
    /// All places.
    pub(crate) fn all(&self) -> NamedPlacesView {
        self.views(self.places().all())
    }

    /// Places whose name holds a text.
    pub(crate) fn search(&self, SearchParams { q }: &SearchParams) -> Result<NamedPlacesView, Problem> {
        let count = q.trim().chars().count();
        if count == 0 || count > SEARCH_CHARS_MAX {
            let rule = format!("must have 1 to {SEARCH_CHARS_MAX} characters");
            return Err(Problem::from(kinds::INVALID_QUERY).parameter("q", rule));
        }
        Ok(self.views(self.places().search(q, SEARCH_ITEMS_MAX)))
    }

    /// What is at a point.
    pub(crate) fn at(&self, PointParams { lat, lng }: &PointParams) -> Result<HereView, Problem> {
        let place = LatLng::from_degrees(*lat, *lng).map_err(|error| {
            let is_lat = !(-90.0..=90.0).contains(lat);
            Problem::from(kinds::INVALID_QUERY)
                .parameter(if is_lat { "lat" } else { "lng" }, error.to_string())
        })?;
        let direction = place.to_point();
        let Ground { elevation_m, water_m } = self.planet.ground(direction);
        let climate = self.planet.climate_at_elevation(direction, elevation_m);
        let lot = CellId::from_point(direction).parent(self.planet.grid_level(LOT_LEVEL));
        let is_sea = elevation_m < 0.0 && water_m.is_some();
        let here = self.places().at(direction, !is_sea);
        Ok(HereView {
            elevation_m: centimetres(elevation_m),
            water: water_m.map(|surface_m| WaterView {
                surface_m: centimetres(surface_m),
                depth_m: centimetres(surface_m - elevation_m),
            }),
            biome: self.planet.biome(direction).name().to_owned(),
            temperature_c: (climate.temperature_c * 10.0).round() / 10.0,
            rain_mm: climate.rain_mm.round(),
            lot_token: lot.token(),
            lot_corners: lot.corners().into_iter().map(PointView::from).collect(),
            region: NameView::of(here.region),
            range: NameView::of(here.range),
            river: NameView::of(here.river),
            lake: NameView::of(here.lake),
        })
    }

    fn views<'a>(&self, places: impl IntoIterator<Item = &'a Place>) -> NamedPlacesView {
        let radius_m = self.planet.radius_m();
        NamedPlacesView {
            items: places.into_iter().map(|place| NamedPlaceView::of(place, radius_m)).collect(),
        }
    }
}

/// Degrees to 11 centimetres on a planet of Earth's size.
fn rounded(degrees: f64) -> f64 {
    (degrees * 1e6).round() / 1e6
}

fn centimetres(metres: f64) -> f64 {
    (metres * 100.0).round() / 100.0
}
