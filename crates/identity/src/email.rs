//! Signing in with e-mail and password: claiming an address, proving it, and what to do when the password is lost.
//!
//! An address counts when its owner has followed a link sent there; until then it keeps nobody else from it. What is
//! answered to whoever names an address is the same whether or not anybody has it, and takes as long; the one who
//! reads the mailbox learns the rest by mail.

mod letters;
pub(crate) mod lockout;
mod register;
mod reset;
pub(crate) mod rows;
mod sign_in;

use std::time::Instant;

use mail::{Address, Letter};

pub(crate) use letters::Sender;
pub use register::{OwnAccount, Registration};

use crate::base64url;
use crate::password::Busy;
use crate::service::{Identity, LoginError};

/// How long a link that confirms an address is good.
pub const CONFIRM_LIFE_US: i64 = 24 * 3600 * 1_000_000;

/// How long a link that sets a new password is good.
pub const RESET_LIFE_US: i64 = 3600 * 1_000_000;

/// Links that may wait for one address; a further one replaces the oldest.
pub const LINKS_PER_ADDRESS_MAX: i64 = 5;

/// Why something about addresses and passwords was refused.
#[derive(Debug, thiserror::Error)]
pub enum EmailError {
    /// Address or password is wrong; which, nobody is told.
    #[error("the address or the password is wrong")]
    CredentialsRefused,
    /// The password that the account has was not given.
    #[error("this is not the password of the account")]
    PasswordWrong,
    /// Too many wrong passwords for this address.
    #[error("too many wrong passwords for this address")]
    Locked {
        /// Seconds until it may be tried again.
        retry_after_s: u32,
    },
    /// The link was never sent, was used, or is too old.
    #[error("this link is not valid")]
    LinkNotValid,
    /// Somebody else has proved the address meanwhile.
    #[error("somebody else has this address")]
    AddressTaken,
    /// Without an address nobody signs in with a password.
    #[error("the account has no address")]
    NoAddress,
    /// As many passwords wait to be hashed as may.
    #[error("as many passwords wait to be hashed as may")]
    Busy,
    /// As when signing in otherwise.
    #[error(transparent)]
    Login(#[from] LoginError),
}

impl From<store::Error> for EmailError {
    fn from(error: store::Error) -> Self {
        Self::Login(error.into())
    }
}

impl From<Busy> for EmailError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

impl Identity {
    /// The keyed hash by which an address is found.
    pub(crate) fn address_index(&self, address: &Address) -> [u8; 32] {
        self.deps.vault.blind_index("email", &address.normalised())
    }

    /// Whether this address may be written to once more. That it may not is nobody's to know but the operator's.
    async fn may_write_to(&self, index: &[u8; 32]) -> bool {
        let may = self.deps.limiter.take(limits::Limit::Mail, &base64url::encode(index)).await.is_ok();
        if !may {
            metrics::counter!("terrane_mails_total", "result" => "limited").increment(1);
        }
        may
    }

    fn post(&self, letter: Letter) {
        if self.deps.post.send(letter).is_err() {
            tracing::warn!("as many mails wait as may: one was not sent");
        }
    }

    /// Comes back when an answer may be given that must not tell by its time what was found.
    async fn answer_time(&self, asked_at: Instant) {
        let rest = self.deps.accounts.answer_after.saturating_sub(asked_at.elapsed());
        if !rest.is_zero() {
            tokio::time::sleep(rest).await;
        }
    }
}
