//! `terrane ledger verify`.

use std::fmt::Write as _;

use land::{EncumbranceKind, OpenReferences};
use store::{Store, Tx};

use crate::Failure;
use crate::cli::LedgerCommand;
use crate::progress::say;

pub(crate) fn run(command: &LedgerCommand) -> Result<(), Failure> {
    let LedgerCommand::Verify { place, json } = command;
    // One snapshot, taken without a lock: the books of a planet can be checked while people play on it.
    let (report, more) =
        super::with_store(place, Store::open_read_only, async |store| Ok(store.read(prove).await?))?;
    let of_books = report.faults.iter().map(ToString::to_string);
    let faults: Vec<String> = of_books.chain(more).collect();
    let is_sound = faults.is_empty();
    let (sealed, hash) = report.chain_head;
    let hash = hash.iter().fold(String::new(), |mut hex, it| {
        let _ = write!(hex, "{it:02x}");
        hex
    });
    if *json {
        let document = serde_json::json!({
            "sound": is_sound,
            "postings": report.postings,
            "chain": { "sealed": sealed, "hash": hash, "unsealed": report.unsealed },
            "sums": report.sums,
            "faults": faults,
        });
        say(document);
    } else {
        say(format_args!("{} postings", report.postings));
        // Whoever writes this line down can tell later whether anything before it was changed.
        say(format_args!("chain: {sealed} sealed, the last hash is {hash}"));
        for fault in &faults {
            say(format_args!("wrong: {fault}"));
        }
        if is_sound {
            say("the books balance: nothing was made, nothing was lost, nothing was changed");
        }
    }
    if is_sound { Ok(()) } else { Err(Failure::Found) }
}

/// The books by themselves, and what is wrong between them, land, market and leases.
fn prove(tx: &mut Tx<'_>) -> Result<(wallet::Report, Vec<String>), store::Error> {
    let promised: [OpenReferences<'_>; 3] = [
        (EncumbranceKind::Listing, &market::open_listings),
        (EncumbranceKind::Auction, &market::open_auctions),
        (EncumbranceKind::LeaseOffer, &tenure::open_offers),
    ];
    let land_faults = land::verify_with(tx, &promised)?;
    let reasons = [market::hold_reasons(tx)?, tenure::hold_reasons(tx)?].concat();
    let hold_faults = wallet::verify_reasons(tx, &reasons)?;
    let of_land = land_faults.iter().map(ToString::to_string);
    let faults = of_land.chain(hold_faults.iter().map(ToString::to_string)).collect();
    Ok((wallet::verify(tx)?, faults))
}
