//! What the proof of land and books asks of the market: which land it has promised, and what money it has held.

use cell::CellId;
use store::{Row, Tx, params};
use uuid::Uuid;
use wallet::HoldReason;

use crate::sales::cell_at;

store::statements! {
    /// Land that is for sale at a fixed price.
    OPEN_LISTINGS = "select parcel_id, sale_id from sales where state = 'open' and kind = 'fixed'";
    /// Land that is being auctioned.
    OPEN_AUCTIONS = "select parcel_id, sale_id from sales where state = 'open' and kind <> 'fixed'";
    /// The leader of each open English auction, everybody of a sealed one, each open offer. A hold of nobody is a bid
    /// without a hold.
    REASONS = "select b.hold_id, b.bidder_id, b.max_minor from bidders b \
               join sales s on s.sale_id = b.auction_id join auctions a on a.auction_id = b.auction_id \
               where s.state = 'open' and (s.kind = 'sealed' or a.leader_id = b.bidder_id) \
               union all select hold_id, buyer_id, price_minor from offers where state = 'open'";
}

/// The parcels of open listings, for `land::verify_with`.
pub fn open_listings(tx: &mut Tx<'_>) -> Result<Vec<(CellId, Uuid)>, store::Error> {
    tx.query(OPEN_LISTINGS, params![])?.iter().map(promise).collect()
}

/// The parcels of open auctions of every kind, for `land::verify_with`.
pub fn open_auctions(tx: &mut Tx<'_>) -> Result<Vec<(CellId, Uuid)>, store::Error> {
    tx.query(OPEN_AUCTIONS, params![])?.iter().map(promise).collect()
}

/// The bids and offers that bind money, for `wallet::verify_reasons`.
pub fn hold_reasons(tx: &mut Tx<'_>) -> Result<Vec<HoldReason>, store::Error> {
    let reason = |row: &Row| {
        let hold_id: Option<Uuid> = row.get(0)?;
        // A hold that cannot exist is found to be missing.
        let hold_id = hold_id.unwrap_or_default();
        Ok(HoldReason { hold_id, account_id: row.get(1)?, amount_minor: row.get(2)? })
    };
    tx.query(REASONS, params![])?.iter().map(reason).collect()
}

fn promise(row: &Row) -> Result<(CellId, Uuid), store::Error> {
    Ok((cell_at(row, 0)?, row.get(1)?))
}
