//! `GET /api/v1/planet/weather`: day and weather at a place, now or at another time.
//!
//! They are computed, as the browser computes them, from the planet and the planet's clock: nothing is kept.

use std::sync::Arc;

use api::{Problem, SharedClock, ValidQuery, kinds, timestamp};
use axum::Json;
use axum::extract::State;
use cell::{LatLng, TangentFrame};
use glam::DVec3;
use planet::{Heaven, Planet, PlanetTime};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Weather is told for the years 1970 to 2261: beyond them clocks have no microseconds.
const YEARS_US: std::ops::RangeInclusive<i64> = 0..=9_214_646_399_000_000;

/// The routes of this file.
pub fn weather_routes(planet: Arc<Planet>, day_length_s: u32, clock: SharedClock) -> OpenApiRouter {
    let sky = Arc::new(Sky { planet, day_length_s: f64::from(day_length_s), clock });
    OpenApiRouter::new().routes(routes!(weather)).with_state(sky)
}

struct Sky {
    planet: Arc<Planet>,
    day_length_s: f64,
    clock: SharedClock,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WeatherParams {
    /// Geocentric latitude in degrees.
    #[param(minimum = -90, maximum = 90, example = 12.5)]
    lat: f64,
    /// Longitude in degrees.
    #[param(minimum = -180, maximum = 180, example = -40.25)]
    lng: f64,
    /// When, in the years 1970 to 2261; now if it is left out.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-11-21T21:00:00Z")]
    time: Option<jiff::Timestamp>,
}

/// Day and weather at a place.
#[derive(Serialize, ToSchema)]
struct WeatherAnswer {
    /// The moment that this is about.
    #[schema(value_type = String, format = DateTime)]
    time: jiff::Timestamp,
    /// Days of the planet since Unix time 0.
    #[schema(example = 331_481.25)]
    planet_days: f64,
    /// The time of day by the sun: 0 midnight, 0.5 noon.
    #[schema(minimum = 0, maximum = 1, example = 0.55)]
    day_share: f64,
    sun: LightAnswer,
    moon: LightAnswer,
    /// How much of the moon is lit, 0 (new) to 1 (full).
    #[schema(minimum = 0, maximum = 1)]
    moon_lit: f64,
    /// At the ground.
    #[schema(example = 14.5)]
    temperature_c: f64,
    /// Share of the sky that clouds cover.
    #[schema(minimum = 0, maximum = 1)]
    cloud_cover: f64,
    precipitation: PrecipitationAnswer,
    wind: WindAnswer,
    /// 0 none, 1 as thick as it gets.
    #[schema(minimum = 0, maximum = 1)]
    fog: f64,
    /// How far one sees.
    #[schema(example = 42_000)]
    visibility_m: f64,
    /// How wet the ground is from rain.
    #[schema(minimum = 0, maximum = 1)]
    wetness: f64,
    /// How much of level ground lies under new snow.
    #[schema(minimum = 0, maximum = 1)]
    snow_lying: f64,
}

/// Where one of the lights of the sky is seen.
#[derive(Serialize, ToSchema)]
struct LightAnswer {
    /// Over the horizon, below 0 when it has set.
    #[schema(minimum = -90, maximum = 90)]
    height_deg: f64,
    /// Clockwise from north.
    #[schema(minimum = 0, maximum = 360)]
    azimuth_deg: f64,
}

/// What falls.
#[derive(Serialize, ToSchema)]
struct PrecipitationAnswer {
    /// 0 nothing, 1 as hard as it ever falls.
    #[schema(minimum = 0, maximum = 1)]
    intensity: f64,
    /// As water, in an hour of a day of 24.
    mm_per_hour: f64,
    /// How much of it is snow.
    #[schema(minimum = 0, maximum = 1)]
    snow_share: f64,
}

/// The wind at the ground.
#[derive(Serialize, ToSchema)]
struct WindAnswer {
    speed_m_s: f64,
    /// Where it comes from, clockwise from north.
    #[schema(minimum = 0, maximum = 360)]
    from_deg: f64,
}

/// Day and weather at a place
///
/// Computed from the planet and its clock: whoever asks for the same place and time gets the same answer, and the sky
/// over the players is drawn from the same numbers.
#[utoipa::path(get, path = "/api/v1/planet/weather", operation_id = "planet_weather", tag = "planet",
    params(WeatherParams),
    responses(
        (status = 200, description = "What the sky does there", body = WeatherAnswer),
        (status = 400, description = "`invalid_query`: a coordinate is missing, no number, or outside the planet, or the time is not in the years 1970 to 2261", body = Problem, content_type = "application/problem+json"),
    ))]
async fn weather(
    State(sky): State<Arc<Sky>>,
    ValidQuery(WeatherParams { lat, lng, time }): ValidQuery<WeatherParams>,
) -> Result<Json<WeatherAnswer>, Problem> {
    let fault = |name: &str, rule: String| Problem::from(kinds::INVALID_QUERY).parameter(name, rule);
    let place = LatLng::from_degrees(lat, lng).map_err(|error| {
        fault(if (-90.0..=90.0).contains(&lat) { "lng" } else { "lat" }, error.to_string())
    })?;
    let unix_us = time.map_or_else(|| sky.clock.now_us(), jiff::Timestamp::as_microsecond);
    if !YEARS_US.contains(&unix_us) {
        return Err(fault("time", "must be in the years 1970 to 2261".to_owned()));
    }
    // Tens of microseconds of arithmetic, and a sheet of land at most: no reason to leave the thread.
    Ok(Json(sky.answer(place.to_point(), unix_us)))
}

impl Sky {
    fn answer(&self, place: DVec3, unix_us: i64) -> WeatherAnswer {
        let time = PlanetTime::at(unix_us as f64 / 1e6, self.day_length_s);
        let heaven = Heaven::at(time);
        let ground_m = self.planet.elevation_m(place).max(0.0);
        let weather = self.planet.weather(&self.planet.weather_site(place, ground_m), time);
        let frame = TangentFrame::at(place);
        let wind = weather.wind_m_s;
        WeatherAnswer {
            time: timestamp(unix_us),
            planet_days: time.days,
            day_share: heaven.day_share(place),
            sun: LightAnswer::of(heaven.sun, &frame),
            moon: LightAnswer::of(heaven.moon, &frame),
            moon_lit: heaven.moon_lit().clamp(0.0, 1.0),
            temperature_c: weather.overhead.temperature_c,
            cloud_cover: weather.overhead.cloud_cover,
            precipitation: PrecipitationAnswer {
                intensity: weather.overhead.precipitation,
                mm_per_hour: weather.precipitation_mm_h(),
                snow_share: weather.overhead.snow_share,
            },
            wind: WindAnswer { speed_m_s: wind.length(), from_deg: azimuth_deg(-wind, &frame) },
            fog: weather.fog,
            visibility_m: weather.visibility_m().round(),
            wetness: weather.wetness,
            snow_lying: weather.snow_lying,
        }
    }
}

impl LightAnswer {
    fn of(light: DVec3, frame: &TangentFrame) -> Self {
        let height_rad = libm::asin(light.dot(frame.up).clamp(-1.0, 1.0));
        Self { height_deg: height_rad.to_degrees(), azimuth_deg: azimuth_deg(light, frame) }
    }
}

/// The direction of a vector along the ground, clockwise from north.
fn azimuth_deg(vector: DVec3, frame: &TangentFrame) -> f64 {
    let (east, north) = (vector.dot(frame.east), vector.dot(frame.north));
    libm::atan2(east, north).to_degrees().rem_euclid(360.0)
}
