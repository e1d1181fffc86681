//! `terrane planet hash|arrival`.

use cell::LatLng;
use planet::{Planet, PlanetSpec};

use crate::cli::{PlanetCommand, SpecArgs};
use crate::progress::say;

pub(crate) fn run(command: &PlanetCommand) {
    match command {
        PlanetCommand::Hash(spec) => {
            say(format_args!("{:016x}", planet::golden_hash(PlanetSpec::from(spec))));
        }
        PlanetCommand::Arrival(spec) => {
            let planet = Planet::generate(PlanetSpec::from(spec));
            let ground = planet.arrival().ground;
            let place = LatLng::from_point(ground);
            say(format_args!(
                "{:.6},{:.6}  {:.1} m above the sea, {}",
                place.lat_deg(),
                place.lng_deg(),
                planet.elevation_m(ground),
                planet.biome(ground).name(),
            ));
        }
    }
}

impl From<&SpecArgs> for PlanetSpec {
    fn from(arguments: &SpecArgs) -> Self {
        Self { seed: arguments.seed, shift: arguments.shift, ..Self::default() }
    }
}
