//! `terrane audit verify` and `terrane audit proof`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use audit::{Checkpoint, heads};
use store::{Store, Tx};

use crate::Failure;
use crate::cli::{AuditCommand, PlaceArgs};
use crate::node;
use crate::progress::say;

pub(crate) fn run(command: &AuditCommand) -> Result<(), Failure> {
    match command {
        AuditCommand::Verify { place, heads, json } => verify(place, heads, *json),
        AuditCommand::Proof { place, sequence, tree_size, from_size } => {
            prove(place, *sequence, *tree_size, *from_size)
        }
    }
}

fn verify(place: &PlaceArgs, more: &[PathBuf], json: bool) -> Result<(), Failure> {
    let config = super::read(super::sources(place))?;
    let own = config.node.data.join(node::AUDIT_HEADS_FILE);
    let files = own.exists().then_some(own).into_iter().chain(more.iter().cloned());
    let kept: Vec<Checkpoint> =
        files.map(|file| read(&file)).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let compared = kept.len();
    // One snapshot, taken without a lock, like the books.
    let check = move |tx: &mut Tx<'_>| {
        let mut report = audit::verify(tx)?;
        report.faults.extend(heads::compare(tx, &report, &kept)?);
        Ok::<_, store::Error>(report)
    };
    let report =
        super::with_store_of(&config, Store::open_read_only, async |store| Ok(store.read(check).await?))?;
    let (hash, root) = (hex(&report.head.0), hex(&report.head.1));
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    let keys: Vec<String> = report.keys.iter().map(|it| hex(it)).collect();
    if json {
        say(serde_json::json!({
            "sound": report.is_sound(),
            "entries": report.entries,
            "waiting": report.waiting,
            "hash": hash,
            "root": root,
            "checkpoint_entries": report.checkpoint.map(|it| it.tree_size),
            "keys": keys,
            "compared": compared,
            "faults": faults,
        }));
    } else {
        say(format_args!("{} entries, {} wait for their place", report.entries, report.waiting));
        // Whoever writes these lines down can tell later whether anything before them was changed.
        say(format_args!("chain: the last hash is {hash}"));
        say(format_args!("tree: the root is {root}"));
        if let Some(last) = report.checkpoint {
            say(format_args!(
                "checkpoint: {} entries, signed at {}",
                last.tree_size,
                api::timestamp(last.at_us)
            ));
        }
        for key in &keys {
            say(format_args!("key: {key}"));
        }
        say(format_args!("{compared} checkpoints of files compared"));
        for fault in &faults {
            say(format_args!("wrong: {fault}"));
        }
        if report.is_sound() {
            say("nothing was changed, nothing is missing");
        }
    }
    if report.is_sound() { Ok(()) } else { Err(Failure::Found) }
}

/// The checkpoints of a file, one in each line; what a power cut left at its end is no line.
fn read(file: &Path) -> anyhow::Result<Vec<Checkpoint>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let line = |(number, line)| {
        heads::from_line(line)
            .ok_or_else(|| anyhow!("line {} of {} is no checkpoint", number + 1, file.display()))
    };
    whole.lines().enumerate().map(line).collect()
}

fn prove(
    place: &PlaceArgs,
    sequence: i64,
    tree_size: Option<i64>,
    from_size: Option<i64>,
) -> Result<(), Failure> {
    let proof = super::with_store(place, Store::open_read_only, async |store| {
        let proof = store.read(move |tx| audit::prove(tx, sequence, tree_size, from_size)).await;
        Ok(proof?)
    })?;
    say(serde_json::to_string_pretty(&proof).expect("a proof has only text keys"));
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut hex, it| {
        let _ = write!(hex, "{it:02x}");
        hex
    })
}
