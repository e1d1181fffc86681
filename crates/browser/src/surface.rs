//! What is seen of a cell's ground: the ground itself, and the water where it covers it.

use cell::CellId;
use glam::DVec3;
use planet::{Patch, Planet};

use crate::mesh::mean_edge_m;

/// The seen surface of a patch, its border included.
pub(crate) struct Surface {
    pub(crate) patch: Patch,
    /// Unit vectors of the vertices.
    pub(crate) directions: Vec<DVec3>,
    /// Metres from the planet's centre.
    pub(crate) points: Vec<DVec3>,
    spacing_m: f64,
}

/// Which way a surface looks at a vertex, and how it bends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Form {
    pub(crate) normal: DVec3,
    /// How much lower the ground is than that around it, over the distance to it: -1 on a peak to 1 in a pit.
    pub(crate) concavity: f64,
}

impl Surface {
    pub(crate) fn of(planet: &Planet, cell: CellId, quads: u32, border: u32) -> Self {
        let patch = planet.patch(cell, quads, border);
        let directions: Vec<_> = Patch::directions(cell, quads, border).collect();
        let heights = patch.elevations_m.iter().zip(&patch.water_m);
        // Of a number and NaN, `max` is the number.
        let heights = heights.map(|(ground_m, water_m)| f64::from(ground_m.max(*water_m)));
        let points =
            directions.iter().zip(heights).map(|(up, height_m)| *up * (planet.radius_m() + height_m));
        let points = points.collect();
        let spacing_m = mean_edge_m(cell, planet.radius_m()) / f64::from(quads);
        Self { patch, directions, points, spacing_m }
    }

    /// Index of the vertex (x, y) of the cell itself.
    pub(crate) fn vertex(&self, x: usize, y: usize) -> usize {
        let border = self.patch.border as usize;
        (y + border) * self.patch.side() + x + border
    }

    /// The form at a vertex that has others on all sides.
    pub(crate) fn form(&self, vertex: usize) -> Form {
        let side = self.patch.side();
        let [west, east, south, north] = [vertex - 1, vertex + 1, vertex - side, vertex + side];
        let ground = |at: usize| f64::from(self.patch.elevations_m[at]);
        let around = (ground(west) + ground(east) + ground(south) + ground(north)) / 4.0;
        let points = &self.points;
        Form {
            normal: (points[east] - points[west])
                .cross(points[north] - points[south])
                .normalize_or(self.directions[vertex]),
            concavity: ((around - ground(vertex)) / self.spacing_m).clamp(-1.0, 1.0),
        }
    }
}

/// How the parent of a tile looks at the tile's own vertices.
pub(crate) struct ParentSurface {
    surface: Surface,
}

impl ParentSurface {
    /// None for a tile without a parent.
    pub(crate) fn of(planet: &Planet, cell: CellId, quads: u32) -> Option<Self> {
        // The parent has as many quads over four cells. Its detail goes by their size, so this quarter is a patch.
        (cell.level() > 0).then(|| Self { surface: Surface::of(planet, cell, quads / 2, 1) })
    }

    /// Distance from the planet's centre and form at the tile's vertex (x, y).
    pub(crate) fn at(&self, x: usize, y: usize) -> (f64, Form) {
        // Each quad is cut along the diagonal from its first corner to its last: a vertex is in the middle of an edge.
        let first = self.surface.vertex(x / 2, y / 2);
        let last = self.surface.vertex(x.div_ceil(2), y.div_ceil(2));
        let points = &self.surface.points;
        let [a, b] = [first, last].map(|vertex| self.surface.form(vertex));
        let form = Form {
            normal: (a.normal + b.normal).normalize_or(a.normal),
            concavity: f64::midpoint(a.concavity, b.concavity),
        };
        (((points[first] + points[last]) / 2.0).length(), form)
    }
}
