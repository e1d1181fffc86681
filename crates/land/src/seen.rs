//! Parcels with all that is shown of them, read in one transaction.

use std::collections::{BTreeSet, HashMap};

use api::timestamp;
use cell::{CellId, LatLng};
use glam::DVec3;
use store::{Row, Tx};
use uuid::Uuid;
use wallet::Economy;

use crate::access::{FenceRule, rule_of};
use crate::encumbrance::{Encumbrance, encumbrance};
use crate::parcel::{self, ParcelFacts};
use crate::rules;
use crate::service::Deps;
use crate::survey::{self, Extent};
use crate::view::{LotStatus, LotView, MarketView, OwnerKind, OwnerView, PlaceView};

/// The columns that [`Found`] is read from, of [`found_tables`].
macro_rules! found_columns {
    () => {
        concat!(
            $crate::parcel::columns!(),
            ", e.kind, e.reference_id, e.price_minor, e.currency, e.ends_at, f.rule"
        )
    };
}

/// What else is said of parcels `p`.
macro_rules! found_tables {
    () => {
        " left join encumbrances e on e.parcel_id = p.parcel_id left join fences f on f.parcel_id = p.parcel_id "
    };
}
pub(crate) use {found_columns, found_tables};

/// Columns of [`ParcelFacts`], after which those of the encumbrance follow.
const FACTS_COLUMNS: usize = 12;
const ENCUMBRANCE_COLUMNS: usize = 5;

/// A parcel and what is about to happen to it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Found {
    pub(crate) facts: ParcelFacts,
    pub(crate) encumbrance: Option<Encumbrance>,
    pub(crate) fence: FenceRule,
}

impl Found {
    /// Reads [`found_columns`], from column `first` on.
    pub(crate) fn from_row(row: &Row, first: usize) -> Result<Self, store::Error> {
        let facts = ParcelFacts::from_row(row, first)?;
        let encumbrance = match row.get::<Option<String>>(first + FACTS_COLUMNS)? {
            Some(_) => Some(Encumbrance::from_row(row, first + FACTS_COLUMNS)?),
            None => None,
        };
        let rule: Option<String> = row.get(first + FACTS_COLUMNS + ENCUMBRANCE_COLUMNS)?;
        let fence = match rule {
            Some(name) => FenceRule::parse(&name)
                .ok_or_else(|| store::Error::Damaged { detail: "fences: no such rule".to_owned() })?,
            None => FenceRule::Everyone,
        };
        Ok(Self { facts, encumbrance, fence })
    }

    /// The parcel of a lot.
    pub(crate) fn of(tx: &mut Tx<'_>, lot: CellId) -> Result<Option<Self>, store::Error> {
        let Some(facts) = parcel::parcel(tx, lot)? else { return Ok(None) };
        let encumbrance = encumbrance(tx, facts.anchor)?;
        let fence = rule_of(tx, facts.anchor)?;
        Ok(Some(Self { facts, encumbrance, fence }))
    }
}

/// A parcel with all that is shown of it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Seen {
    pub(crate) facts: ParcelFacts,
    pub(crate) cells: Vec<CellId>,
    pub(crate) encumbrance: Option<Encumbrance>,
    pub(crate) fence: FenceRule,
    pub(crate) owner: OwnerView,
}

/// What owners are called, each asked once.
#[derive(Default)]
pub(crate) struct Owners {
    known: HashMap<Uuid, OwnerView>,
}

impl Owners {
    pub(crate) fn view(&mut self, tx: &mut Tx<'_>, deps: &Deps, id: Uuid) -> Result<OwnerView, store::Error> {
        self.learn(tx, deps, [id])?;
        Ok(self.known[&id].clone())
    }

