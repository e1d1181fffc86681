//! What is kept about people here, how they get it, and how they are forgotten.

use privacy::{Archive, Erased, Form, Listing, PersonalData, Vault};
use serde_json::json;
use store::{Row, Tx, params};
use uuid::Uuid;

use crate::base64url;
use crate::names;

/// Rows that hold something sealed; an account has fewer of each.
const SEALED_MAX: i64 = 1000;

store::statements! {
    ACCOUNT = "select account_id, role, state, suspended_until, created_at from accounts where account_id = $1 \
               order by account_id limit $2 offset $3";
    PROFILE = "select display_name, color from accounts where account_id = $1 order by account_id limit $2 offset $3";
    SETTINGS = "select settings from account_settings where account_id = $1 order by account_id limit $2 offset $3";
    PASSWORD = "select changed_at from passwords where account_id = $1 order by account_id limit $2 offset $3";
    KEYS = "select public_key, created_at, last_used_at, removed_at, label from device_keys \
            where account_id = $1 order by created_at limit $2";
    EMAILS = "select address, confirmed_at from emails where account_id = $1 limit $2";
    WAITING_EMAILS = "select address, expires_at from email_tokens where account_id = $1 and address is not null limit $2";
    API_KEYS = "select api_key_id, name, scopes, created_at, expires_at, last_used_at from api_keys \
                where account_id = $1 order by created_at limit $2";
    SESSIONS = "select session_id, method, signed_in_at, last_seen_at, expires_at, ended_at, user_agent from sessions \
                where account_id = $1 order by signed_in_at limit $2";
    END_SESSIONS = "update sessions set ended_at = $2 where account_id = $1 and ended_at is null";
    REVOKE_TOKENS = "update refresh_tokens set revoked_at = $2 where account_id = $1 and revoked_at is null";
    BAR = "update accounts set state = 'erased', suspended_until = null, role = 'player' \
           where account_id = $1 and state <> 'erased'";
    FORGET_CHALLENGES = "delete from challenges where account_id = $1 or public_key in \
                         (select public_key from device_keys where account_id = $1)";
    FORGET_FAILURES = "delete from password_failures where address_index in \
                       (select address_index from emails where account_id = $1)";
    FORGET_EMAIL_TOKENS = "delete from email_tokens where account_id = $1 or address_index in \
                           (select address_index from emails where account_id = $1)";
    FORGET_EMAILS = "delete from emails where account_id = $1";
    FORGET_PASSWORD = "delete from passwords where account_id = $1";
    FORGET_API_KEYS = "delete from api_keys where account_id = $1";
    FORGET_TOKENS = "delete from refresh_tokens where account_id = $1";
    FORGET_SESSIONS = "delete from sessions where account_id = $1";
    FORGET_KEYS = "delete from device_keys where account_id = $1";
    FORGET_SETTINGS = "delete from account_settings where account_id = $1";
    /// The row stays: the history of the world names it.
    OVERWRITE = "update accounts set display_name = $2, search_key = $3, skeleton = null, color = $4 \
                 where account_id = $1 and (display_name <> $2 or color <> $4)";
}

/// What is deleted, what refers to others first.
const FORGOTTEN: &[&str] = &[
    FORGET_CHALLENGES,
    FORGET_FAILURES,
    FORGET_EMAIL_TOKENS,
    FORGET_EMAILS,
    FORGET_PASSWORD,
    FORGET_API_KEYS,
    FORGET_TOKENS,
    FORGET_SESSIONS,
    FORGET_KEYS,
    FORGET_SETTINGS,
];

const LISTINGS: &[Listing] = &[
    Listing {
        file: "account",
        kind: "account",
        sql: ACCOUNT,
        columns: &[
            ("account_id", Form::Id),
            ("role", Form::Text),
            ("state", Form::Text),
            ("suspended_until", Form::Time),
            ("created_at", Form::Time),
        ],
    },
    Listing {
        file: "profile",
        kind: "profile",
        sql: PROFILE,
        columns: &[("display_name", Form::Text), ("color", Form::Number)],
    },
    Listing { file: "profile", kind: "settings", sql: SETTINGS, columns: &[("settings", Form::Json)] },
    Listing { file: "credentials", kind: "password", sql: PASSWORD, columns: &[("changed_at", Form::Time)] },
];

/// What people are drawn in who are no more.
pub const ERASED_COLOR: u32 = 0x80_80_80;

/// Accounts, ways in, sessions, settings.
#[derive(Clone, Debug)]
pub struct Personal {
    vault: Vault,
}

