//! Cells of the sphere: where they are, what is around them.
//!
//! A cell is its S2 id; 0 stands for none. Points are directions, written as unit vectors.

use cell::{CellId, LatLng, MAX_LEVEL, cover_cap, ij_axes};
use glam::DVec3;

use crate::write_values;

/// Room that [`cell_neighbors`] needs, in ids.
pub const NEIGHBORS_MAX: usize = 8;

/// 1 if the number is the id of a cell, else 0.
#[unsafe(no_mangle)]
pub extern "C" fn cell_is_valid(raw: u64) -> u32 {
    u32::from(CellId::try_from_raw(raw).is_some())
}

/// The cell of a level under the direction (x, y, z); 0 if the level is above 30.
#[unsafe(no_mangle)]
pub extern "C" fn cell_from_point(x: f64, y: f64, z: f64, level: u32) -> u64 {
    parse_level(level).map_or(0, |level| CellId::from_point(DVec3::new(x, y, z)).parent(level).raw())
}

/// The cell of a level at a latitude and longitude in degrees; 0 if they are out of range.
#[unsafe(no_mangle)]
pub extern "C" fn cell_from_lat_lng(lat_deg: f64, lng_deg: f64, level: u32) -> u64 {
    let (Ok(place), Some(level)) = (LatLng::from_degrees(lat_deg, lng_deg), parse_level(level)) else {
        return 0;
    };
    CellId::from_lat_lng(place).parent(level).raw()
}

/// The cell's level; 0 if there is no such cell.
#[unsafe(no_mangle)]
pub extern "C" fn cell_level(raw: u64) -> u32 {
    CellId::try_from_raw(raw).map_or(0, |cell| u32::from(cell.level()))
}

/// The ancestor at a level; 0 if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn cell_parent(raw: u64, level: u32) -> u64 {
    let (Some(cell), Some(level)) = (CellId::try_from_raw(raw), parse_level(level)) else { return 0 };
    if level <= cell.level() { cell.parent(level).raw() } else { 0 }
}

/// Solid angle in steradians, to be multiplied by the square of the radius; 0 if there is no such cell.
#[unsafe(no_mangle)]
pub extern "C" fn cell_area_sr(raw: u64) -> f64 {
    CellId::try_from_raw(raw).map_or(0.0, CellId::area_sr)
}

/// Writes the centre, three `f64`, and returns 1; 0 if there is no such cell.
///
/// # Safety
/// `out` has room for three `f64`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cell_center(raw: u64, out: *mut f64) -> u32 {
    let Some(cell) = CellId::try_from_raw(raw) else { return 0 };
    // SAFETY: the caller's promise above.
    unsafe { write_values(out, &cell.center().to_array()) };
    1
}

/// Writes the four corners counter-clockwise, twelve `f64`, and returns 1; 0 if there is no such cell.
///
/// # Safety
/// `out` has room for twelve `f64`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cell_corners(raw: u64, out: *mut f64) -> u32 {
    let Some(cell) = CellId::try_from_raw(raw) else { return 0 };
    // SAFETY: the caller's promise above.
    unsafe { write_values(out, cell.corners().map(|corner| corner.to_array()).as_flattened()) };
    1
}

/// Writes the cells of the same level that touch the cell and returns how many: 8, or 7 at a corner of the cube.
///
/// # Safety
/// `out` has room for [`NEIGHBORS_MAX`] ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cell_neighbors(raw: u64, out: *mut u64) -> u32 {
    let Some(cell) = CellId::try_from_raw(raw) else { return 0 };
    let neighbors = cell.all_neighbors();
    for (index, neighbor) in neighbors.iter().enumerate() {
        // SAFETY: the caller's promise above, and a cell has no more neighbours.
        unsafe { out.add(index).write(neighbor.raw()) };
    }
    neighbors.len() as u32
}

/// Writes the cells of a level within an angle of a direction, in curve order, and returns how many there are. If
/// that is more than `capacity`, or the level is above 30 (then `u32::MAX`), nothing is written.
///
/// # Safety
/// `out` has room for `capacity` ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cell_cover_cap(
    x: f64,
    y: f64,
    z: f64,
    radius_rad: f64,
    level: u32,
    out: *mut u64,
    capacity: u32,
) -> u32 {
    let Some(Ok(cells)) = parse_level(level).map(|level| cover_cap(DVec3::new(x, y, z), radius_rad, level))
    else {
        return u32::MAX;
    };
    if cells.len() <= capacity as usize {
        let ids: Vec<u64> = cells.iter().map(|cell| cell.raw()).collect();
        // SAFETY: the caller's promise above.
        unsafe { write_values(out, &ids) };
    }
    cells.len() as u32
}

