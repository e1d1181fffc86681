//! The courses of water: from a node to where it drains, as a line of short straight segments.

use cell::CellId;
use glam::DVec3;

use crate::local::hash;
use crate::local::scale::{Fixed, Scale};
use crate::local::sheet::Sheet;

/// A straight piece of a reach, in the direction of flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    /// Upper end, from the origin of its sheet.
    pub(crate) start: [i32; 3],
    /// From the upper end to the lower, metres.
    pub(crate) along_m: [f32; 3],
    /// Height of the water, or of the dry bed, at the upper end.
    pub(crate) level_m: f32,
    /// How much lower it is at the lower end, not below 0.
    pub(crate) fall_m: f32,
    /// 0 where no water flows.
    pub(crate) half_width_m: f32,
    /// Depth in the middle, 0 where no water flows.
    pub(crate) depth_m: f32,
}

/// The segments from one node to where it drains.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// Index of the first segment in the sheet.
    pub(crate) first: u32,
    pub(crate) count: u32,
    /// Height of the water, or of the dry bed, at the lower end.
    pub(crate) lowest_m: f32,
    /// The widest and deepest of it.
    pub(crate) half_width_m: f32,
    pub(crate) depth_m: f32,
}

/// How the land drains from one node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    pub(crate) node: CellId,
    pub(crate) from: DVec3,
    pub(crate) to: DVec3,
    pub(crate) level_from_m: f64,
    pub(crate) level_to_m: f64,
    /// Mean discharge here; below [`Stream::DISCHARGE_MIN_M3_S`] no water is seen.
    pub(crate) discharge_m3_s: f64,
    /// Discharge where it ends.
    pub(crate) discharge_to_m3_s: f64,
    /// The line has 2^halvings segments.
    pub(crate) halvings: u32,
}

/// Width and depth of a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stream {
    pub(crate) width_m: f64,
    pub(crate) depth_m: f64,
}

impl Stream {
    /// Least discharge that is seen, on the ground: a brook of 1.8 m.
    pub(crate) const DISCHARGE_MIN_M3_S: f64 = 0.13;

    /// Hydraulic geometry (Leopold and Maddock 1953): width as the root, depth as about the power 0.4 of discharge.
    pub(crate) fn of(discharge_m3_s: f64) -> Self {
        if discharge_m3_s < Self::DISCHARGE_MIN_M3_S {
            return Self { width_m: 0.0, depth_m: 0.0 };
        }
        let root = discharge_m3_s.sqrt();
        // The power 5/12, made of roots that are the same everywhere.
        Self { width_m: 5.0 * root, depth_m: 0.45 * root.sqrt() * libm::cbrt(root) }
    }
}

/// How far a line may leave the straight one between two of its points, over their distance.
const BEND: f64 = 0.15;

/// The points of a course, each halving displaces the middles: keyed by the node, so the same for all who ask.
pub(crate) fn line(seed: u64, course: &Course) -> Vec<DVec3> {
    let bits = hash::further(seed ^ hash::Salt::Course as u64, course.node.raw());
    let count = 1_usize << course.halvings;
    let mut points = vec![course.from; count + 1];
    points[count] = course.to;
    for halving in 0..course.halvings {
        let step = count >> halving;
        for index in 0..1_usize << halving {
            let (a, b) = (points[index * step], points[(index + 1) * step]);
            let chance = hash::unit(hash::further(bits, (u64::from(halving) << 32) | index as u64)) - 0.5;
            let middle = (a + b) * 0.5 + a.cross(b - a) * (2.0 * BEND * chance);
            points[index * step + step / 2] = middle.normalize();
        }
    }
    points
}

