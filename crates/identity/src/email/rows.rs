//! Rows of addresses, passwords and links.

use store::{Tx, params};
use uuid::Uuid;

use crate::email::LINKS_PER_ADDRESS_MAX;
use crate::link_token::LinkToken;
use privacy::Vault;

/// What a link does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LinkPurpose {
    /// Makes an account.
    Register,
    /// Proves an address of an account that exists.
    Confirm,
    /// Sets a new password.
    Reset,
}

impl LinkPurpose {
    const ALL: [Self; 3] = [Self::Register, Self::Confirm, Self::Reset];

    const fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Confirm => "confirm",
            Self::Reset => "reset",
        }
    }
}

/// A link that waits to be followed.
pub(crate) struct Link {
    pub(crate) purpose: LinkPurpose,
    pub(crate) account_id: Uuid,
    pub(crate) address_index: [u8; 32],
    /// Sealed.
    pub(crate) address: Option<Vec<u8>>,
    pub(crate) phc: Option<String>,
    /// Sealed.
    pub(crate) display_name: Option<Vec<u8>>,
}

store::statements! {
    OWNER = "select account_id from emails where address_index = $1";
    EMAIL_OF = "select address, address_index from emails where account_id = $1";
    SET_EMAIL = "insert into emails (account_id, address, address_index, confirmed_at) values ($1, $2, $3, $4) \
        on conflict (account_id) do update set address = excluded.address, \
        address_index = excluded.address_index, confirmed_at = excluded.confirmed_at";
    PHC_BY_ADDRESS = "select e.account_id, p.phc from emails e join passwords p on p.account_id = e.account_id \
        where e.address_index = $1";
    PHC_OF = "select phc from passwords where account_id = $1";
    SET_PHC = "insert into passwords (account_id, phc, changed_at) values ($1, $2, $3) \
        on conflict (account_id) do update set phc = excluded.phc, changed_at = excluded.changed_at";
    /// The same password in another form, unless it was changed meanwhile.
    UPGRADE_PHC = "update passwords set phc = $3 where account_id = $1 and phc = $2";
    EXPIRED_LINKS = "select token_hash, purpose, account_id from email_tokens where expires_at <= $1 limit 100";
    /// All but the newest few.
    SURPLUS_LINKS = "select token_hash, purpose, account_id from email_tokens where address_index = $1 \
        and token_hash not in (select token_hash from email_tokens where address_index = $1 \
        order by expires_at desc, token_hash limit $2)";
    LINKS_TO = "select token_hash, purpose, account_id from email_tokens where address_index = $1 and purpose <> $2";
    LINKS_OF = "select token_hash, purpose, account_id from email_tokens where account_id = $1 and purpose = $2";
    INSERT_LINK = "insert into email_tokens (token_hash, purpose, account_id, address_index, address, phc, \
        display_name, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8)";
    IS_OPEN = "select count(*) from email_tokens where token_hash = $1 and purpose = $2 and expires_at > $3";
    TAKE_LINK = "delete from email_tokens where token_hash = $1 and purpose <> $2 and expires_at > $3 \
        returning purpose, account_id, address_index, address, phc, display_name";
    TAKE_RESET = "delete from email_tokens where token_hash = $1 and purpose = $2 and expires_at > $3 \
        returning purpose, account_id, address_index, address, phc, display_name";
    DELETE_LINK = "delete from email_tokens where token_hash = $1";
    WAITING_ADDRESS = "select address from email_tokens where account_id = $1 and purpose = $2 and expires_at > $3 \
        order by expires_at desc, token_hash limit 1";
}

/// Whose an address is.
pub(crate) fn owner(tx: &mut Tx<'_>, index: [u8; 32]) -> Result<Option<Uuid>, store::Error> {
    tx.query_opt(OWNER, params![index])?.map(|row| row.get(0)).transpose()
}

/// An address, sealed, and its keyed hash.
pub(crate) type SealedAddress = (Vec<u8>, [u8; 32]);

