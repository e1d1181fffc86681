//! How long the questions asked most take, beside crate `s2`: `cargo run --release -p cell --example speed`.

use std::hint::black_box;
use std::time::Instant;

use cell::{CellId, cover_cap};
use glam::DVec3;
use s2::cellid::CellID;
use s2::point::Point;

fn main() {
    let points: Vec<DVec3> =
        (0..6).flat_map(|face| CellId::from_face(face).descendants(8)).map(CellId::center).collect();
    let leaves: Vec<CellId> = points.iter().map(|point| CellId::from_point(*point)).collect();
    let oracle = |point: DVec3| Point(s2::r3::vector::Vector { x: point.x, y: point.y, z: point.z });
    let oracle_points: Vec<Point> = points.iter().map(|point| oracle(*point)).collect();
    let oracle_leaves: Vec<CellID> = leaves.iter().map(|leaf| CellID(leaf.raw())).collect();

    measure("leaf of a point", &points, |point| CellId::from_point(*point).raw());
    measure("  crate s2", &oracle_points, |point| CellID::from(point).0);
    measure("centre of a leaf", &leaves, |leaf| leaf.center().x.to_bits());
    measure("  crate s2", &oracle_leaves, |leaf| Point::from(leaf).0.x.to_bits());
    measure("lattice of a leaf", &leaves, |leaf| u64::from(leaf.face_ij().i));
    measure("edge neighbours", &leaves, |leaf| leaf.edge_neighbors()[0].raw());
    measure("  crate s2", &oracle_leaves, |leaf| leaf.edge_neighbors()[0].0);
    let radius_rad = 160.0 / 796_375.0;
    measure("cells within 160 m", &points[..4_096], |point| {
        cover_cap(*point, radius_rad, 14).expect("a small cap").len() as u64
    });
}

/// Best of five, in nanoseconds a call.
fn measure<T>(name: &str, inputs: &[T], ask: impl Fn(&T) -> u64) {
    let once = || {
        let started = Instant::now();
        for input in inputs {
            black_box(ask(black_box(input)));
        }
        started.elapsed().as_secs_f64() * 1e9 / inputs.len() as f64
    };
    let best = (0..5).map(|_| once()).fold(f64::INFINITY, f64::min);
    println!("{name:20} {best:8.1} ns");
}
