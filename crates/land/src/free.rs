//! Free lots, the nearest first.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeSet, BinaryHeap};

use api::Problem;
use cell::{CellId, LatLng};
use glam::DVec3;
use store::{Tx, Value};

use crate::find;
use crate::seen::place;
use crate::service::{Deps, LandService};
use crate::survey::{Extent, check_claimable};
use crate::view::FreeLotView;

/// Lots that are looked at for one answer: those within some 16 of the place.
const LOOKED_AT_MAX: usize = 1_024;
/// Lots of which is asked at a time whether they are owned.
const BATCH: usize = 64;

impl LandService {
    /// Up to `count` lots around a place that may be claimed, by the distance of their middles. Where there are fewer
    /// near, fewer are given.
    pub async fn free_lots(&self, near: LatLng, count: usize) -> Result<Vec<FreeLotView>, Problem> {
        let from = near.to_point();
        let mut search = Search::new(from, self.lot_level());
        let mut found = Vec::new();
        while found.len() < count && search.looked_at < LOOKED_AT_MAX {
            let batch = search.next(BATCH);
            let asked = batch.clone();
            let owned = self.deps.store.read(move |tx| owned(tx, &asked)).await?;
            let deps = self.deps.clone();
            let wanted = count - found.len();
            let look = move || free(&deps, from, batch.into_iter().filter(|it| !owned.contains(it)), wanted);
            found.extend(tokio::task::spawn_blocking(look).await.map_err(|error| Problem::internal(&error))?);
        }
        Ok(found)
    }
}

fn owned(tx: &mut Tx<'_>, lots: &[CellId]) -> Result<BTreeSet<CellId>, store::Error> {
    let rows: Vec<Vec<Value>> = lots.iter().map(|it| vec![it.to_sql().into()]).collect();
    find::owned_among(tx, &rows)
}

fn free(deps: &Deps, from: DVec3, lots: impl Iterator<Item = CellId>, count: usize) -> Vec<FreeLotView> {
    let view = |lot: CellId| {
        let area_m2 = Extent::of(&deps.planet, &[lot]).area_m2;
        FreeLotView {
            token: lot.token(),
            distance_m: (distance(from, lot) * deps.planet.radius_m() * 10.0).round() / 10.0,
            area_m2: (area_m2 * 100.0).round() / 100.0,
            price_minor: crate::rules::price(deps.economy, area_m2).minor(),
            center: place(lot.center()),
        }
    };
    // The middle first: at sea that is all that needs asking.
    let is_dry = |lot: &CellId| {
        deps.planet.ground(lot.center()).water_m.is_none() && check_claimable(&deps.planet, *lot).is_ok()
    };
    lots.filter(is_dry).take(count).map(view).collect()
}

fn distance(from: DVec3, lot: CellId) -> f64 {
    from.distance(lot.center())
}

/// Lots in the order of their distance: of those known, the nearest is next, and its neighbours become known.
struct Search {
    from: DVec3,
    known: BTreeSet<CellId>,
    open: BinaryHeap<Reverse<Near>>,
    looked_at: usize,
}

#[derive(PartialEq)]
struct Near {
    distance: f64,
    lot: CellId,
}

impl Eq for Near {}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Near {
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then(self.lot.cmp(&other.lot))
    }
}

impl Search {
    fn new(from: DVec3, level: u8) -> Self {
        let mut search = Self { from, known: BTreeSet::new(), open: BinaryHeap::new(), looked_at: 0 };
        search.learn(CellId::from_point(from).parent(level));
        search
    }

    fn learn(&mut self, lot: CellId) {
        if self.known.insert(lot) {
            self.open.push(Reverse(Near { distance: distance(self.from, lot), lot }));
        }
    }

    fn next(&mut self, count: usize) -> Vec<CellId> {
        let mut lots = Vec::with_capacity(count);
        while lots.len() < count
            && let Some(Reverse(Near { lot, .. })) = self.open.pop()
        {
            lot.all_neighbors().into_iter().for_each(|it| self.learn(it));
            lots.push(lot);
        }
        self.looked_at += lots.len().max(1);
        lots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lots_come_by_distance_and_none_is_left_out() {
        // In the middle of a face, at a corner of the cube, at a pole.
        for from in [DVec3::new(1.0, 0.1, 0.2), DVec3::ONE, DVec3::Z] {
            let from = from.normalize();
            let mut search = Search::new(from, 15);
            let lots = search.next(400);
            let distances: Vec<f64> = lots.iter().map(|it| distance(from, *it)).collect();
            assert!(distances.is_sorted(), "{from}");
            let cap = cell::cover_cap(from, distances[399], 15).unwrap();
            let nearer = cap.into_iter().filter(|it| distance(from, *it) < distances[399]);
            assert!(nearer.into_iter().all(|it| lots.contains(&it)), "{from}");
        }
    }
}
