//! What can be done: ask for a challenge, answer it, refresh, log out, look at and change oneself.

use std::sync::Arc;

use api::Clock;
use store::{Store, Tx};
use uuid::Uuid;

use crate::access_token::{AccessTokenError, AccessTokens, Bearer};
use crate::accounts::{self, Account};
use crate::challenge::{self, Nonce, Purpose};
use crate::challenge_rows::{self, Challenge};
use crate::color::Color;
use crate::device_key::DeviceKey;
use crate::names;
use crate::refresh_token::{self, Family, RefreshToken, Spending};
use crate::signing_key::PublicJwk;

/// Runs in the transaction that creates an account: opens its wallet, for example. If it fails there is no account.
pub type NewAccountHook =
    Arc<dyn Fn(&mut Tx<'_>, Uuid, i64) -> Result<(), Box<dyn std::error::Error + Send + Sync>> + Send + Sync>;

/// Hears of a changed name or colour after it is stored.
pub type ProfileChanged = Arc<dyn Fn(&Account) + Send + Sync>;

/// What identity needs from outside.
pub struct Deps {
    /// Migrated with [`crate::MIGRATIONS`].
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Issues and checks access tokens.
    pub tokens: AccessTokens,
    /// See [`NewAccountHook`].
    pub new_account: NewAccountHook,
    /// See [`ProfileChanged`].
    pub profile_changed: ProfileChanged,
}

/// The service; share it in an `Arc`.
pub struct Identity {
    deps: Deps,
}

/// A text to sign, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedChallenge {
    /// What the device signs, as UTF-8.
    pub text: String,
    /// To be sent back with the signature.
    pub nonce: Nonce,
    /// Seconds since 1970.
    pub expires_s: i64,
}

/// How a newcomer wants to be seen; ignored for an account that exists.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// A friendly one is made up if not given.
    pub display_name: Option<String>,
    /// One of the palette if not given.
    pub color: Option<Color>,
}

/// An open session.
pub struct Session {
    /// Whose.
    pub account: Account,
    /// Whether the account was made just now.
    pub is_new: bool,
    /// For the next [`crate::ACCESS_TOKEN_LIFE_S`] seconds.
    pub access_token: String,
    /// Good for one refresh.
    pub refresh_token: RefreshToken,
}

