//! Signing in with a password, and changing it.

use std::time::Instant;

use api::Caller;
use mail::Address;
use uuid::Uuid;

use crate::email::{EmailError, lockout, rows};
use crate::entrance::{Entering, SignIn};
use crate::password::{Checked, Password};
use crate::service::{Identity, Session};
use crate::sessions::{self, SignInMethod};

impl Identity {
    /// Opens a session for whoever knows the password of this address.
    ///
    /// Of a wrong password, an address nobody has, and an account without a password nobody can tell which it was, not
    /// by the time either. Too many wrong ones: see `lockout.rs`.
    pub async fn sign_in_with_password(
        &self,
        address: &Address,
        password: Password,
        user_agent: Option<String>,
    ) -> Result<Session, EmailError> {
        let asked_at = Instant::now();
        let index = self.address_index(address);
        let found = self.deps.store.read(move |tx| rows::phc_by_address(tx, index)).await?;
        let (account_id, phc) = found.map_or((None, None), |(id, phc)| (Some(id), Some(phc)));
        let checked = self.check_password(index, password, phc.clone()).await?;
        let (Some(account_id), Some(phc), true) = (account_id, phc, checked.is_right) else {
            self.answer_time(asked_at).await;
            return Err(EmailError::CredentialsRefused);
        };
        let (entrance, now_us) = (self.entrance(), self.now_us());
        let how = SignIn { method: SignInMethod::Password, public_key: None, user_agent };
        let opened = self
            .deps
            .store
            .serializable(move |tx| {
                // It may have been changed while it was being checked.
                if rows::phc_of(tx, account_id)?.as_ref() != Some(&phc) {
                    return Err(EmailError::CredentialsRefused);
                }
                if let Some(new) = &checked.upgraded {
                    rows::upgrade_phc(tx, account_id, &phc, new)?;
                }
                lockout::clear(tx, index)?;
                Ok(entrance.open_in(tx, &Entering::Known(account_id), &how, now_us)?)
            })
            .await?;
        Ok(self.session_of(opened))
    }

    /// Sets another password for somebody who knows the one they have, and ends all their other sessions. Without a
    /// password until now (who came in by a key or another site), having just signed in is enough.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: Option<Password>,
        password: Password,
    ) -> Result<(), EmailError> {
        let account_id = caller.account_id;
        let old = self.deps.store.read(move |tx| rows::phc_of(tx, account_id)).await?;
        if old.is_some() {
            let current = current.ok_or(EmailError::PasswordWrong)?;
            self.check_own_password(account_id, current, old).await?;
        }
        let phc = self.hashing.hash(password).await?;
        let (vault, now_us, caller) = (self.deps.vault.clone(), self.now_us(), *caller);
        let address = self
            .deps
            .store
            .serializable(move |tx| {
                let account_id = caller.account_id;
                let (sealed, _) = rows::email_of(tx, account_id)?.ok_or(EmailError::NoAddress)?;
                rows::set_phc(tx, account_id, &phc, now_us)?;
                rows::drop_links_of(tx, &vault, account_id, rows::LinkPurpose::Reset)?;
                sessions::end_all(tx, account_id, Some(caller.session_id), now_us)?;
                Ok::<_, EmailError>(vault.open_text(tx, account_id, "email", &sealed)?)
            })
            .await?;
        self.standing_changed(caller.account_id);
        self.tell_of_new_password(address);
        Ok(())
    }

    /// Refuses whoever is signed in but does not know the password of the account. Wrong tries count as when signing
    /// in: an open session is no way to guess.
    pub(crate) async fn check_own_password(
        &self,
        account_id: Uuid,
        password: Password,
        phc: Option<String>,
    ) -> Result<(), EmailError> {
        let email = self.deps.store.read(move |tx| rows::email_of(tx, account_id)).await?;
        let (_, index) = email.ok_or(EmailError::NoAddress)?;
        if !self.check_password(index, password, phc).await?.is_right {
            return Err(EmailError::PasswordWrong);
        }
        Ok(self.deps.store.locked(move |tx| lockout::clear(tx, index)).await?)
    }

    pub(crate) fn tell_of_new_password(&self, address: Option<String>) {
        if let Some(address) = address.and_then(|it| Address::parse(&it).ok()) {
            self.post(self.letters.password_changed(address));
        }
    }

    /// Counts a try and looks at the password.
    async fn check_password(
        &self,
        index: [u8; 32],
        password: Password,
        phc: Option<String>,
    ) -> Result<Checked, EmailError> {
        let now_us = self.now_us();
        self.deps.store.serializable(move |tx| lockout::take_try(tx, index, now_us)).await?;
        match self.hashing.check(password, phc).await {
            Ok(checked) => Ok(checked),
            Err(busy) => {
                self.deps.store.locked(move |tx| lockout::give_back(tx, index)).await?;
                Err(busy.into())
            }
        }
    }
}
