//! What somebody has set for themselves, on whatever device; and what others may see of them.

use api::Role;
use serde::{Deserialize, Serialize};
use store::{Tx, params};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::accounts::{self, Account};
use crate::service::Identity;
use crate::standing::{self, AccountState};

/// In what distances and heights are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Units {
    /// Metres and kilometres.
    #[default]
    Metric,
    /// Feet and miles.
    Imperial,
}

/// What somebody has set for themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// A language as browsers name it (BCP 47), or none for that of the browser.
    #[schema(example = "en", pattern = "^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8}){0,3}$", max_length = 35)]
    pub language: Option<String>,
    /// In what distances and heights are shown.
    pub units: Units,
    /// Whether the page moves as little as it can.
    pub reduces_motion: bool,
    /// Whether others may see when this account was last used.
    pub shows_last_seen: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { language: None, units: Units::Metric, reduces_motion: false, shows_last_seen: false }
    }
}

impl Settings {
    /// Whether the language has the form of one.
    pub fn has_fit_language(&self) -> bool {
        self.language.as_ref().is_none_or(|language| {
            let mut parts = language.split('-');
            let first = parts.next().unwrap_or_default();
            let is_primary =
                (2..=3).contains(&first.len()) && first.bytes().all(|it| it.is_ascii_alphabetic());
            let mut count = 0;
            let are_parts = parts.all(|part| {
                count += 1;
                (2..=8).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_alphanumeric())
            });
            is_primary && are_parts && count <= 3
        })
    }
}

/// What everybody may see of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicProfile {
    /// Who.
    pub account: Account,
    /// What they are to this planet.
    pub role: Role,
    /// Whether there is nobody any more.
    pub is_erased: bool,
    /// When the account was last used, if its owner shows it. To the hour: nobody needs to be watched.
    pub last_seen_us: Option<i64>,
}

const HOUR_US: i64 = 3600 * 1_000_000;

store::statements! {
    READ = "select settings from account_settings where account_id = $1";
    WRITE = "insert into account_settings (account_id, settings) values ($1, $2) \
        on conflict (account_id) do update set settings = excluded.settings";
}

/// Settings that cannot be read (of a newer program) are those of somebody who has set none.
fn read(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Settings, store::Error> {
    let Some(row) = tx.query_opt(READ, params![account_id])? else { return Ok(Settings::default()) };
    Ok(serde_json::from_str(&row.get::<String>(0)?).unwrap_or_default())
}

impl Identity {
    /// What somebody has set.
    pub async fn settings(&self, account_id: Uuid) -> Result<Settings, store::Error> {
        self.deps.store.read(move |tx| read(tx, account_id)).await
    }

    /// Replaces what somebody has set.
    pub async fn change_settings(&self, account_id: Uuid, settings: Settings) -> Result<(), store::Error> {
        let text = serde_json::to_string(&settings).expect("settings are plain JSON");
        self.deps.store.locked(move |tx| tx.execute(WRITE, params![account_id, &text]).map(drop)).await
    }

    /// What everybody may see of somebody.
    pub async fn public_profile(&self, account_id: Uuid) -> Result<Option<PublicProfile>, store::Error> {
        self.deps
            .store
            .read(move |tx| {
                let Some(account) = accounts::find(tx, account_id)? else { return Ok(None) };
                let Some(standing) = standing::standing(tx, account_id)? else { return Ok(None) };
                let last_seen_us = if read(tx, account_id)?.shows_last_seen {
                    accounts::last_seen(tx, account_id)?.map(|it| it - it.rem_euclid(HOUR_US))
                } else {
                    None
                };
                let is_erased = standing.state == AccountState::Erased;
                Ok(Some(PublicProfile { account, role: standing.role, is_erased, last_seen_us }))
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_the_form_of_one() {
        let fits = |language: &str| {
            Settings { language: Some(language.to_owned()), ..Settings::default() }.has_fit_language()
        };
        assert!(Settings::default().has_fit_language());
        for good in ["en", "de-CH", "zh-Hant-TW", "bn"] {
            assert!(fits(good), "{good}");
        }
        for bad in
            ["", "e", "english", "en-", "en_US", "en-a", "en-1234567890", "<b>", "en-US-x1-y2-z3", "é1"]
        {
            assert!(!fits(bad), "{bad}");
        }
    }
}