/// Why the answer to a challenge was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Never issued, issued to another key, used, or expired: a client cannot tell which.
    #[error("this challenge is not open")]
    ChallengeNotOpen,
    /// Not this key's over this text. The challenge is used up all the same.
    #[error("the signature does not fit")]
    SignatureRefused,
    /// The account could not be set up.
    #[error("the account could not be set up: {0}")]
    Setup(Box<dyn std::error::Error + Send + Sync>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Why a session does not go on.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Not ours, expired, or of a session that has ended.
    #[error("this refresh token is not valid")]
    Refused,
    /// A token came back after its use: the session has been ended, because somebody has a copy.
    #[error("this refresh token was used before; the session has been ended")]
    Reused,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Identity {
    /// The service over these.
    pub fn new(deps: Deps) -> Self {
        Self { deps }
    }

    /// The keys with which anybody can check access tokens.
    pub fn public_keys(&self) -> Vec<PublicJwk> {
        self.deps.tokens.public_keys()
    }

    /// Who a token speaks for.
    pub fn check_access_token(&self, token: &str) -> Result<Bearer, AccessTokenError> {
        self.deps.tokens.check(token, self.now_s())
    }

    /// A text for the holder of `key` to sign. The same for known and unknown keys.
    pub async fn challenge(&self, key: DeviceKey, origin: &str) -> Result<IssuedChallenge, store::Error> {
        let now_us = self.deps.clock.now_us();
        let issued_s = now_us.div_euclid(1_000_000);
        let nonce = Nonce(rand::random());
        let text = challenge::text(Purpose::Login, origin, &key, &nonce, issued_s);
        let expires_s = issued_s + challenge::LIFE_S;
        let row = Challenge {
            nonce,
            key,
            purpose: Purpose::Login,
            signed_text: text.clone(),
            expires_us: expires_s * 1_000_000,
        };
        self.deps.store.locked(move |tx| challenge_rows::put(tx, &row, now_us)).await?;
        Ok(IssuedChallenge { text, nonce, expires_s })
    }

    /// Opens a session for the holder of `key`, and an account on their first visit.
    ///
    /// A challenge is used up by its answer, right or wrong.
    pub async fn answer(
        &self,
        key: DeviceKey,
        nonce: Nonce,
        signature: &[u8; 64],
        wishes: Wishes,
    ) -> Result<Session, LoginError> {
        let now_us = self.deps.clock.now_us();
        let asked_key = key.clone();
        let text = self
            .deps
            .store
            .read(move |tx| challenge_rows::text_of(tx, nonce, &asked_key, Purpose::Login, now_us))
            .await?
            .ok_or(LoginError::ChallengeNotOpen)?;
        // Checked outside of the writing transaction: nobody waits for our arithmetic.
        if !key.has_signed(text.as_bytes(), signature) {
            self.deps.store.locked(move |tx| challenge_rows::take(tx, nonce)).await?;
            return Err(LoginError::SignatureRefused);
        }
        let newcomer = Account {
            account_id: self.new_id(),
            display_name: wishes.display_name.unwrap_or_else(|| names::friendly(rand::random())),
            color: wishes.color.unwrap_or_else(|| Color::from_palette(rand::random())),
            created_us: now_us,
        };
        let family_id = self.new_id();
        let refresh_token = RefreshToken::from_random(rand::random());
        let first_token = refresh_token.clone();
        let new_account = Arc::clone(&self.deps.new_account);
        let (account, is_new) = self
            .deps
            .store
            .serializable(move |tx| {
                if !challenge_rows::take(tx, nonce)? {
                    return Err(LoginError::ChallengeNotOpen);
                }
                let known = accounts::use_key(tx, &key, now_us)?;
                let is_new = known.is_none();
                let account = if let Some(account) = known {
                    account
                } else {
                    accounts::create(tx, &newcomer, &key)?;
                    new_account(tx, newcomer.account_id, now_us).map_err(LoginError::Setup)?;
                    newcomer.clone()
                };
                let family = Family { family_id, account_id: account.account_id };
                refresh_token::start_family(tx, family, &first_token, now_us)?;
                Ok((account, is_new))
            })
            .await?;
        let bearer = Bearer { account_id: account.account_id, session_id: family_id };
        Ok(Session { access_token: self.issue(bearer), account, is_new, refresh_token })
    }

    /// Goes on with a session: spends `presented` for a new pair of tokens.
    pub async fn refresh(&self, presented: RefreshToken) -> Result<Session, RefreshError> {
        let now_us = self.deps.clock.now_us();
        let refresh_token = RefreshToken::from_random(rand::random());
        let fresh = refresh_token.clone();
        let (spending, account) = self
            .deps
            .store
            // Row locks are not enough: a session that is being ended could gain a token that is not seen there.
            .serializable(move |tx| -> Result<_, store::Error> {
                let spending = refresh_token::spend(tx, &presented, &fresh, now_us)?;
                let account = match spending {
                    Spending::Rotated(family) => accounts::find(tx, family.account_id)?,
                    Spending::Refused | Spending::Reused(_) => None,
                };
                Ok((spending, account))
            })
            .await?;
        match (spending, account) {
            (Spending::Rotated(Family { family_id, account_id }), Some(account)) => {
                let access_token = self.issue(Bearer { account_id, session_id: family_id });
                Ok(Session { account, is_new: false, access_token, refresh_token })
            }
            (Spending::Reused(family), _) => {
                tracing::warn!(
                    account = %family.account_id,
                    session = %family.family_id,
                    "a spent refresh token came back, the session was ended"
                );
                Err(RefreshError::Reused)
            }
            (Spending::Rotated(_) | Spending::Refused, _) => Err(RefreshError::Refused),
        }
    }

    /// Ends the session that `token` belongs to. Its access token runs out by itself.
    pub async fn logout(&self, token: RefreshToken) -> Result<(), store::Error> {
        let now_us = self.deps.clock.now_us();
        self.deps.store.serializable(move |tx| refresh_token::end_family(tx, &token, now_us)).await
    }

    /// The person with this id.
    pub async fn account(&self, account_id: Uuid) -> Result<Option<Account>, store::Error> {
        self.deps.store.read(move |tx| accounts::find(tx, account_id)).await
    }

    /// Changes what is given and leaves the rest.
    pub async fn change_profile(
        &self,
        account_id: Uuid,
        display_name: Option<String>,
        color: Option<Color>,
    ) -> Result<Option<Account>, store::Error> {
        let changed = self
            .deps
            .store
            .locked(move |tx| accounts::change(tx, account_id, display_name.as_deref(), color))
            .await?;
        if let Some(account) = &changed {
            (self.deps.profile_changed)(account);
        }
        Ok(changed)
    }

    fn issue(&self, bearer: Bearer) -> String {
        self.deps.tokens.issue(bearer, Uuid::new_v4(), self.now_s())
    }

    fn now_s(&self) -> i64 {
        self.deps.clock.now_us().div_euclid(1_000_000)
    }

    /// Ordered by time, so that new rows stand together.
    fn new_id(&self) -> Uuid {
        let now_us = u64::try_from(self.deps.clock.now_us()).unwrap_or_default();
        let (seconds, nanoseconds) = (now_us / 1_000_000, now_us % 1_000_000 * 1_000);
        Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds as u32))
    }
}
