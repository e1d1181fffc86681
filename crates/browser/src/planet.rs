//! The planet: heights, climate and where to arrive.

use glam::DVec3;
use planet::{Biome, Planet, PlanetSpec, SHIFT_MAX, golden_hash};

use crate::write_values;

/// Room that [`biome_name`] needs.
pub const BIOME_NAME_BYTES_MAX: usize = 32;

/// Makes a planet and returns its handle, 0 if the shift is above 9. It lives as long as the instance.
#[unsafe(no_mangle)]
pub extern "C" fn planet_new(seed: u64, shift: u32) -> usize {
    spec(seed, shift)
        .map_or(0, |spec| std::ptr::from_ref(Box::leak(Box::new(Planet::generate(spec)))).expose_provenance())
}

/// The planet of a handle.
///
/// # Safety
/// `handle` came from [`planet_new`] and is not 0.
pub(crate) unsafe fn planet_ref(handle: usize) -> &'static Planet {
    // SAFETY: the caller's promise above; the planet was leaked, so it lives for ever.
    unsafe { &*std::ptr::with_exposed_provenance::<Planet>(handle) }
}

/// Distance of the sea surface from the centre, metres.
///
/// # Safety
/// `planet` is a handle of [`planet_new`], not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_radius_m(planet: usize) -> f64 {
    // SAFETY: the caller's promise above.
    unsafe { planet_ref(planet) }.radius_m()
}

/// Height of the ground over the sea under the direction (x, y, z), metres.
///
/// # Safety
/// `planet` is a handle of [`planet_new`], not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_elevation_m(planet: usize, x: f64, y: f64, z: f64) -> f64 {
    // SAFETY: the caller's promise above.
    unsafe { planet_ref(planet) }.elevation_m(DVec3::new(x, y, z))
}

/// Number of the biome under a direction; [`biome_name`] has its name.
///
/// # Safety
/// `planet` is a handle of [`planet_new`], not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_biome(planet: usize, x: f64, y: f64, z: f64) -> u32 {
    // SAFETY: the caller's promise above.
    unsafe { planet_ref(planet) }.biome(DVec3::new(x, y, z)) as u32
}

/// Writes mean temperature (°C) and yearly rain (mm) under a direction: two `f64`.
///
/// # Safety
/// `planet` is a handle of [`planet_new`], not 0; `out` has room for two `f64`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_climate(planet: usize, x: f64, y: f64, z: f64, out: *mut f64) {
    // SAFETY: the caller's promise above.
    unsafe {
        let climate = planet_ref(planet).climate(DVec3::new(x, y, z));
        write_values(out, &[climate.temperature_c, climate.rain_mm]);
    }
}

/// Writes where newcomers arrive: the direction of the place and the direction to look, six `f64`. The first call
/// takes some tenths of a second.
///
/// # Safety
/// `planet` is a handle of [`planet_new`], not 0; `out` has room for six `f64`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_arrival(planet: usize, out: *mut f64) {
    // SAFETY: the caller's promise above.
    unsafe {
        let arrival = planet_ref(planet).arrival();
        write_values(out, &arrival.ground.to_array());
        write_values(out.add(3), &arrival.facing.to_array());
    }
}

/// The level on this planet for what is at `level_at_default` on a planet of shift 3.
///
/// # Safety
/// `planet` is a handle of [`planet_new`], not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn planet_grid_level(planet: usize, level_at_default: u32) -> u32 {
    let level = u8::try_from(level_at_default).unwrap_or(cell::MAX_LEVEL).min(cell::MAX_LEVEL);
    // SAFETY: the caller's promise above.
    u32::from(unsafe { planet_ref(planet) }.grid_level(level))
}

/// The hash over a fixed set of samples of a planet, equal to the server's; 0 if the shift is above 9.
#[unsafe(no_mangle)]
pub extern "C" fn planet_golden(seed: u64, shift: u32) -> u64 {
    spec(seed, shift).map_or(0, golden_hash)
}

/// Writes the English name of a biome and returns its length in bytes, 0 if there is none of that number.
///
/// # Safety
/// `out` has room for [`BIOME_NAME_BYTES_MAX`] bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn biome_name(number: u32, out: *mut u8) -> u32 {
    let Some(biome) = u8::try_from(number).ok().and_then(Biome::from_number) else { return 0 };
    let name = biome.name().as_bytes();
    // SAFETY: the caller's promise above, and no name is longer (tested).
    unsafe { write_values(out, name) };
    name.len() as u32
}

fn spec(seed: u64, shift: u32) -> Option<PlanetSpec> {
    let shift = u8::try_from(shift).ok().filter(|shift| *shift <= SHIFT_MAX)?;
    Some(PlanetSpec { seed, shift, ..PlanetSpec::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_answers_what_the_planet_does() {
        let spec = PlanetSpec::for_test(7, 6);
        let (planet, handle) = (Planet::generate(spec), planet_new(spec.seed, u32::from(spec.shift)));
        let direction = DVec3::new(0.3, -0.5, 0.8);
        let (mut climate, mut arrival) = ([0.0; 2], [0.0; 6]);
        // SAFETY: a live handle, and arrays of the sizes asked for.
        unsafe {
            assert_eq!(planet_radius_m(handle), planet.radius_m());
            assert_eq!(planet_elevation_m(handle, 0.3, -0.5, 0.8), planet.elevation_m(direction));
            assert_eq!(planet_biome(handle, 0.3, -0.5, 0.8), planet.biome(direction) as u32);
            assert_eq!(planet_grid_level(handle, 14), 11);
            planet_climate(handle, 0.3, -0.5, 0.8, climate.as_mut_ptr());
            planet_arrival(handle, arrival.as_mut_ptr());
        }
        let expected = planet.climate(direction);
        assert_eq!(climate, [expected.temperature_c, expected.rain_mm]);
        assert_eq!(arrival[..3], planet.arrival().ground.to_array());
        assert_eq!(arrival[3..], planet.arrival().facing.to_array());
    }

    #[test]
    fn a_planet_of_no_size_is_refused() {
        assert_eq!(planet_new(1, 10), 0);
        assert_eq!(planet_new(1, u32::MAX), 0);
        assert_eq!(planet_golden(1, 256), 0);
    }

    #[test]
    fn every_biome_has_a_name_that_fits() {
        let mut name = [0; BIOME_NAME_BYTES_MAX];
        for biome in Biome::ALL {
            assert!(biome.name().len() <= BIOME_NAME_BYTES_MAX);
            // SAFETY: the array has the size asked for.
            let length = unsafe { biome_name(biome as u32, name.as_mut_ptr()) } as usize;
            assert_eq!(&name[..length], biome.name().as_bytes());
        }
        // SAFETY: as above.
        assert_eq!(unsafe { biome_name(Biome::ALL.len() as u32, name.as_mut_ptr()) }, 0);
    }
}
