//! Land out of nothing, for tests.

use cell::CellId;
use ledger::{AccountRef, Posting, PostingKind};
use planet::Biome;
use store::Tx;
use uuid::Uuid;
use wallet::PostError;

use crate::books::{self, ONE, deed};
use crate::keep::{self, NewParcel};
use crate::survey::{Front, Survey};
use crate::title::{self, NewTitle, TitleKind};

/// The radius of a planet of default size.
const RADIUS_M: f64 = 796_375.0;

/// Makes free lots that hang together a parcel of somebody, deed and title with it, without asking what it costs or
/// whether it is land. Its anchor is the least of them; it is a grassland without any water in sight.
///
/// # Panics
/// If a lot is taken, or the books are not as they must be.
pub fn give(tx: &mut Tx<'_>, lots: &[CellId], owner_id: Uuid, now_us: i64) -> Result<CellId, store::Error> {
    let mut lots = lots.to_vec();
    lots.sort_unstable();
    let area_sr: f64 = lots.iter().map(|it| it.area_sr()).sum();
    let middle = lots.iter().map(|it| it.center() * it.area_sr()).sum();
    let survey = Survey {
        area_m2: area_sr * RADIUS_M * RADIUS_M,
        center: CellId::from_point(middle),
        biome: Biome::Grassland,
        front: Front::default(),
    };
    let anchor = lots[0];
    let parcel = NewParcel { anchor, owner_id, cells: &lots, survey: &survey, claimed_at_us: now_us };
    assert!(keep::add(tx, &parcel)?, "a lot is taken");
    let posting = Posting::of(PostingKind::LandClaim, format!("test:{}", Uuid::now_v7()), "")
        .transfer(AccountRef::LandOffice, AccountRef::Wallet(owner_id), &deed(anchor), ONE)
        .finish()
        .expect("one deed moves");
    let posted = wallet::post(tx, &posting, now_us).map_err(|error| match error {
        PostError::Store(error) => error,
        other => panic!("{other}"),
    })?;
    let title = NewTitle {
        by: audit::Actor::System,
        parcel: anchor,
        kind: TitleKind::Claim,
        owner_id: Some(owner_id),
        from_id: None,
        price_minor: 0,
        currency: books::CURRENCY,
        posting_id: posted.posting_id,
        other: None,
    };
    title::add(tx, &[title], now_us)?;
    Ok(anchor)
}