    /// Asks for those of `ids` that are not known yet, together: a page has many owners, and a question to the database
    /// costs more than its answer. An empty name for one that nobody knows any more.
    pub(crate) fn learn(
        &mut self,
        tx: &mut Tx<'_>,
        deps: &Deps,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<(), store::Error> {
        let asked: BTreeSet<Uuid> = ids.into_iter().filter(|it| !self.known.contains_key(it)).collect();
        let asked: Vec<Uuid> = asked.into_iter().collect();
        let mut accounts = (deps.account_names)(tx, &asked)?;
        let others: Vec<Uuid> = asked.iter().copied().filter(|it| !accounts.contains_key(it)).collect();
        let mut groups = (deps.group_names)(tx, &others)?;
        for id in asked {
            let group_name = groups.remove(&id);
            let kind = if group_name.is_some() { OwnerKind::Group } else { OwnerKind::Account };
            let display_name = accounts.remove(&id).or(group_name).unwrap_or_default();
            self.known.insert(id, OwnerView { account_id: id, kind, display_name });
        }
        Ok(())
    }
}

impl Seen {
    /// The rest of what is shown of parcels, in their order.
    pub(crate) fn all(
        tx: &mut Tx<'_>,
        deps: &Deps,
        owners: &mut Owners,
        found: Vec<Found>,
    ) -> Result<Vec<Self>, store::Error> {
        let several =
            found.iter().map(|it| &it.facts).filter(|it| it.cells > 1).map(|it| it.anchor).collect();
        let mut cells = parcel::cells_of(tx, &several)?;
        owners.learn(tx, deps, found.iter().map(|it| it.facts.owner_id))?;
        found
            .into_iter()
            .map(|it| {
                let anchor = it.facts.anchor;
                let cells = cells.remove(&anchor).unwrap_or_else(|| vec![anchor]);
                Self::with_cells(tx, deps, owners, it, cells)
            })
            .collect()
    }

    pub(crate) fn with_cells(
        tx: &mut Tx<'_>,
        deps: &Deps,
        owners: &mut Owners,
        found: Found,
        cells: Vec<CellId>,
    ) -> Result<Self, store::Error> {
        let Found { facts, encumbrance, fence } = found;
        let owner = owners.view(tx, deps, facts.owner_id)?;
        Ok(Self { facts, cells, encumbrance, fence, owner })
    }

    /// All that is shown of the parcel of a lot; `None` for a lot of nobody.
    pub(crate) fn of(tx: &mut Tx<'_>, deps: &Deps, lot: CellId) -> Result<Option<Self>, store::Error> {
        let Some(found) = Found::of(tx, lot)? else { return Ok(None) };
        Ok(Self::all(tx, deps, &mut Owners::default(), vec![found])?.pop())
    }

    /// All that is shown of a parcel as it is now in this transaction.
    pub(crate) fn now(tx: &mut Tx<'_>, deps: &Deps, anchor: CellId) -> Result<Self, store::Error> {
        Self::of(tx, deps, anchor)?.ok_or(store::Error::NoRow)
    }

    pub(crate) fn view(self, economy: &Economy) -> LotView {
        let Self { facts, mut cells, encumbrance, fence, owner } = self;
        cells.sort_unstable();
        LotView {
            token: facts.anchor.token(),
            status: LotStatus::Taken,
            reason: None,
            owner: Some(owner),
            name: facts.name,
            description: facts.description,
            area_m2: hundredths(facts.area_m2),
            price_minor: rules::price(economy, facts.area_m2).minor(),
            center: place(facts.center.center()),
            cell_count: facts.cells,
            cells: cells.into_iter().map(CellId::token).collect(),
            biome: Some(facts.biome),
            front: facts.front.names().into_iter().map(str::to_owned).collect(),
            market: encumbrance.map(market),
            fence,
            is_leased: facts.lease_id.is_some(),
            is_frozen: facts.frozen_at_us.is_some(),
            claimed_at: Some(timestamp(facts.claimed_at_us)),
        }
    }
}

fn market(encumbrance: Encumbrance) -> MarketView {
    let Encumbrance { kind, reference_id, shown } = encumbrance;
    MarketView {
        kind: kind.code().to_owned(),
        id: reference_id,
        price_minor: shown.price_minor,
        currency: shown.currency,
        ends_at: shown.ends_at_us.map(timestamp),
    }
}

/// A lot that nobody owns.
pub(crate) fn of_nobody(deps: &Deps, lot: CellId) -> LotView {
    let claimable = survey::check_claimable(&deps.planet, lot);
    let Extent { area_m2, center } = Extent::of(&deps.planet, &[lot]);
    LotView {
        token: lot.token(),
        status: if claimable.is_ok() { LotStatus::Free } else { LotStatus::Unclaimable },
        reason: claimable.err().map(|reason| reason.code().to_owned()),
        owner: None,
        name: None,
        description: None,
        area_m2: hundredths(area_m2),
        price_minor: rules::price(deps.economy, area_m2).minor(),
        center: place(center.center()),
        cell_count: 1,
        cells: vec![lot.token()],
        biome: None,
        front: Vec::new(),
        market: None,
        fence: FenceRule::Everyone,
        is_leased: false,
        is_frozen: false,
        claimed_at: None,
    }
}

fn hundredths(area_m2: f64) -> f64 {
    (area_m2 * 100.0).round() / 100.0
}

pub(crate) fn place(direction: DVec3) -> PlaceView {
    let place = LatLng::from_point(direction);
    PlaceView { lat_deg: place.lat_deg(), lng_deg: place.lng_deg() }
}
