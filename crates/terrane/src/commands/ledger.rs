//! `terrane ledger verify`.

use crate::Failure;
use crate::cli::LedgerCommand;
use crate::progress::say;

pub(crate) fn run(command: &LedgerCommand) -> Result<(), Failure> {
    let LedgerCommand::Verify { place, json } = command;
    let report = super::with_store(place, async |store| Ok(store.read(wallet::verify).await?))?;
    if *json {
        let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
        let document = serde_json::json!({
            "sound": report.is_sound(),
            "postings": report.postings,
            "sums": report.sums,
            "faults": faults,
        });
        say(document);
    } else {
        say(format_args!("{} postings", report.postings));
        for fault in &report.faults {
            say(format_args!("wrong: {fault}"));
        }
        if report.is_sound() {
            say("the books balance: nothing was made, nothing was lost");
        }
    }
    if report.is_sound() { Ok(()) } else { Err(Failure::Found) }
}
