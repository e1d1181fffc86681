use std::f64::consts::TAU;

use glam::DVec3;

use super::*;

/// Hostile and plain positions: lattice planes, negative, huge, tiny, not numbers.
fn hostile() -> Positions {
    let values = [
        0.0,
        -0.0,
        0.5,
        -0.5,
        1.0,
        -1.0,
        1e-300,
        -1e-17,
        127.999_999_999,
        -4_096.0,
        6_371_000.0,
        -6_371_000.25,
        2_147_483_648.5,
        1e17,
        f64::INFINITY,
        f64::NAN,
    ];
    let mut positions = Positions::default();
    for x in values {
        for y in values {
            for z in values {
                positions.push(DVec3::new(x, y, z));
            }
        }
    }
    positions
}

/// Some hundreds of places, evenly about the sphere of the default planet, in metres.
fn sphere() -> Positions {
    crate::arrival::even_points(1_001).map(|unit| unit * 796_375.0).collect()
}

const CREST: Crest = Crest { share: 0.07, width: 10.0 };

#[test]
fn every_instruction_set_and_one_place_alone_give_the_same_bits() {
    let check = |positions: &Positions, fbm: &Fbm, octaves: usize| {
        let alone: Vec<[u32; 2]> = positions
            .iter()
            .map(|at| [fbm.sum_at(at, octaves), fbm.ridges_at(at, octaves, CREST)].map(bits))
            .collect();
        for set in InstructionSet::available() {
            let (mut sums, mut ridges) = (vec![9.0; positions.len()], vec![9.0; positions.len()]);
            fbm.sum_with(set, positions, octaves, &mut sums);
            fbm.ridges_with(set, positions, octaves, CREST, &mut ridges);
            for (index, (sum, ridge)) in sums.into_iter().zip(ridges).enumerate() {
                assert_eq!([bits(sum), bits(ridge)], alone[index], "{set:?} at {:?}", positions.get(index));
            }
        }
    };
    let fbm = Fbm::new(7, 3, 1.0 / 70.0, 0.5, 20);
    for octaves in [0, 1, 6, 8, 9, 20] {
        check(&sphere(), &fbm, octaves);
        check(&hostile(), &fbm, octaves);
    }
    check(&sphere(), &Fbm::new(u64::MAX, 0, 3.0, 0.6, 6), 6);
    // What is left over from a block of 128, and from a vector.
    for length in (0..20).chain(120..150) {
        check(&sphere().iter().take(length).collect(), &fbm, 3);
    }
}

/// The bits of a value; those of all that is not a number are one.
fn bits(value: f32) -> u32 {
    if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() }
}

#[test]
fn the_noise_of_version_two_is_pinned() {
    let fbm = Fbm::new(1, 2, 1.0 / 250.0, 0.5, 6);
    let mut hash = 0_u64;
    for at in sphere().iter() {
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3) ^ u64::from(fbm.sum_at(at, 6).to_bits());
    }
    assert_eq!(hash, 0xfb21_1554_d94d_b658, "{hash:#x}");
}

/// Values of an octave along a line that is not aligned with the lattice.
fn line(fbm: &Fbm) -> Vec<f32> {
    let positions: Positions =
        (0..200_000).map(|step| DVec3::new(0.037, 0.021, -0.033) * f64::from(step)).collect();
    let mut values = vec![0.0; positions.len()];
    fbm.sum(&positions, 1, &mut values);
    values
}

fn octave(seed: u64, salt: u64) -> Fbm {
    Fbm::new(seed, salt, 1.0, 0.5, 1)
}

#[test]
fn noise_is_bounded_centred_and_lively() {
    for seed in 0..4 {
        let values: Vec<f64> = line(&octave(seed, 1)).into_iter().map(f64::from).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let deviation = (values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64).sqrt();
        let peak = values.iter().fold(0.0_f64, |peak, value| peak.max(value.abs()));
        assert!(mean.abs() < 0.02, "mean {mean}");
        assert!((0.2..0.32).contains(&deviation), "deviation {deviation}");
        assert!((0.7..1.2).contains(&peak), "peak {peak}");
    }
}

/// Correlation of two lists of numbers whose mean is zero.
fn correlation(one: &[f32], other: &[f32]) -> f64 {
    let product =
        |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    product(one, other) / (product(one, one) * product(other, other)).sqrt()
}

#[test]
fn fields_of_different_salts_and_seeds_are_unrelated() {
    let base = line(&octave(1, 1));
    for other in [octave(1, 2), octave(2, 1)] {
        let correlation = correlation(&base, &line(&other));
        assert!(correlation.abs() < 0.05, "{correlation}");
    }
}

