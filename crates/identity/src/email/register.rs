//! Claiming an address, for a new account or for one that exists, and proving it.

use std::time::Instant;

use api::Caller;
use mail::Address;
use uuid::Uuid;

use crate::accounts::{self, Account};
use crate::email::rows::{self, Link, LinkPurpose};
use crate::email::{CONFIRM_LIFE_US, EmailError, RESET_LIFE_US, lockout};
use crate::entrance::{Entering, SignIn, new_id};
use crate::link_token::LinkToken;
use crate::password::Password;
use crate::service::{Identity, LoginError, Session};
use crate::sessions::SignInMethod;

/// Who wants to register.
pub struct Registration {
    /// To be proved.
    pub address: Address,
    /// For the account that comes of it.
    pub password: Password,
    /// A friendly one is made up if not given.
    pub display_name: Option<String>,
}

/// An account as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAccount {
    /// What others see too.
    pub account: Account,
    /// Whether address and password open it.
    pub has_password: bool,
    /// The address, and whether it is proved.
    pub address: Option<(String, bool)>,
    /// Whether nothing but device keys opens it.
    pub is_guest: bool,
}

impl Identity {
    /// Sends a link that makes an account, or to an address that has one, a link that sets a new password. Comes back
    /// alike in both cases.
    pub async fn register(&self, registration: Registration) -> Result<(), EmailError> {
        let (asked_at, now_us) = (Instant::now(), self.now_us());
        let Registration { address, password, display_name } = registration;
        let index = self.address_index(&address);
        let phc = self.hashing.hash(password).await?;
        let account_id = new_id(now_us);
        let (vault, token) = (self.deps.vault.clone(), LinkToken::random());
        let (stored_token, sealed_address) = (token.clone(), address.as_str().to_owned());
        let has_account = self
            .deps
            .store
            .serializable(move |tx| {
                if let Some(name) = &display_name
                    && accounts::looks_like_staff(tx, name, account_id)?
                {
                    return Err(LoginError::NameReserved);
                }
                let owner = rows::owner(tx, index)?;
                // An owner gets a link too: what is written is the same in both cases.
                let (purpose, account_id, life_us) = match owner {
                    Some(owner) => (LinkPurpose::Reset, owner, RESET_LIFE_US),
                    None => (LinkPurpose::Register, account_id, CONFIRM_LIFE_US),
                };
                let address = vault.seal(tx, account_id, "email", sealed_address.as_bytes())?;
                let name = display_name.as_ref().map(|it| vault.seal(tx, account_id, "name", it.as_bytes()));
                let link = Link {
                    purpose,
                    account_id,
                    address_index: index,
                    address: Some(address),
                    phc: owner.is_none().then(|| phc.clone()),
                    display_name: name.transpose()?,
                };
                rows::put_link(tx, &vault, &stored_token, &link, now_us + life_us, now_us)?;
                Ok(owner.is_some())
            })
            .await?;
        if self.may_write_to(&index).await {
            self.post(if has_account {
                self.letters.has_account(address, &token)
            } else {
                self.letters.confirm_registration(address, &token)
            });
        }
        self.answer_time(asked_at).await;
        Ok(())
    }

    /// Gives an account an address to sign in with, once it is proved. `password` is the one that the account has; for
    /// one that has none, a guest's, the one it will have. The account stays what it is.
    pub async fn claim_address(
        &self,
        caller: &Caller,
        address: Address,
        password: Password,
    ) -> Result<(), EmailError> {
        let (asked_at, now_us, account_id) = (Instant::now(), self.now_us(), caller.account_id);
        let index = self.address_index(&address);
        let old = self.deps.store.read(move |tx| rows::phc_of(tx, account_id)).await?;
        let phc = if old.is_some() {
            self.check_own_password(account_id, password, old).await?;
            None
        } else {
            Some(self.hashing.hash(password).await?)
        };
        let (vault, token) = (self.deps.vault.clone(), LinkToken::random());
        let (stored_token, plain_address) = (token.clone(), address.as_str().to_owned());
        let of_another = self
            .deps
            .store
            .serializable(move |tx| -> Result<_, store::Error> {
                let other = rows::owner(tx, index)?.filter(|owner| *owner != account_id);
                let (purpose, account_id, life_us) = match other {
                    Some(other) => (LinkPurpose::Reset, other, RESET_LIFE_US),
                    None => (LinkPurpose::Confirm, account_id, CONFIRM_LIFE_US),
                };
                let address = vault.seal(tx, account_id, "email", plain_address.as_bytes())?;
                let link = Link {
                    purpose,
                    account_id,
                    address_index: index,
                    address: Some(address),
                    phc: phc.clone().filter(|_| other.is_none()),
                    display_name: None,
                };
                if other.is_none() {
                    rows::drop_links_of(tx, &vault, account_id, LinkPurpose::Confirm)?;
                }
                rows::put_link(tx, &vault, &stored_token, &link, now_us + life_us, now_us)?;
                Ok(other.is_some())
            })
            .await?;
        if self.may_write_to(&index).await {
            self.post(if of_another {
                self.letters.has_account(address, &token)
            } else {
                self.letters.confirm_change(address, &token)
            });
        }
        self.answer_time(asked_at).await;
        Ok(())
    }

