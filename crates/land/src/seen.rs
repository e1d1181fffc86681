//! Parcels with all that is shown of them, read in one transaction.

use api::timestamp;
use cell::{CellId, LatLng};
use glam::DVec3;
use planet::Planet;
use store::{Row, Tx};
use uuid::Uuid;

use crate::encumbrance::{Encumbrance, encumbrance};
use crate::parcel::{self, ParcelFacts};
use crate::rules;
use crate::service::Deps;
use crate::survey::{self, Extent};
use crate::view::{LotStatus, LotView, MarketView, OwnerKind, OwnerView, PlaceView};

/// The columns that [`Found`] is read from, of `parcels p left join encumbrances e`.
macro_rules! found_columns {
    () => {
        concat!($crate::parcel::columns!(), ", e.kind, e.reference_id, e.price_minor, e.currency, e.ends_at")
    };
}
pub(crate) use found_columns;

/// Columns of [`ParcelFacts`], after which those of the encumbrance follow.
const FACTS_COLUMNS: usize = 11;

/// A parcel and what is about to happen to it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Found {
    pub(crate) facts: ParcelFacts,
    pub(crate) encumbrance: Option<Encumbrance>,
}

impl Found {
    /// Reads [`found_columns`], from column `first` on.
    pub(crate) fn from_row(row: &Row, first: usize) -> Result<Self, store::Error> {
        let facts = ParcelFacts::from_row(row, first)?;
        let encumbrance = match row.get::<Option<String>>(first + FACTS_COLUMNS)? {
            Some(_) => Some(Encumbrance::from_row(row, first + FACTS_COLUMNS)?),
            None => None,
        };
        Ok(Self { facts, encumbrance })
    }
}

/// A parcel with all that is shown of it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Seen {
    pub(crate) facts: ParcelFacts,
    pub(crate) cells: Vec<CellId>,
    pub(crate) encumbrance: Option<Encumbrance>,
    pub(crate) owner: OwnerView,
}

/// What owners are called, each asked once.
#[derive(Default)]
pub(crate) struct Owners {
    known: Vec<OwnerView>,
}

impl Owners {
    pub(crate) fn view(&mut self, tx: &mut Tx<'_>, deps: &Deps, id: Uuid) -> Result<OwnerView, store::Error> {
        if let Some(known) = self.known.iter().find(|it| it.account_id == id) {
            return Ok(known.clone());
        }
        let view = owner_view(tx, deps, id)?;
        self.known.push(view.clone());
        Ok(view)
    }
}

/// What an owner is called; an empty name for one that nobody knows any more.
pub(crate) fn owner_view(tx: &mut Tx<'_>, deps: &Deps, id: Uuid) -> Result<OwnerView, store::Error> {
    if let Some(display_name) = (deps.display_name)(tx, id)? {
        return Ok(OwnerView { account_id: id, kind: OwnerKind::Account, display_name });
    }
    let group_name = (deps.group_name)(tx, id)?;
    let kind = if group_name.is_some() { OwnerKind::Group } else { OwnerKind::Account };
    Ok(OwnerView { account_id: id, kind, display_name: group_name.unwrap_or_default() })
}

impl Seen {
    /// The rest of what is shown of a parcel.
    pub(crate) fn of(
        tx: &mut Tx<'_>,
        deps: &Deps,
        owners: &mut Owners,
        found: Found,
    ) -> Result<Self, store::Error> {
        let Found { facts, encumbrance } = found;
        let cells = match facts.cells {
            1 => vec![facts.anchor],
            _ => parcel::cells(tx, facts.anchor)?,
        };
        let owner = owners.view(tx, deps, facts.owner_id)?;
        Ok(Self { facts, cells, encumbrance, owner })
    }

    /// All that is shown of a parcel as it is now in this transaction.
    pub(crate) fn now(tx: &mut Tx<'_>, deps: &Deps, anchor: CellId) -> Result<Self, store::Error> {
        let facts = parcel::by_anchor(tx, anchor)?.ok_or(store::Error::NoRow)?;
        let encumbrance = encumbrance(tx, anchor)?;
        Self::of(tx, deps, &mut Owners::default(), Found { facts, encumbrance })
    }

    pub(crate) fn view(self) -> LotView {
        let Self { facts, mut cells, encumbrance, owner } = self;
        cells.sort_unstable();
        LotView {
            token: facts.anchor.token(),
            status: LotStatus::Taken,
            reason: None,
            owner: Some(owner),
            name: facts.name,
            description: facts.description,
            area_m2: hundredths(facts.area_m2),
            price_minor: rules::price(facts.area_m2).minor(),
            center: place(facts.center.center()),
            cell_count: facts.cells,
            cells: cells.into_iter().map(CellId::token).collect(),
            biome: Some(facts.biome),
            front: facts.front.names().into_iter().map(str::to_owned).collect(),
            market: encumbrance.map(market),
            is_leased: facts.lease_id.is_some(),
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
pub(crate) fn of_nobody(planet: &Planet, lot: CellId) -> LotView {
    let claimable = survey::check_claimable(planet, lot);
    let Extent { area_m2, center } = Extent::of(planet, &[lot]);
    LotView {
        token: lot.token(),
        status: if claimable.is_ok() { LotStatus::Free } else { LotStatus::Unclaimable },
        reason: claimable.err().map(|reason| reason.code().to_owned()),
        owner: None,
        name: None,
        description: None,
        area_m2: hundredths(area_m2),
        price_minor: rules::price(area_m2).minor(),
        center: place(center.center()),
        cell_count: 1,
        cells: vec![lot.token()],
        biome: None,
        front: Vec::new(),
        market: None,
        is_leased: false,
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
