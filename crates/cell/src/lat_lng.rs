//! Latitude and longitude: how people name a place.

use glam::DVec3;
use thiserror::Error;

/// A geocentric latitude and a longitude, in range by construction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatLng {
    lat_rad: f64,
    lng_rad: f64,
}

/// Why two numbers are no place.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum LatLngError {
    /// Beyond a pole, infinite or not a number.
    #[error("the latitude is not between -90 and 90 degrees")]
    Latitude,
    /// More than half a turn, infinite or not a number.
    #[error("the longitude is not between -180 and 180 degrees")]
    Longitude,
}

impl LatLng {
    /// A place in degrees: latitude -90..=90, longitude -180..=180.
    pub fn from_degrees(lat_deg: f64, lng_deg: f64) -> Result<Self, LatLngError> {
        if !(-90.0..=90.0).contains(&lat_deg) {
            return Err(LatLngError::Latitude);
        }
        if !(-180.0..=180.0).contains(&lng_deg) {
            return Err(LatLngError::Longitude);
        }
        Ok(Self { lat_rad: lat_deg.to_radians(), lng_rad: lng_deg.to_radians() })
    }

    /// For angles known to be in range.
    pub(crate) fn from_radians_unchecked(lat_rad: f64, lng_rad: f64) -> Self {
        Self { lat_rad, lng_rad }
    }

    /// The place under a direction. The longitude is 0 or half a turn at the poles.
    pub fn from_point(point: DVec3) -> Self {
        let from_axis = (point.x * point.x + point.y * point.y).sqrt();
        Self { lat_rad: libm::atan2(point.z, from_axis), lng_rad: libm::atan2(point.y, point.x) }
    }

    /// The unit vector of the place.
    pub fn to_point(self) -> DVec3 {
        let (sin_lat, cos_lat) = libm::sincos(self.lat_rad);
        let (sin_lng, cos_lng) = libm::sincos(self.lng_rad);
        DVec3::new(cos_lng * cos_lat, sin_lng * cos_lat, sin_lat)
    }

    /// Latitude in radians, north positive.
    pub fn lat_rad(self) -> f64 {
        self.lat_rad
    }

    /// Longitude in radians, east positive.
    pub fn lng_rad(self) -> f64 {
        self.lng_rad
    }

    /// Latitude in degrees, for text.
    pub fn lat_deg(self) -> f64 {
        self.lat_rad.to_degrees()
    }

    /// Longitude in degrees, for text.
    pub fn lng_deg(self) -> f64 {
        self.lng_rad.to_degrees()
    }
}
