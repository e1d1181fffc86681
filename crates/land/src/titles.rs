//! The history of land as clients see it.

use api::{Page, Problem, cursor, timestamp};
use cell::CellId;

use crate::parcel;
use crate::seen::Owners;
use crate::service::LandService;
use crate::title;
use crate::view::TitleView;

/// Which history is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Record {
    /// Of the parcel that the lot belongs to now; of the lot itself if nobody owns it.
    Parcel,
    /// Of parcels that had the lot for their anchor.
    Lot,
}

impl LandService {
    /// The titles of land, newest first, before a number.
    pub async fn titles(
        &self,
        lot: CellId,
        record: Record,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Page<TitleView>, Problem> {
        let deps = self.deps.clone();
        let views = self
            .deps
            .store
            .read(move |tx| {
                let of = match record {
                    Record::Parcel => parcel::parcel(tx, lot)?.map_or(lot, |it| it.anchor),
                    Record::Lot => lot,
                };
                let mut owners = Owners::default();
                let mut views = Vec::new();
                for title in title::list(tx, of, before.unwrap_or(i64::MAX), limit + 1)? {
                    let mut name = |id: Option<_>| id.map(|id| owners.view(tx, &deps, id)).transpose();
                    views.push(TitleView {
                        number: title.number,
                        kind: title.kind,
                        owner: name(title.owner_id)?,
                        from: name(title.from_id)?,
                        price_minor: title.price_minor,
                        currency: title.currency,
                        posting_id: title.posting_id,
                        other_parcel: title.other.map(CellId::token),
                        since: timestamp(title.since_us),
                    });
                }
                Ok::<_, store::Error>(views)
            })
            .await?;
        Ok(Page::from_surplus(views, limit, |last| cursor::encode(&last.number.to_be_bytes())))
    }
}
