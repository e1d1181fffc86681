//! `terrane account role|import`.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use api::{Clock as _, Role, SystemClock};
use audit::{Actor, Entry};
use identity::staff::{self, Person};
use identity::{Entrance, ImportFormat, ImportRow, LoginError};
use privacy::Vault;
use serde_json::json;
use store::{Store, Tx};
use uuid::Uuid;

use crate::Failure;
use crate::cli::{AccountCommand, PlaceArgs};
use crate::config::Problem;
use crate::node;
use crate::progress::say;

/// People brought in one transaction.
const BATCH: usize = 100;

/// Faults of a file that are said; with more it is another kind of file.
const FAULTS_SAID_MAX: usize = 50;

pub(crate) fn run(command: &AccountCommand) -> Result<(), Failure> {
    match command {
        AccountCommand::Role { who, role, reason, place } => give_role(place, who, *role, reason),
        AccountCommand::Import { file, json, place } => bring(place, file, *json),
    }
}

fn give_role(place: &PlaceArgs, who: &str, role: Role, reason: &str) -> Result<(), Failure> {
    let config = super::read(super::sources(place))?;
    let (who, reason) = (who.to_owned(), reason.to_owned());
    super::with_store_of(&config, Store::open, async |store| {
        store.migrate(&node::migrations()).await?;
        let vault = Vault::unlock(&store, node::key_source(&config)).await?;
        let now_us = SystemClock.now_us();
        let (id, before) = store
            .serializable(move |tx| -> Result<_, RoleFault> {
                let person = one_person(tx, &who)?;
                let before = set_role(tx, &vault, &person, role, &reason, now_us)?;
                Ok((person.account.account_id, before))
            })
            .await
            .map_err(|RoleFault(error)| error)?;
        say(format_args!("{id} was {} and is {} now", before.name(), role.name()));
        Ok(())
    })
}

/// Why no role was given.
struct RoleFault(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for RoleFault {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

fn set_role(
    tx: &mut Tx<'_>,
    vault: &Vault,
    person: &Person,
    role: Role,
    reason: &str,
    now_us: i64,
) -> Result<Role, RoleFault> {
    let id = person.account.account_id;
    let before = staff::set_role(tx, id, role, now_us)?;
    let reason =
        audit::Reason::sealed_by(id, reason, |bytes| vault.seal(tx, id, audit::REASON_FIELD, bytes))?;
    let entry = Entry {
        at_us: now_us,
        actor: Actor::Operator,
        action: "account.role_changed",
        subject_kind: "account",
        subject_id: id.to_string(),
        reason: Some(reason),
        details: json!({ "before": before.name(), "after": role.name() }),
    };
    audit::record(tx, &entry)?;
    Ok(before)
}

/// The account with this id, or the only one with this name.
fn one_person(tx: &mut Tx<'_>, who: &str) -> anyhow::Result<Person> {
    if let Ok(id) = who.parse::<Uuid>() {
        return staff::person(tx, id)?.ok_or_else(|| anyhow!("there is no account {id}"));
    }
    let mut people = staff::by_name(tx, who)?;
    match (people.pop(), people.is_empty()) {
        (Some(person), true) => Ok(person),
        (Some(_), false) => bail!("several accounts have this name: say which by its id"),
        (None, _) => bail!("nobody has this name"),
    }
}

fn bring(place: &PlaceArgs, file: &Path, json: bool) -> Result<(), Failure> {
    let format = match file.extension().and_then(|it| it.to_str()) {
        Some("csv") => ImportFormat::Csv,
        Some("ndjson" | "jsonl") => ImportFormat::Ndjson,
        _ => {
            let reason = "the file must end in .csv, .ndjson or .jsonl".to_owned();
            return Err(Failure::Misused(vec![Problem::of_command(reason)]));
        }
    };
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let rows = identity::read_import(&text, format).map_err(|faults| {
        let said = faults.iter().take(FAULTS_SAID_MAX);
        let mut said: Vec<String> = said.map(|it| format!("line {}: {}", it.line, it.reason)).collect();
        if faults.len() > FAULTS_SAID_MAX {
            said.push(format!("and {} more", faults.len() - FAULTS_SAID_MAX));
        }
        anyhow!("nobody was brought:\n  {}", said.join("\n  "))
    })?;
    let rows: Arc<[ImportRow]> = rows.into();
    let config = super::read(super::sources(place))?;
    let (brought, known) = super::with_store_of(&config, Store::open, async |store| {
        store.migrate(&node::migrations()).await?;
        let vault = Vault::unlock(&store, node::key_source(&config)).await?;
        let entrance = Entrance::new(node::new_account(), vault);
        let mut brought = 0;
        for start in (0..rows.len()).step_by(BATCH) {
            let (rows, entrance) = (Arc::clone(&rows), entrance.clone());
            let now_us = SystemClock.now_us();
            brought += store
                .serializable(move |tx| {
                    let mut brought = 0;
                    for row in rows.iter().skip(start).take(BATCH) {
                        brought += usize::from(identity::import(tx, &entrance, row, now_us)?);
                    }
                    Ok::<_, LoginError>(brought)
                })
                .await?;
        }
        Ok((brought, rows.len() - brought))
    })?;
    if json {
        say(json!({ "brought": brought, "known": known }));
    } else {
        say(format_args!("{brought} people were brought, {known} have an account already"));
    }
    Ok(())
}
