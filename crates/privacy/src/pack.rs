//! One ZIP of an archive: a manifest, a text for people, a file of rows for each domain.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use api::timestamp;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::archive::Archive;

/// What the manifest calls this form of archive.
pub const FORMAT: &str = "terrane-export";
/// Its version; a reader of it refuses a higher one.
pub const VERSION: u32 = 1;

/// Facts about the archive.
pub(crate) struct About<'a> {
    pub(crate) account_id: Uuid,
    pub(crate) planet: &'a str,
    pub(crate) now_us: i64,
}

/// Packs everything; fails only if memory does.
pub(crate) fn pack(archive: Archive, about: &About<'_>) -> std::io::Result<Vec<u8>> {
    let (files, omissions) = archive.into_parts();
    let readme = readme(about);
    let mut listed = vec![json!({
        "path": "README.txt", "sha256": sha256(readme.as_bytes()), "bytes": readme.len(),
    })];
    for (name, file) in &files {
        let mut entry = json!({
            "path": format!("{name}.ndjson"),
            "schema": format!("{FORMAT}/{name}/{VERSION}"),
            "sha256": sha256(&file.text),
            "bytes": file.text.len(),
            "rows": file.rows,
        });
        if let Some((first_us, last_us)) = file.times_us {
            entry["first_at"] = json!(timestamp(first_us).to_string());
            entry["last_at"] = json!(timestamp(last_us).to_string());
        }
        listed.push(entry);
    }
    let manifest = json!({
        "format": FORMAT,
        "version": VERSION,
        "generated_at": timestamp(about.now_us).to_string(),
        "planet": about.planet,
        "account_id": about.account_id,
        "files": listed,
        "left_out": omissions,
    });
    let manifest = serde_json::to_vec_pretty(&manifest)?;

    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let of_domains = files.iter().map(|(name, file)| (format!("{name}.ndjson"), file.text.as_slice()));
    let fixed =
        [("manifest.json".to_owned(), manifest.as_slice()), ("README.txt".to_owned(), readme.as_bytes())];
    for (name, bytes) in fixed.into_iter().chain(of_domains) {
        zip.start_file(name, options).map_err(std::io::Error::other)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish().map_err(std::io::Error::other)?.into_inner())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn readme(about: &About<'_>) -> String {
    format!(
        "Your data on {planet}\n\
         =====================\n\n\
         Made on {at} for the account {account}.\n\n\
         What this is\n\
         ------------\n\
         Everything this server keeps about you. manifest.json lists the files with their SHA-256 and the number of\n\
         rows in each, and what was left out and why. The other files hold one JSON object in each line (NDJSON).\n\
         Times are in UTC (RFC 3339). Amounts of money are whole numbers of the smallest unit of their currency.\n\
         Ids are the ones that the programming interface of the planet uses; a token of a lot or parcel is its place\n\
         on the planet (an S2 cell).\n\n\
         What is not in it\n\
         -----------------\n\
         Secrets (passwords, keys, tokens): the server does not have them, or has only what it needs to check them.\n\
         Data of other people: where a row concerns somebody else too, that person is an id or is left out.\n\n\
         Why it is kept, and for how long\n\
         --------------------------------\n\
         Account and sign-in data let you in; they are kept while you have an account. Land, trades and the ledger\n\
         are the shared history of the world and its books: they are kept, under an id without a name, when the\n\
         account is erased. Events are kept for some days, notices for up to 90 days, answers to repeated requests\n\
         for a day. You typed these data in or they arose from what you did here; none were bought or guessed.\n\n\
         Who receives it\n\
         ---------------\n\
         The operator of this server, and what you made public yourself (your name, your land). Webhooks send\n\
         what you asked for to the addresses you gave.\n\n\
         What you can do\n\
         ---------------\n\
         Correct your profile on the account page, take this archive elsewhere, or have the account erased there.\n\
         You may complain to the data protection authority of the place where you live.\n",
        planet = about.planet,
        at = timestamp(about.now_us),
        account = about.account_id,
    )
}