/// Heights of the points of a line. `level_at` may lower one, where a shore does; along the line they never rise.
pub(crate) fn levels_m(
    course: &Course,
    points: &[DVec3],
    mut level_at: impl FnMut(DVec3, f64) -> f64,
) -> Vec<f64> {
    let parts = (points.len() - 1) as f64;
    let mut lowest_m = course.level_from_m;
    let level_m = |(index, point): (usize, &DVec3)| {
        if index > 0 {
            let share = index as f64 / parts;
            let linear_m = course.level_from_m + (course.level_to_m - course.level_from_m) * share;
            lowest_m = level_at(*point, linear_m).min(lowest_m);
        }
        lowest_m
    };
    points.iter().enumerate().map(level_m).collect()
}

/// The stream at a share of the way along a course.
pub(crate) fn stream_at(course: &Course, share: f64) -> Stream {
    let start = Stream::of(course.discharge_m3_s);
    if start.width_m <= 0.0 {
        return start;
    }
    // A brook that joins a river stays a brook.
    let end = Stream::of(course.discharge_to_m3_s.min(1.5 * course.discharge_m3_s));
    Stream {
        width_m: start.width_m + (end.width_m - start.width_m) * share,
        depth_m: start.depth_m + (end.depth_m - start.depth_m) * share,
    }
}

/// Puts a reach and its segments into a sheet; `level_at` as in [`levels_m`].
pub(crate) fn lay(
    scale: &Scale,
    course: &Course,
    level_at: impl FnMut(DVec3, f64) -> f64,
    sheet: &mut Sheet,
) {
    let points = line(scale.seed, course);
    let levels_m = levels_m(course, &points, level_at);
    let parts = (points.len() - 1) as f64;
    let fixed: Vec<Fixed> = points.iter().map(|point| scale.fixed(*point)).collect();
    let Sheet { origin, reaches, balls_m, segments } = sheet;
    let origin = *origin;
    let first = segments.len() as u32;
    for index in 0..points.len() - 1 {
        let stream = stream_at(course, (index as f64 + 0.5) / parts);
        let (a, b) = (fixed[index], fixed[index + 1]);
        segments.push(Segment {
            start: std::array::from_fn(|axis| (a[axis] - origin[axis]) as i32),
            along_m: std::array::from_fn(|axis| (b[axis] - a[axis]) as f32 * scale.m_per_fixed()),
            level_m: levels_m[index] as f32,
            fall_m: (levels_m[index] as f32 - levels_m[index + 1] as f32).max(0.0),
            half_width_m: (0.5 * stream.width_m) as f32,
            depth_m: stream.depth_m as f32,
        });
    }
    let laid = &segments[first as usize..];
    let ([x, y, z], radius_m) = ball(scale, origin, &fixed);
    balls_m.push([x, y, z, radius_m]);
    let most = |measure: fn(&Segment) -> f32| laid.iter().map(measure).fold(0.0, f32::max);
    reaches.push(Reach {
        first,
        count: laid.len() as u32,
        lowest_m: laid.iter().map(|segment| segment.level_m - segment.fall_m).fold(f32::INFINITY, f32::min),
        half_width_m: most(|segment| segment.half_width_m),
        depth_m: most(|segment| segment.depth_m),
    });
}

/// A ball around points, metres from the origin.
fn ball(scale: &Scale, origin: Fixed, points: &[Fixed]) -> ([f32; 3], f32) {
    let metres = |point: &Fixed| -> [f32; 3] {
        std::array::from_fn(|axis| (point[axis] - origin[axis]) as f32 * scale.m_per_fixed())
    };
    let (first, last) = (metres(&points[0]), metres(&points[points.len() - 1]));
    let middle: [f32; 3] = std::array::from_fn(|axis| 0.5 * (first[axis] + last[axis]));
    let distance = |point: &Fixed| {
        let away = metres(point);
        let square: f32 = (0..3).map(|axis| (away[axis] - middle[axis]) * (away[axis] - middle[axis])).sum();
        square.sqrt()
    };
    let radius_m = points.iter().map(distance).fold(0.0, f32::max);
    (middle, radius_m * 1.001 + 0.01)
}