#[test]
fn octaves_of_a_ladder_are_unrelated() {
    let fbm = Fbm::new(5, 5, 1.0, 1.0, 12);
    let positions: Positions =
        (0..100_000).map(|step| DVec3::new(0.37, 0.21, -0.33) * f64::from(step)).collect();
    let sums: Vec<Vec<f32>> = (0..=12)
        .map(|octaves| {
            let mut sums = vec![0.0; positions.len()];
            fbm.sum(&positions, octaves, &mut sums);
            sums
        })
        .collect();
    let alone: Vec<Vec<f32>> =
        sums.windows(2).map(|pair| pair[1].iter().zip(&pair[0]).map(|(a, b)| a - b).collect()).collect();
    for one in 0..12 {
        for other in 0..one {
            let correlation = correlation(&alone[one], &alone[other]);
            assert!(correlation.abs() < 0.02, "octaves {other} and {one}: {correlation}");
        }
    }
}

/// A gradient that is alike at neighbouring lattice points of some plane would show as a seam in the ground.
#[test]
fn gradients_of_neighbours_are_unrelated_in_every_plane() {
    const SIDE: usize = 24;
    let fbm = octave(11, 4);
    let origin = fbm.lattice_origin();
    // Just beside a lattice point the noise is the slope times the way.
    let slopes = |plane: usize, towards: usize| -> Vec<Vec<f32>> {
        let rows = (0..2 * SIDE).map(|along| {
            (0..SIDE * SIDE)
                .map(|index| {
                    let mut point = [along as f64, (index / SIDE) as f64, (index % SIDE) as f64];
                    point.rotate_right(plane);
                    let mut way = DVec3::ZERO;
                    way[towards] = 1e-3;
                    fbm.sum_at(DVec3::from_array(point) + DVec3::splat(0.5) - origin + way, 1)
                })
                .collect()
        });
        rows.collect()
    };
    for plane in 0..3 {
        for towards in 0..3 {
            let rows = slopes(plane, towards);
            for pair in rows.windows(2) {
                let correlation = correlation(&pair[0], &pair[1]);
                assert!(correlation.abs() < 0.2, "plane {plane}, towards {towards}: {correlation}");
            }
        }
    }
}

#[test]
fn noise_has_no_step_at_lattice_planes_and_keeps_its_slope() {
    let fbm = octave(5, 9);
    let origin = fbm.lattice_origin();
    for step in 0..4_000 {
        let on_plane = DVec3::new(f64::from(step) + 0.5, 0.37 * f64::from(step), 1.1) - origin;
        let value = |offset: f64| f64::from(fbm.sum_at(on_plane + DVec3::X * offset, 1));
        assert!((value(1e-5) - value(-1e-5)).abs() < 1e-4);
        let (before, after) = ((value(0.0) - value(-1e-2)) / 1e-2, (value(1e-2) - value(0.0)) / 1e-2);
        assert!((after - before).abs() < 0.05, "{before} {after}");
    }
}

#[test]
fn millimetres_are_told_apart_on_a_planet_of_earths_size() {
    let fbm = Fbm::new(3, 3, 1.0 / 4.0, 0.5, 1);
    let at = DVec3::new(0.36, -0.48, 0.8) * 6_371_000.0;
    let mut last = fbm.sum_at(at, 1);
    let mut steps = 0;
    for millimetre in 1..=2_000 {
        let value = fbm.sum_at(at + DVec3::X * 1e-3 * f64::from(millimetre), 1);
        assert!((value - last).abs() < 2e-3, "a step of {} at {millimetre} mm", value - last);
        steps += usize::from(value != last);
        last = value;
    }
    assert!(steps > 1_900, "only {steps} of 2000 steps are seen");
}

#[test]
fn positions_of_a_fine_octave_are_exact_enough() {
    // The same octave found afresh and through seven doublings, moved to the same lattice: nearly the same.
    let long = Fbm::new(8, 8, 1.0 / 512.0, 1.0, 8);
    for index in 0..1_000 {
        let turn = TAU * f64::from(index) / 1_000.0;
        let at = DVec3::new(libm::sin(turn), libm::cos(turn), 0.3) * 796_375.0;
        let there = at + DVec3::new(2e-4, -2e-4, 1e-4);
        let change = (long.sum_at(at, 8) - long.sum_at(there, 8)).abs();
        assert!(change < 2e-3, "0.3 mm change 4 m waves by {change}");
    }
}

#[test]
fn warped_positions_move_by_their_fields() {
    let mut positions: Positions = [DVec3::ZERO, DVec3::X].into_iter().collect();
    positions.warp([&[1.0, 2.0], &[0.0, -1.0], &[0.5, 0.0]], 2.0);
    let moved: Vec<DVec3> = positions.iter().collect();
    assert_eq!(moved, [DVec3::new(2.0, 0.0, 1.0), DVec3::new(5.0, -2.0, 0.0)]);
}

#[test]
fn octaves_are_counted_by_their_waves() {
    let fbm = Fbm::new(1, 1, 1.0 / 64.0, 0.5, 6);
    assert_eq!(
        [100.0, 64.0, 33.0, 32.0, 2.0, 0.0].map(|wave| fbm.octaves_longer_than(wave)),
        [0, 1, 1, 2, 6, 6]
    );
}