/// The proved address of an account.
pub(crate) fn email_of(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Option<SealedAddress>, store::Error> {
    let Some(row) = tx.query_opt(EMAIL_OF, params![account_id])? else { return Ok(None) };
    Ok(Some((row.get(0)?, row.get(1)?)))
}

/// Writes a proved address; the one before is gone.
pub(crate) fn set_email(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    address: Vec<u8>,
    index: [u8; 32],
    now_us: i64,
) -> Result<(), store::Error> {
    tx.execute(SET_EMAIL, params![account_id, address, index, now_us]).map(drop)
}

/// The account and the hash that a password for this address is compared with.
pub(crate) fn phc_by_address(
    tx: &mut Tx<'_>,
    index: [u8; 32],
) -> Result<Option<(Uuid, String)>, store::Error> {
    let Some(row) = tx.query_opt(PHC_BY_ADDRESS, params![index])? else { return Ok(None) };
    Ok(Some((row.get(0)?, row.get(1)?)))
}

/// The hash of an account's password.
pub(crate) fn phc_of(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Option<String>, store::Error> {
    tx.query_opt(PHC_OF, params![account_id])?.map(|row| row.get(0)).transpose()
}

/// Writes a new password.
pub(crate) fn set_phc(tx: &mut Tx<'_>, account_id: Uuid, phc: &str, now_us: i64) -> Result<(), store::Error> {
    tx.execute(SET_PHC, params![account_id, phc, now_us]).map(drop)
}

/// Writes the same password in another form.
pub(crate) fn upgrade_phc(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    old: &str,
    new: &str,
) -> Result<(), store::Error> {
    tx.execute(UPGRADE_PHC, params![account_id, old, new]).map(drop)
}

/// Keeps a link until it is followed, and drops what is too old or too many.
pub(crate) fn put_link(
    tx: &mut Tx<'_>,
    vault: &Vault,
    token: &LinkToken,
    link: &Link,
    expires_us: i64,
    now_us: i64,
) -> Result<(), store::Error> {
    for row in tx.query(EXPIRED_LINKS, params![now_us])? {
        drop_link(tx, vault, &row)?;
    }
    for row in tx.query(SURPLUS_LINKS, params![link.address_index, LINKS_PER_ADDRESS_MAX - 1])? {
        drop_link(tx, vault, &row)?;
    }
    let values = params![
        token.hash(),
        link.purpose.name(),
        link.account_id,
        link.address_index,
        link.address.clone(),
        link.phc.clone(),
        link.display_name.clone(),
        expires_us
    ];
    tx.execute(INSERT_LINK, values).map(drop)
}

/// Uses up a link that proves an address; `None` if there is no such open link.
pub(crate) fn take_confirm(
    tx: &mut Tx<'_>,
    token: &LinkToken,
    now_us: i64,
) -> Result<Option<Link>, store::Error> {
    take(tx, TAKE_LINK, token, now_us)
}

/// Uses up a link that sets a new password; `None` if there is no such open link.
pub(crate) fn take_reset(
    tx: &mut Tx<'_>,
    token: &LinkToken,
    now_us: i64,
) -> Result<Option<Link>, store::Error> {
    take(tx, TAKE_RESET, token, now_us)
}

/// Whether a link that sets a new password is open.
pub(crate) fn is_open_reset(tx: &mut Tx<'_>, token: &LinkToken, now_us: i64) -> Result<bool, store::Error> {
    let row = tx.query_one(IS_OPEN, params![token.hash(), LinkPurpose::Reset.name(), now_us])?;
    Ok(row.get::<i64>(0)? > 0)
}

/// Drops what else waits to claim an address that is proved now.
pub(crate) fn drop_claims(tx: &mut Tx<'_>, vault: &Vault, index: [u8; 32]) -> Result<(), store::Error> {
    for row in tx.query(LINKS_TO, params![index, LinkPurpose::Reset.name()])? {
        drop_link(tx, vault, &row)?;
    }
    Ok(())
}

/// Drops the links of an account that set a new password, or that would change its address.
pub(crate) fn drop_links_of(
    tx: &mut Tx<'_>,
    vault: &Vault,
    account_id: Uuid,
    purpose: LinkPurpose,
) -> Result<(), store::Error> {
    for row in tx.query(LINKS_OF, params![account_id, purpose.name()])? {
        drop_link(tx, vault, &row)?;
    }
    Ok(())
}

/// The address that an account has named and not proved yet; sealed.
pub(crate) fn waiting_address(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    now_us: i64,
) -> Result<Option<Vec<u8>>, store::Error> {
    let values = params![account_id, LinkPurpose::Confirm.name(), now_us];
    tx.query_opt(WAITING_ADDRESS, values)?.map(|row| row.get(0)).transpose()
}

fn take(
    tx: &mut Tx<'_>,
    statement: &'static str,
    token: &LinkToken,
    now_us: i64,
) -> Result<Option<Link>, store::Error> {
    let values = params![token.hash(), LinkPurpose::Reset.name(), now_us];
    let Some(row) = tx.query_opt(statement, values)? else { return Ok(None) };
    let name: String = row.get(0)?;
    let purpose = LinkPurpose::ALL.into_iter().find(|it| it.name() == name);
    let damaged = || store::Error::Damaged { detail: "email_tokens: no such purpose".to_owned() };
    Ok(Some(Link {
        purpose: purpose.ok_or_else(damaged)?,
        account_id: row.get(1)?,
        address_index: row.get(2)?,
        address: row.get(3)?,
        phc: row.get(4)?,
        display_name: row.get(5)?,
    }))
}

/// With a registration goes the key of somebody who never came to be.
fn drop_link(tx: &mut Tx<'_>, vault: &Vault, row: &store::Row) -> Result<(), store::Error> {
    tx.execute(DELETE_LINK, params![row.get::<[u8; 32]>(0)?])?;
    if row.get::<String>(1)? == LinkPurpose::Register.name() {
        vault.forget(tx, row.get(2)?)?;
    }
    Ok(())
}
