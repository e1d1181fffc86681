//! When things spoke against how somebody moved: kept by the zones, and made again from their journal by
//! `terrane zone replay`.

use std::time::Duration;

use api::{Problem, timestamp};
use cell::LatLng;
use identity::staff;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sim::Offence;
use utoipa::ToSchema;
use uuid::Uuid;
use zone::MovementStretch;

use crate::refusal::Refusal;
use crate::service::Staff;

/// What is worth seeing before the first offence.
const BEFORE: Duration = Duration::from_secs(5);

/// A while in which things spoke against how somebody moved. It proves nothing: lines are bad, and clocks run fast.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "entity_id": 17,
    "first_tick": 54_150,
    "last_tick": 54_660,
    "last_at": "2026-11-22T12:00:00Z",
    "lat_deg": 40.7,
    "lng_deg": -74.0,
    "score_max": 420,
    "set_backs": 1,
    "offences": [{ "offence": "too_fast", "count": 21 }],
    "replay": "terrane zone replay --from 54000 --to 54660 --body 17"
}))]
pub(crate) struct MovementView {
    /// Whose body.
    pub(crate) entity_id: u32,
    /// The tick of the first offence.
    pub(crate) first_tick: u64,
    /// The tick of the last.
    pub(crate) last_tick: u64,
    /// When that was.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) last_at: Timestamp,
    /// Where the body was then: latitude in degrees.
    pub(crate) lat_deg: f64,
    /// Longitude in degrees.
    pub(crate) lng_deg: f64,
    /// The highest score; from 200 on it is shown here, at 400 the body is set back to where it last was beyond doubt.
    pub(crate) score_max: u32,
    /// How often that happened.
    pub(crate) set_backs: u32,
    /// What it was, and how often.
    pub(crate) offences: Vec<OffenceView>,
    /// What prints the way that the body went, on the machine with the planet's data; the zones' journal keeps the last
    /// `zone.journal_minutes`.
    pub(crate) replay: String,
}

/// How often something spoke against somebody.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct OffenceView {
    /// `too_fast`: more inputs than time; `sequence_jump`: inputs numbered far ahead; `flood`: more messages than allowed;
    /// `broken_message`: one that no client makes; `impossible_move`: one that the rules do not know.
    pub(crate) offence: String,
    /// How often.
    pub(crate) count: u32,
}

impl Staff {
    /// What spoke against how somebody moved since this process runs the world, the newest first.
    pub(crate) async fn movement(&self, account_id: Uuid) -> Result<Vec<MovementView>, Problem> {
        let known = self.deps.store.read(move |tx| {
            staff::person(tx, account_id)?.ok_or(Refusal::NoSuchPerson)?;
            Ok::<_, Refusal>(())
        });
        known.await?;
        let Some(zone) = &self.deps.zone else { return Ok(vec![]) };
        let before_ticks = BEFORE.as_secs() * u64::from(zone.pace().hz());
        Ok(zone.movement(account_id).iter().map(|it| MovementView::of(it, before_ticks)).collect())
    }
}

impl MovementView {
    fn of(MovementStretch { stretch, last_at_us, .. }: &MovementStretch, before_ticks: u64) -> Self {
        let place = LatLng::from_point(stretch.last_place.normalize_or(glam::DVec3::X));
        let counted = Offence::ALL.into_iter().zip(stretch.offences).filter(|(_, count)| *count > 0);
        let from = stretch.first_tick.saturating_sub(before_ticks);
        let (to, body) = (stretch.last_tick, stretch.entity.0);
        Self {
            entity_id: body,
            first_tick: stretch.first_tick,
            last_tick: stretch.last_tick,
            last_at: timestamp(*last_at_us),
            lat_deg: place.lat_deg(),
            lng_deg: place.lng_deg(),
            score_max: stretch.score_max,
            set_backs: stretch.set_backs,
            offences: counted
                .map(|(offence, count)| OffenceView { offence: offence.name().to_owned(), count })
                .collect(),
            replay: format!("terrane zone replay --from {from} --to {to} --body {body}"),
        }
    }
}