impl Personal {
    /// The vault opens what is sealed, for the archive.
    pub fn new(vault: Vault) -> Self {
        Self { vault }
    }

    fn text(
        &self,
        tx: &mut Tx<'_>,
        account_id: Uuid,
        field: &'static str,
        row: &Row,
        column: usize,
    ) -> Result<Option<String>, store::Error> {
        let sealed: Option<Vec<u8>> = row.get(column)?;
        Ok(sealed.map(|it| self.vault.open_text(tx, account_id, field, &it)).transpose()?.flatten())
    }

    fn credentials(&self, tx: &mut Tx<'_>, account_id: Uuid, out: &mut Archive) -> Result<(), store::Error> {
        for row in tx.query(KEYS, params![account_id, SEALED_MAX])? {
            let label = self.text(tx, account_id, "key_label", &row, 4)?;
            let key = base64url::encode(&row.get::<Vec<u8>>(0)?);
            out.row(
                "credentials",
                &json!({
                    "kind": "device_key", "public_key": key, "label": label, "created_at": at(&row, 1)?,
                    "last_used_at": at(&row, 2)?, "removed_at": at(&row, 3)?,
                }),
            );
        }
        for (sql, kind, time) in
            [(EMAILS, "email", "confirmed_at"), (WAITING_EMAILS, "email_to_confirm", "expires_at")]
        {
            for row in tx.query(sql, params![account_id, SEALED_MAX])? {
                let address = self.text(tx, account_id, "email", &row, 0)?;
                out.row("credentials", &json!({ "kind": kind, "address": address, time: at(&row, 1)? }));
            }
        }
        for row in tx.query(API_KEYS, params![account_id, SEALED_MAX])? {
            let name = self.text(tx, account_id, "api_key_name", &row, 1)?;
            out.row(
                "credentials",
                &json!({
                    "kind": "api_key", "api_key_id": row.get::<Uuid>(0)?, "name": name,
                    "scopes": row.get::<String>(2)?, "created_at": at(&row, 3)?, "expires_at": at(&row, 4)?,
                    "last_used_at": at(&row, 5)?,
                }),
            );
        }
        Ok(())
    }
}

impl PersonalData for Personal {
    fn domain(&self) -> &'static str {
        "identity"
    }

    fn export(&self, tx: &mut Tx<'_>, account_id: Uuid, out: &mut Archive) -> Result<(), store::Error> {
        for listing in LISTINGS {
            out.list(tx, account_id, listing)?;
        }
        self.credentials(tx, account_id, out)?;
        for row in tx.query(SESSIONS, params![account_id, SEALED_MAX])? {
            let user_agent = self.text(tx, account_id, "user_agent", &row, 6)?;
            out.row(
                "logins",
                &json!({
                    "kind": "session", "session_id": row.get::<Uuid>(0)?, "method": row.get::<String>(1)?,
                    "signed_in_at": at(&row, 2)?, "last_seen_at": at(&row, 3)?, "expires_at": at(&row, 4)?,
                    "ended_at": at(&row, 5)?, "user_agent": user_agent,
                }),
            );
        }
        out.leave_out("password, tokens, secrets of keys", "the server has only hashes of them");
        out.leave_out("consents", "nothing is done by consent: there is no tracking and no advertising");
        Ok(())
    }

    fn lock_out(&self, tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<(), store::Error> {
        tx.execute(BAR, params![account_id])?;
        tx.execute(END_SESSIONS, params![account_id, now_us])?;
        tx.execute(REVOKE_TOKENS, params![account_id, now_us])?;
        tx.execute(FORGET_API_KEYS, params![account_id]).map(drop)
    }

    fn erase(&self, tx: &mut Tx<'_>, account_id: Uuid, _: i64) -> Result<Erased, store::Error> {
        for sql in FORGOTTEN {
            tx.execute(sql, params![account_id])?;
        }
        let name = erased_name(account_id);
        tx.execute(OVERWRITE, params![account_id, &name, names::search_key(&name), ERASED_COLOR])?;
        Ok(Erased::Done)
    }
}

/// What an erased account is called: the same at each pass, by the random end of an id that is public anyway.
pub fn erased_name(account_id: Uuid) -> String {
    let id = account_id.simple().to_string();
    format!("Deleted player {}", &id[id.len() - 8..])
}

/// An instant as it is written in an archive.
fn at(row: &Row, column: usize) -> Result<Option<String>, store::Error> {
    Ok(row.get::<Option<i64>>(column)?.map(|us| api::timestamp(us).to_string()))
}
