//! Parcels of an area, page by page.

use std::collections::{BTreeMap, BTreeSet};

use api::{Page, Problem, cursor, kinds};
use cell::{Cap, CellId, Coverer, LatLngRect, Region};
use store::Tx;

use crate::find;
use crate::parcel;
use crate::seen::{Found, Owners, Seen};
use crate::service::{Deps, LandService};
use crate::view::LotView;

/// Ranges of cells that an area is looked up by.
const RANGES_MAX: usize = 16;
/// Lots that are looked at for one page. One that is far larger than its parcels are many comes in several.
const SCANNED_MAX: usize = 4_000;
/// Lots that are read at a time.
const BATCH: u32 = 200;
/// Lots that the parcels of one page may have before it ends.
const LOTS_SHOWN_MAX: usize = 4_096;

/// A part of the planet.
#[derive(Clone, Copy, Debug)]
pub enum Area {
    /// All of a cell.
    Cell(CellId),
    /// Between two parallels and two meridians.
    Box(LatLngRect),
    /// Around a place.
    Disc(Cap),
}

impl Area {
    /// Few cells that hold it, in curve order, none smaller than a lot.
    pub(crate) fn ranges(&self, lot_level: u8) -> Vec<CellId> {
        let coverer = Coverer { min_level: 0, max_level: lot_level, max_cells: RANGES_MAX };
        let covering = match self {
            Self::Cell(cell) => return vec![*cell],
            Self::Box(rect) => coverer.cover(rect),
            Self::Disc(cap) => coverer.cover(cap),
        };
        // So few cells can always be had by taking larger ones.
        covering.unwrap_or_else(|_| (0..6).map(CellId::from_face).collect())
    }

    /// Whether some of a lot is in it.
    pub(crate) fn meets(&self, lot: CellId) -> bool {
        match self {
            Self::Cell(cell) => cell.contains(lot),
            Self::Box(rect) => rect.intersects(lot),
            Self::Disc(cap) => cap.intersects(lot),
        }
    }
}

impl LandService {
    /// The parcels that have a lot in an area, each once, in the order of the first such lot. A page may be shorter
    /// than `limit` though another follows.
    pub async fn lots_in(
        &self,
        area: Area,
        after: Option<CellId>,
        limit: u32,
    ) -> Result<Page<LotView>, Problem> {
        let page = self.seen_in(area, after, limit).await?;
        Ok(page.map(|it| it.view(self.deps.economy)))
    }

    pub(crate) async fn seen_in(
        &self,
        area: Area,
        after: Option<CellId>,
        limit: u32,
    ) -> Result<Page<Seen>, Problem> {
        if let (Area::Cell(place), Some(after)) = (area, after)
            && !place.contains(after)
        {
            return Err(kinds::INVALID_CURSOR.into());
        }
        let deps = self.deps.clone();
        let ranges = area.ranges(self.lot_level());
        let page = self
            .deps
            .store
            .read(move |tx| Scan::new(area, limit as usize).run(tx, &deps, &ranges, after))
            .await?;
        Ok(page)
    }
}

/// A page being filled.
struct Scan {
    area: Area,
    limit: usize,
    owners: Owners,
    /// Parcels met so far, and where each of them is listed.
    met: BTreeMap<CellId, CellId>,
    scanned: usize,
    shown: usize,
    items: Vec<Seen>,
    /// The lot at which the last item was listed.
    listed_at: Option<CellId>,
}

impl Scan {
    fn new(area: Area, limit: usize) -> Self {
        let (owners, met, items) = (Owners::default(), BTreeMap::new(), Vec::new());
        Self { area, limit, owners, met, scanned: 0, shown: 0, items, listed_at: None }
    }

    fn run(
        mut self,
        tx: &mut Tx<'_>,
        deps: &Deps,
        ranges: &[CellId],
        after: Option<CellId>,
    ) -> Result<Page<Seen>, store::Error> {
        let left = ranges.iter().filter(|it| after.is_none_or(|after| it.range_max() > after));
        for range in left {
            let mut from = after.filter(|it| range.contains(*it));
            loop {
                let batch = find::lots_in(tx, *range, from, BATCH)?;
                let is_last = batch.len() < BATCH as usize;
                let mut cells = parcel::cells_of(tx, &self.unknown(&batch))?;
                let met = batch.iter().filter(|(lot, _)| self.area.meets(*lot));
                self.owners.learn(tx, deps, met.map(|(_, found)| found.facts.owner_id))?;
                for (lot, found) in batch {
                    if let Some(next) = self.look(tx, deps, lot, found, &mut cells)? {
                        return Ok(self.page(Some(next)));
                    }
                    from = Some(lot);
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(self.page(None))
    }

    /// Parcels of several lots that are met for the first time.
    fn unknown(&self, batch: &[(CellId, Found)]) -> BTreeSet<CellId> {
        batch
            .iter()
            .filter(|(lot, found)| found.facts.cells > 1 && self.area.meets(*lot))
            .map(|(_, found)| found.facts.anchor)
            .filter(|it| !self.met.contains_key(it))
            .collect()
    }

    /// Takes a lot into account; where the next page begins, if this one ends before it or with it.
    fn look(
        &mut self,
        tx: &mut Tx<'_>,
        deps: &Deps,
        lot: CellId,
        found: Found,
        cells: &mut BTreeMap<CellId, Vec<CellId>>,
    ) -> Result<Option<CellId>, store::Error> {
        self.scanned += 1;
        let ends = (self.scanned >= SCANNED_MAX).then_some(lot);
        let anchor = found.facts.anchor;
        if !self.area.meets(lot) || self.met.contains_key(&anchor) {
            return Ok(ends);
        }
        let lots = cells.remove(&anchor).unwrap_or_else(|| vec![anchor]);
        let first = lots.iter().copied().filter(|it| self.area.meets(*it)).min().unwrap_or(lot);
        self.met.insert(anchor, first);
        if first != lot {
            // It was listed on a page before.
            return Ok(ends);
        }
        let seen = Seen::with_cells(tx, deps, &mut self.owners, found, lots)?;
        let is_full = self.items.len() == self.limit
            || !self.items.is_empty() && self.shown + seen.cells.len() > LOTS_SHOWN_MAX;
        if is_full {
            return Ok(self.listed_at);
        }
        self.shown += seen.cells.len();
        self.items.push(seen);
        self.listed_at = Some(lot);
        Ok(ends)
    }

    fn page(self, next: Option<CellId>) -> Page<Seen> {
        let next_cursor = next.map(|it| cursor::encode(&it.raw().to_be_bytes()));
        Page { items: self.items, next_cursor }
    }
}
