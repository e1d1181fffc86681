//! A password that is lost.

use std::time::Instant;

use mail::Address;

use crate::email::rows::{self, Link, LinkPurpose};
use crate::email::{EmailError, RESET_LIFE_US, lockout};
use crate::link_token::LinkToken;
use crate::password::Password;
use crate::service::Identity;
use crate::sessions;

impl Identity {
    /// Sends a link that sets a new password to an address that somebody has. Comes back alike if nobody has it.
    pub async fn forgot_password(&self, address: Address) -> Result<(), EmailError> {
        let (asked_at, now_us) = (Instant::now(), self.now_us());
        let index = self.address_index(&address);
        let (vault, token) = (self.deps.vault.clone(), LinkToken::random());
        let stored_token = token.clone();
        let is_known = self
            .deps
            .store
            .locked(move |tx| -> Result<_, store::Error> {
                let Some(account_id) = rows::owner(tx, index)? else { return Ok(false) };
                let link = Link {
                    purpose: LinkPurpose::Reset,
                    account_id,
                    address_index: index,
                    address: None,
                    phc: None,
                    display_name: None,
                };
                rows::put_link(tx, &vault, &stored_token, &link, now_us + RESET_LIFE_US, now_us)?;
                Ok(true)
            })
            .await?;
        // Asked of unknown addresses too: the limit must not tell them apart.
        if self.may_write_to(&index).await && is_known {
            self.post(self.letters.reset(address, &token));
        }
        self.answer_time(asked_at).await;
        Ok(())
    }

    /// Follows a link that sets a new password. All sessions end, and the door is open again if it was locked.
    pub async fn reset_password(&self, token: LinkToken, password: Password) -> Result<(), EmailError> {
        let (asked, now_us) = (token.clone(), self.now_us());
        // First, so that nobody without a link keeps the pool busy.
        if !self.deps.store.read(move |tx| rows::is_open_reset(tx, &asked, now_us)).await? {
            return Err(EmailError::LinkNotValid);
        }
        let phc = self.hashing.hash(password).await?;
        let vault = self.deps.vault.clone();
        let (account_id, address) = self
            .deps
            .store
            .serializable(move |tx| {
                let link = rows::take_reset(tx, &token, now_us)?.ok_or(EmailError::LinkNotValid)?;
                let account_id = link.account_id;
                // A link to an address that the account has no more opens nothing.
                let email = rows::email_of(tx, account_id)?.filter(|(_, index)| *index == link.address_index);
                let (sealed, index) = email.ok_or(EmailError::LinkNotValid)?;
                rows::set_phc(tx, account_id, &phc, now_us)?;
                rows::drop_links_of(tx, &vault, account_id, LinkPurpose::Reset)?;
                sessions::end_all(tx, account_id, None, now_us)?;
                lockout::clear(tx, index)?;
                Ok::<_, EmailError>((account_id, vault.open_text(tx, account_id, "email", &sealed)?))
            })
            .await?;
        self.standing_changed(account_id);
        self.tell_of_new_password(address);
        Ok(())
    }
}