    /// Follows a link that proves an address, and signs its owner in.
    pub async fn confirm(&self, token: LinkToken, user_agent: Option<String>) -> Result<Session, EmailError> {
        let (entrance, vault, now_us) = (self.entrance(), self.deps.vault.clone(), self.now_us());
        let how = SignIn { method: SignInMethod::Email, public_key: None, user_agent };
        let (opened, address_before) = self
            .deps
            .store
            .serializable(move |tx| {
                let link = rows::take_confirm(tx, &token, now_us)?.ok_or(EmailError::LinkNotValid)?;
                let Link { purpose, account_id, address_index: index, address, phc, display_name } = link;
                let address = address.ok_or(EmailError::LinkNotValid)?;
                if rows::owner(tx, index)?.is_some_and(|owner| owner != account_id) {
                    return Err(EmailError::AddressTaken);
                }
                let who = if purpose == LinkPurpose::Register {
                    let name = match display_name {
                        Some(sealed) => vault.open_text(tx, account_id, "name", &sealed)?,
                        None => None,
                    };
                    // Somebody of staff may have taken a name like it since: then a friendly one will do.
                    let name = match name {
                        Some(name) if accounts::looks_like_staff(tx, &name, account_id)? => None,
                        name => name,
                    };
                    Entering::New { account_id: Some(account_id), display_name: name, color: None }
                } else {
                    Entering::Known(account_id)
                };
                let opened = entrance.open_in(tx, &who, &how, now_us)?;
                let before = match rows::email_of(tx, account_id)? {
                    Some((sealed, old)) if old != index => {
                        vault.open_text(tx, account_id, "email", &sealed)?
                    }
                    _ => None,
                };
                rows::set_email(tx, account_id, address, index, now_us)?;
                // A password that the account has got meanwhile is newer than the one in the link.
                if let Some(phc) = phc
                    && rows::phc_of(tx, account_id)?.is_none()
                {
                    rows::set_phc(tx, account_id, &phc, now_us)?;
                }
                rows::drop_claims(tx, &vault, index)?;
                lockout::clear(tx, index)?;
                Ok((opened, before))
            })
            .await?;
        if let Some(before) = address_before.and_then(|it| Address::parse(&it).ok()) {
            self.post(self.letters.address_changed(before));
        }
        Ok(self.session_of(opened))
    }

    /// An account as its owner sees it.
    pub async fn own_account(&self, account_id: Uuid) -> Result<Option<OwnAccount>, store::Error> {
        let (vault, other_ways_in) = (self.deps.vault.clone(), self.deps.other_ways_in.clone());
        let now_us = self.now_us();
        self.deps
            .store
            .read(move |tx| {
                let Some(account) = accounts::find(tx, account_id)? else { return Ok(None) };
                let (sealed, is_proved) = match rows::email_of(tx, account_id)? {
                    Some((sealed, _)) => (Some(sealed), true),
                    None => (rows::waiting_address(tx, account_id, now_us)?, false),
                };
                let address = match sealed {
                    Some(sealed) => vault.open_text(tx, account_id, "email", &sealed)?,
                    None => None,
                };
                Ok(Some(OwnAccount {
                    account,
                    has_password: is_proved && rows::phc_of(tx, account_id)?.is_some(),
                    address: address.map(|address| (address, is_proved)),
                    is_guest: !is_proved && other_ways_in(tx, account_id)? == 0,
                }))
            })
            .await
    }

    /// Whether an account has a password.
    pub(crate) async fn has_password(&self, account_id: Uuid) -> Result<bool, store::Error> {
        self.deps.store.read(move |tx| Ok(rows::phc_of(tx, account_id)?.is_some())).await
    }
}