/// Writes the ground directions of growing i and growing j at a point of a face: six `f64`.
///
/// # Safety
/// `out` has room for six `f64`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cell_ij_axes(face: u32, x: f64, y: f64, z: f64, out: *mut f64) {
    let (i_axis, j_axis) = ij_axes(face.min(5) as u8, DVec3::new(x, y, z));
    // SAFETY: the caller's promise above.
    unsafe {
        write_values(out, &i_axis.to_array());
        write_values(out.add(3), &j_axis.to_array());
    }
}

/// Writes latitude and longitude in degrees of a direction: two `f64`.
///
/// # Safety
/// `out` has room for two `f64`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn point_to_lat_lng(x: f64, y: f64, z: f64, out: *mut f64) {
    let place = LatLng::from_point(DVec3::new(x, y, z));
    // SAFETY: the caller's promise above.
    unsafe { write_values(out, &[place.lat_deg(), place.lng_deg()]) }
}

/// Writes the unit vector of a latitude and longitude in degrees and returns 1; 0 if they are out of range.
///
/// # Safety
/// `out` has room for three `f64`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn point_from_lat_lng(lat_deg: f64, lng_deg: f64, out: *mut f64) -> u32 {
    let Ok(place) = LatLng::from_degrees(lat_deg, lng_deg) else { return 0 };
    // SAFETY: the caller's promise above.
    unsafe { write_values(out, &place.to_point().to_array()) };
    1
}

fn parse_level(level: u32) -> Option<u8> {
    u8::try_from(level).ok().filter(|level| *level <= MAX_LEVEL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_answers_what_the_cell_does() {
        let direction = DVec3::new(0.2, 0.9, -0.4);
        let cell = CellId::from_point(direction).parent(15);
        let raw = cell.raw();
        assert_eq!(cell_from_point(0.2, 0.9, -0.4, 15), raw);
        assert_eq!((cell_is_valid(raw), cell_level(raw)), (1, 15));
        assert_eq!(cell_parent(raw, 14), cell.parent(14).raw());
        assert_eq!(cell_area_sr(raw), cell.area_sr());
        let (mut corners, mut neighbors) = ([[0.0; 3]; 4], [0; NEIGHBORS_MAX]);
        // SAFETY: arrays of the sizes asked for.
        unsafe {
            assert_eq!(cell_corners(raw, corners.as_mut_ptr().cast()), 1);
            assert_eq!(cell_neighbors(raw, neighbors.as_mut_ptr()), 8);
        }
        assert_eq!(corners.map(DVec3::from_array), cell.corners());
        assert!(neighbors.iter().all(|raw| cell.all_neighbors().iter().any(|cell| cell.raw() == *raw)));
    }

    #[test]
    fn a_place_survives_the_way_to_degrees_and_back() {
        let (mut degrees, mut point) = ([0.0; 2], [0.0; 3]);
        // SAFETY: arrays of the sizes asked for.
        unsafe {
            assert_eq!(point_from_lat_lng(47.3, 8.5, point.as_mut_ptr()), 1);
            point_to_lat_lng(point[0], point[1], point[2], degrees.as_mut_ptr());
        }
        assert!((degrees[0] - 47.3).abs() < 1e-12 && (degrees[1] - 8.5).abs() < 1e-12);
        let [x, y, z] = point;
        assert_eq!(cell_from_lat_lng(47.3, 8.5, 30), cell_from_point(x, y, z, 30));
    }

    #[test]
    fn a_covering_is_written_only_where_it_fits() {
        let mut cells = [0; 64];
        let mut cover = |radius_rad, level, capacity| {
            // SAFETY: no capacity below is more than the array has.
            unsafe { cell_cover_cap(1.0, 0.1, 0.1, radius_rad, level, cells.as_mut_ptr(), capacity) }
        };
        let count = cover(2e-4, 14, 64);
        assert!((5..64).contains(&count));
        assert_eq!(cover(2e-4, 14, 3), count);
        assert_eq!(cover(2e-4, 31, 64), u32::MAX);
        assert_eq!(cover(3.0, 20, 64), u32::MAX);
        let expected = cover_cap(DVec3::new(1.0, 0.1, 0.1), 2e-4, 14).expect("a small cap");
        assert!(expected.iter().map(|cell| cell.raw()).eq(cells[..count as usize].iter().copied()));
    }

    #[test]
    fn what_is_no_cell_or_no_place_is_answered_with_none() {
        for raw in [0, u64::MAX, 2, 0xd << 60] {
            assert_eq!((cell_is_valid(raw), cell_level(raw), cell_parent(raw, 0)), (0, 0, 0));
            assert_eq!(cell_area_sr(raw), 0.0);
        }
        assert_eq!(cell_from_point(1.0, 0.0, 0.0, 31), 0);
        assert_eq!(cell_from_lat_lng(91.0, 0.0, 15), 0);
        assert_eq!(cell_from_lat_lng(f64::NAN, 0.0, 15), 0);
        assert_eq!(cell_parent(cell_from_point(1.0, 0.0, 0.0, 5), 6), 0);
    }
}
