//! People brought from another system: their address, the hash of their password, their name.
//!
//! A file of CSV with a header line, or of one JSON object on each line, with `email`, `password_hash` and, if wanted,
//! `display_name`. Addresses count as proved: bring only those that the other system has proved. Who has an account
//! here already is left alone, so that a run which was cut off can be repeated.

use api::text::{NameRule, parse_name};
use mail::Address;
use serde::Deserialize;
use store::Tx;

use crate::accounts;
use crate::email::rows;
use crate::entrance::{Entrance, new_id};
use crate::names::DISPLAY_NAME_CHARACTERS_MAX;
use crate::password::check_foreign;
use crate::service::LoginError;

/// The form of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImportFormat {
    /// Comma-separated, with a header line.
    Csv,
    /// One JSON object on each line.
    Ndjson,
}

/// One person, checked.
pub struct ImportRow {
    address: Address,
    phc: String,
    display_name: Option<String>,
}

/// What is wrong with a line. Says nothing of what stands in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportFault {
    /// Counted from 1, the header included.
    pub line: u64,
    /// What is wrong.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    email: String,
    password_hash: String,
    #[serde(default)]
    display_name: Option<String>,
}

/// Reads a whole file: every person, or every fault.
pub fn read_import(text: &str, format: ImportFormat) -> Result<Vec<ImportRow>, Vec<ImportFault>> {
    let raw: Vec<(u64, Result<Raw, String>)> = match format {
        ImportFormat::Csv => {
            let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
            let headers = reader.headers().cloned().unwrap_or_default();
            reader
                .records()
                .map(|record| {
                    let line = record
                        .as_ref()
                        .ok()
                        .and_then(csv::StringRecord::position)
                        .map_or(0, csv::Position::line);
                    let row =
                        record.and_then(|record| record.deserialize::<Raw>(Some(&headers))).map_err(|_| {
                            "must have the columns email, password_hash and perhaps display_name".to_owned()
                        });
                    (line, row)
                })
                .collect()
        }
        ImportFormat::Ndjson => text
            .lines()
            .zip(1..)
            .filter(|(line, _)| !line.trim().is_empty())
            .map(|(line, number)| {
                let row = serde_json::from_str(line).map_err(|_| {
                    "must be an object with email, password_hash and perhaps display_name".to_owned()
                });
                (number, row)
            })
            .collect(),
    };
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for (line, raw) in raw {
        match raw.and_then(check) {
            Ok(row) => rows.push(row),
            Err(reason) => faults.push(ImportFault { line, reason }),
        }
    }
    if faults.is_empty() { Ok(rows) } else { Err(faults) }
}

fn check(raw: Raw) -> Result<ImportRow, String> {
    let address = Address::parse(&raw.email).map_err(|error| format!("email {error}"))?;
    check_foreign(&raw.password_hash).map_err(|error| format!("password_hash {error}"))?;
    let rule = NameRule { chars_min: 1, chars_max: DISPLAY_NAME_CHARACTERS_MAX };
    let name = raw.display_name.filter(|it| !it.trim().is_empty());
    let display_name = name.map(|it| parse_name(&it, rule)).transpose();
    let display_name = display_name.map_err(|error| format!("display_name {error}"))?;
    Ok(ImportRow { address, phc: raw.password_hash, display_name })
}

/// Makes an account of one person; `false` if somebody has the address already.
pub fn import(
    tx: &mut Tx<'_>,
    entrance: &Entrance,
    row: &ImportRow,
    now_us: i64,
) -> Result<bool, LoginError> {
    let vault = &entrance.vault;
    let index = vault.blind_index("email", &row.address.normalised());
    if rows::owner(tx, index)?.is_some() {
        return Ok(false);
    }
    let account_id = new_id(now_us);
    // A name that could be taken for one of staff is not brought along.
    let name = match &row.display_name {
        Some(name) if accounts::looks_like_staff(tx, name, account_id)? => None,
        name => name.as_deref(),
    };
    entrance.create_account(tx, account_id, name, None, now_us)?;
    let sealed = vault.seal(tx, account_id, "email", row.address.as_str().as_bytes())?;
    rows::set_email(tx, account_id, sealed, index, now_us)?;
    rows::set_phc(tx, account_id, &row.phc, now_us)?;
    rows::drop_claims(tx, vault, index)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BCRYPT: &str = "$2b$10$k87L/MF28Q673VKh8/cPi.SUl7MU/rWuSiIDDFayrKk/1tBsSQu4u";

    #[test]
    fn both_forms_give_the_same_people() {
        let csv = format!(
            "email,password_hash,display_name\nann@example.org,{BCRYPT},Ann\nbob@example.org,{BCRYPT},\n"
        );
        let ndjson = format!(
            "{{\"email\":\"ann@example.org\",\"password_hash\":\"{BCRYPT}\",\"display_name\":\"Ann\"}}\n\n\
             {{\"email\":\"bob@example.org\",\"password_hash\":\"{BCRYPT}\"}}\n"
        );
        for (text, format) in [(csv, ImportFormat::Csv), (ndjson, ImportFormat::Ndjson)] {
            let rows = read_import(&text, format).unwrap_or_else(|faults| panic!("{faults:?}"));
            let seen: Vec<_> =
                rows.iter().map(|row| (row.address.as_str(), row.display_name.as_deref())).collect();
            assert_eq!(seen, [("ann@example.org", Some("Ann")), ("bob@example.org", None)]);
        }
    }

    #[test]
    fn every_fault_is_told_with_its_line_and_nothing_of_the_person() {
        let text = format!(
            "email,password_hash,display_name\nsecret,{BCRYPT},\nann@example.org,secret,\n\
             bob@example.org,{BCRYPT},sec\u{202E}ret\ncid@example.org,{BCRYPT},Cid\n"
        );
        let faults = read_import(&text, ImportFormat::Csv).err().unwrap();
        assert_eq!(faults.iter().map(|it| it.line).collect::<Vec<_>>(), [2, 3, 4]);
        assert!(faults.iter().all(|it| !it.reason.contains("secret")), "{faults:?}");
        let faults = read_import("{\n[]\n", ImportFormat::Ndjson).err().unwrap();
        assert_eq!(faults.len(), 2);
    }
}
