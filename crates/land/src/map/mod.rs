//! Maps of land: outlines, vector tiles, GeoJSON.

pub(crate) mod answer;
pub(crate) mod geojson;
pub(crate) mod mvt;
pub(crate) mod outline;
pub(crate) mod tile;
pub(crate) mod xyz;
