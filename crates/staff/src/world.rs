//! The whole planet at a glance: who is where, and how the zones do.

use std::collections::HashMap;

use api::Problem;
use cell::{CellId, LatLng};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use zone::ZoneInfo;

use crate::borders::border;
use crate::service::Staff;

/// People that are shown by name and place; of more, those with the lowest ids.
const PEOPLE_MAX: usize = 2_000;

/// The world as it is now.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "host": {
        "is_alive": true,
        "tick": 108_000,
        "load": 0.04,
        "connected": 1,
        "skipped_ticks": 0,
        "dropped_frames": 0
    },
    "zones": [{
        "name": "zone 1",
        "load": 0.04,
        "bodies": 1,
        "recoveries": 0,
        "border": [[[-45.0, 35.3], [45.0, 35.3]]]
    }],
    "people_count": 1,
    "people": [{
        "account_id": "019aa5c3-1f00-7000-8000-000000000001",
        "display_name": "Ann",
        "zone": "zone 1",
        "lat_deg": 40.7,
        "lng_deg": -74.0,
        "altitude_m": 12.5
    }]
}))]
pub(crate) struct WorldView {
    /// What turns the zones; absent where this process runs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<HostView>,
    /// Every zone that this process has, from the first cell of the planet to the last.
    pub(crate) zones: Vec<ZoneView>,
    /// How many people have a body.
    pub(crate) people_count: usize,
    /// Who is where; two thousand at most.
    pub(crate) people: Vec<PlacedView>,
}

/// What turns the zones of a process.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct HostView {
    /// Whether it runs.
    pub(crate) is_alive: bool,
    /// Ticks since the world began.
    pub(crate) tick: u64,
    /// The share of its time in which it works, over the last second; above 1 it falls behind.
    pub(crate) load: f64,
    /// Connected players.
    pub(crate) connected: usize,
    /// Ticks left out because it was behind.
    pub(crate) skipped_ticks: u64,
    /// Frames dropped for slow readers.
    pub(crate) dropped_frames: u64,
}

/// How a zone does.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ZoneView {
    /// Its name.
    pub(crate) name: String,
    /// The share of a tick that its own work takes, of 95 ticks in 100.
    pub(crate) load: f64,
    /// Bodies, those waiting for their player included.
    pub(crate) bodies: usize,
    /// How often it was made again after it had failed.
    pub(crate) recoveries: u64,
    /// Lines along its border, each of longitudes and latitudes in degrees; none where it has the whole planet.
    pub(crate) border: Vec<Vec<[f64; 2]>>,
}

/// Where somebody is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PlacedView {
    /// Who.
    pub(crate) account_id: Uuid,
    /// What they are called.
    pub(crate) display_name: String,
    /// In which zone.
    pub(crate) zone: String,
    /// Latitude in degrees.
    pub(crate) lat_deg: f64,
    /// Longitude in degrees.
    pub(crate) lng_deg: f64,
    /// Above sea level.
    pub(crate) altitude_m: f64,
}

impl Staff {
    /// Who is where, at most a tenth of a second ago.
    pub(crate) async fn world(&self) -> Result<WorldView, Problem> {
        let Some(zone) = &self.deps.zone else {
            return Ok(WorldView { host: None, zones: Vec::new(), people_count: 0, people: Vec::new() });
        };
        let zones = zone.zones();
        let mut people = zone.people();
        let people_count = people.len();
        people.truncate(PEOPLE_MAX);
        let ids: Vec<Uuid> = people.iter().map(|it| it.0).collect();
        let names: HashMap<Uuid, String> = self
            .deps
            .store
            .read(move |tx| {
                let mut names = HashMap::new();
                for id in &ids {
                    names.extend(identity::display_name(tx, *id)?.map(|name| (*id, name)));
                }
                Ok::<_, store::Error>(names)
            })
            .await?;
        let placed = people.into_iter().map(|(account_id, at)| {
            let direction = at.normalize_or(glam::DVec3::X);
            let place = LatLng::from_point(direction);
            let cell = CellId::from_point(direction);
            let home = zones.iter().find(|it| (it.first.range_min()..=it.last.range_max()).contains(&cell));
            PlacedView {
                account_id,
                display_name: names.get(&account_id).cloned().unwrap_or_default(),
                zone: home.map(name_of).unwrap_or_default(),
                lat_deg: place.lat_deg(),
                lng_deg: place.lng_deg(),
                altitude_m: at.length() - self.deps.radius_m,
            }
        });
        Ok(WorldView {
            host: Some(HostView::of(zone)),
            people_count,
            people: placed.collect(),
            zones: zones.iter().map(ZoneView::of).collect(),
        })
    }
}

impl HostView {
    fn of(zone: &zone::Handle) -> Self {
        let stats = zone.stats();
        Self {
            is_alive: zone.is_alive(),
            tick: stats.tick,
            load: stats.load,
            connected: stats.connected,
            skipped_ticks: stats.skipped_ticks,
            dropped_frames: stats.dropped_frames,
        }
    }
}

impl ZoneView {
    fn of(zone: &ZoneInfo) -> Self {
        Self {
            name: name_of(zone),
            load: zone.load,
            bodies: zone.bodies,
            recoveries: zone.recoveries,
            border: border(zone.first, zone.last),
        }
    }
}

fn name_of(zone: &ZoneInfo) -> String {
    format!("zone {}", zone.id.0)
}
