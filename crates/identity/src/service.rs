//! What can be done: ask for a challenge, answer it, refresh, log out, look at and change oneself.

use std::sync::Arc;
use std::time::Duration;

use api::{ClientAddress, Clock, Problem};
use limits::{Limit, Limiter};
use mail::Post;
use privacy::Vault;
use store::{Store, Tx};
use uuid::Uuid;

use crate::access_token::{AccessTokenError, AccessTokens, Bearer};
use crate::accounts::{self, Account};
use crate::challenge::{self, Nonce, Purpose};
use crate::challenge_rows::{self, Challenge};
use crate::color::Color;
use crate::device_key::DeviceKey;
use crate::email::Sender;
use crate::entrance::{Entering, Entrance, Opened, SignIn};
use crate::password::Hashing;
use crate::refresh_token::{self, Family, RefreshToken, Spending};
use crate::sessions::{self, SignInMethod};
use crate::signing_key::PublicJwk;
use crate::standing::{self, Barred};
use crate::verify::Known;
use crate::watch::{SessionWatch, Watched};

/// Runs in the transaction that creates an account: opens its wallet, for example. If it fails there is no account.
pub type NewAccountHook =
    Arc<dyn Fn(&mut Tx<'_>, Uuid, i64) -> Result<(), Box<dyn std::error::Error + Send + Sync>> + Send + Sync>;

/// Hears of a changed name or colour after it is stored.
pub type ProfileChanged = Arc<dyn Fn(&Account) + Send + Sync>;

/// How many ways in an account has beside its device keys and its password, in the caller's transaction.
pub type OtherWaysIn = Arc<dyn Fn(&mut Tx<'_>, Uuid) -> Result<u32, store::Error> + Send + Sync>;

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
    /// See [`OtherWaysIn`].
    pub other_ways_in: OtherWaysIn,
    /// Seals what is personal.
    pub vault: Vault,
    /// How often addresses may be written to.
    pub limiter: Limiter,
    /// Takes letters.
    pub post: Post,
    /// What the operator decides.
    pub accounts: AccountRules,
}

/// What an operator decides about accounts.
#[derive(Clone, Debug)]
pub struct AccountRules {
    /// What letters call the planet.
    pub planet_name: String,
    /// Where links in letters lead. Never taken from a request: its sender would decide where a password is typed.
    pub site_origin: String,
    /// Threads that hash passwords.
    pub hashing_threads: usize,
    /// Passwords that may wait for them; with more, signing in is refused for a moment.
    pub hashing_waiting_max: usize,
    /// Answers that must not tell by their time whether an address is known are not given before.
    pub answer_after: Duration,
}

impl AccountRules {
    /// Quick, for tests.
    pub fn for_test() -> Self {
        Self {
            planet_name: "Test".to_owned(),
            site_origin: "http://localhost:7380".to_owned(),
            hashing_threads: 1,
            hashing_waiting_max: 16,
            answer_after: Duration::ZERO,
        }
    }
}

#[cfg(any(test, feature = "testing"))]
impl Deps {
    /// Over these, with hooks that do nothing, no limits, and letters that go nowhere.
    pub fn for_test(store: Store, clock: Arc<dyn Clock>, tokens: AccessTokens, vault: Vault) -> Self {
        Self {
            store,
            clock,
            tokens,
            new_account: Arc::new(|_, _, _| Ok(())),
            profile_changed: Arc::new(|_| {}),
            other_ways_in: Arc::new(|_, _| Ok(0)),
            vault,
            limiter: Limiter::off(),
            post: Post::new(Arc::new(crate::testing::Nowhere)),
            accounts: AccountRules::for_test(),
        }
    }
}

/// The service; share it in an `Arc`.
pub struct Identity {
    pub(crate) deps: Deps,
    pub(crate) known: Known,
    pub(crate) watched: Watched,
    pub(crate) hashing: Hashing,
    pub(crate) letters: Sender,
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
    /// The key was removed from its account.
    #[error("this key was removed from its account")]
    KeyRemoved,
    /// No such account, or it was erased.
    #[error("there is no such account")]
    NoSuchAccount,
    /// The account may not be used.
    #[error("the account is suspended")]
    Suspended {
        /// Microseconds since 1970; `None` for good.
        until_us: Option<i64>,
    },
    /// The name wished for looks like that of a member of staff.
    #[error("this name looks like that of a member of staff")]
    NameReserved,
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
    /// The account may not be used; the token stays good for when it may.
    #[error("the account is suspended")]
    Suspended {
        /// Microseconds since 1970; `None` for good.
        until_us: Option<i64>,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Why a name was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// It looks like that of a member of staff.
    #[error("this name looks like that of a member of staff")]
    NameReserved,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Identity {
    /// The service over these.
    pub fn new(deps: Deps) -> Self {
        let AccountRules { planet_name, site_origin, .. } = deps.accounts.clone();
        Self {
            known: Known::new(),
            watched: Watched::default(),
            hashing: Hashing::start(deps.accounts.hashing_threads, deps.accounts.hashing_waiting_max),
            letters: Sender { planet_name, site_origin },
            deps,
        }
    }

    /// Brings older rows to their present form; to be run once before the first request.
    pub async fn complete(&self) -> Result<(), store::Error> {
        const BATCH: i64 = 500;
        while self.deps.store.locked(|tx| accounts::complete(tx, BATCH)).await? > 0 {}
        Ok(())
    }

    /// Looks after open sockets until `stop` holds `true` or its sender is gone.
    pub async fn work(&self, stop: tokio::sync::watch::Receiver<bool>) {
        self.watched.work(&self.deps.store, || self.now_us(), stop).await;
    }

    /// Begins to watch the session of a socket.
    pub fn watch(&self, session_id: Uuid) -> SessionWatch {
        self.watched.watch(session_id)
    }

    /// For letting people in within a transaction of the caller's.
    pub fn entrance(&self) -> Entrance {
        Entrance { new_account: Arc::clone(&self.deps.new_account), vault: self.deps.vault.clone() }
    }

    /// Opens a session for an account whose owner has proved who they are elsewhere.
    pub async fn open_session_for(&self, account_id: Uuid, how: SignIn) -> Result<Session, LoginError> {
        let (entrance, now_us) = (self.entrance(), self.now_us());
        let opened = self
            .deps
            .store
            .serializable(move |tx| entrance.open_in(tx, &Entering::Known(account_id), &how, now_us))
            .await?;
        Ok(self.session_of(opened))
    }

    /// The tokens of a session that was opened in a transaction which is committed now.
    pub fn session_of(&self, opened: Opened) -> Session {
        let Opened { account, is_new, session_id, refresh_token } = opened;
        let bearer = Bearer { account_id: account.account_id, session_id };
        Session { access_token: self.issue(bearer), account, is_new, refresh_token }
    }

    /// The keys with which anybody can check access tokens.
    pub fn public_keys(&self) -> Vec<PublicJwk> {
        self.deps.tokens.public_keys()
    }

    /// Who a token speaks for.
    pub fn check_access_token(&self, token: &str) -> Result<Bearer, AccessTokenError> {
        self.deps.tokens.check(token, self.now_us().div_euclid(1_000_000))
    }

    /// A text for the holder of `key` to sign. The same for known and unknown keys.
    pub async fn challenge(&self, key: DeviceKey, origin: &str) -> Result<IssuedChallenge, store::Error> {
        self.issue_challenge(key, origin, Purpose::Login, None).await
    }

    /// The same for any purpose.
    pub(crate) async fn issue_challenge(
        &self,
        key: DeviceKey,
        origin: &str,
        purpose: Purpose,
        account_id: Option<Uuid>,
    ) -> Result<IssuedChallenge, store::Error> {
        let now_us = self.now_us();
        let issued_s = now_us.div_euclid(1_000_000);
        let nonce = Nonce(rand::random());
        let text = challenge::text(purpose, origin, &key, &nonce, issued_s, account_id);
        let expires_s = issued_s + challenge::LIFE_S;
        let row = Challenge {
            nonce,
            key,
            purpose,
            account_id,
            signed_text: text.clone(),
            expires_us: expires_s * 1_000_000,
        };
        self.deps.store.locked(move |tx| challenge_rows::put(tx, &row, now_us)).await?;
        Ok(IssuedChallenge { text, nonce, expires_s })
    }

    /// Whether `signature` answers a waiting challenge. A wrong answer uses it up; a right one is for the caller to
    /// take in the transaction of its effect.
    pub(crate) async fn check_answer(
        &self,
        key: &DeviceKey,
        nonce: Nonce,
        signature: &[u8; 64],
        purpose: Purpose,
        account_id: Option<Uuid>,
    ) -> Result<(), LoginError> {
        let (asked_key, now_us) = (key.clone(), self.now_us());
        let text = self
            .deps
            .store
            .read(move |tx| challenge_rows::text_of(tx, nonce, &asked_key, purpose, account_id, now_us))
            .await?
            .ok_or(LoginError::ChallengeNotOpen)?;
        // Checked outside of the writing transaction: nobody waits for our arithmetic.
        if !key.has_signed(text.as_bytes(), signature) {
            self.deps.store.locked(move |tx| challenge_rows::take(tx, nonce)).await?;
            return Err(LoginError::SignatureRefused);
        }
        Ok(())
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
        user_agent: Option<String>,
    ) -> Result<Session, LoginError> {
        self.check_answer(&key, nonce, signature, Purpose::Login, None).await?;
        let (entrance, now_us) = (self.entrance(), self.now_us());
        let how = SignIn { method: SignInMethod::Key, public_key: Some(*key.as_bytes()), user_agent };
        let opened = self
            .deps
            .store
            .serializable(move |tx| {
                if !challenge_rows::take(tx, nonce)? {
                    return Err(LoginError::ChallengeNotOpen);
                }
                let who = match accounts::use_key(tx, &key, now_us)? {
                    Some(account_id) => Entering::Known(account_id),
                    None if accounts::is_removed_key(tx, &key)? => return Err(LoginError::KeyRemoved),
                    None => Entering::New {
                        account_id: None,
                        display_name: wishes.display_name.clone(),
                        color: wishes.color,
                    },
                };
                let opened = entrance.open_in(tx, &who, &how, now_us)?;
                if opened.is_new {
                    accounts::add_key(tx, opened.account.account_id, &key, None, now_us)?;
                }
                Ok(opened)
            })
            .await?;
        Ok(self.session_of(opened))
    }

    /// Goes on with a session: spends `presented` for a new pair of tokens.
    pub async fn refresh(&self, presented: RefreshToken) -> Result<Session, RefreshError> {
        let now_us = self.now_us();
        let refresh_token = RefreshToken::from_random(rand::random());
        let fresh = refresh_token.clone();
        let (spending, account) = self
            .deps
            .store
            // Row locks are not enough: a session that is being ended could gain a token that is not seen there.
            .serializable(move |tx| -> Result<_, RefreshError> {
                let Some(family) = refresh_token::family_of(tx, &presented)? else {
                    return Ok((Spending::Refused, None));
                };
                let standing = standing::standing(tx, family.account_id)?.ok_or(RefreshError::Refused)?;
                standing.state.check(now_us).map_err(|barred| match barred {
                    Barred::Suspended { until_us } => RefreshError::Suspended { until_us },
                    Barred::Erased => RefreshError::Refused,
                })?;
                let spending = refresh_token::spend(tx, &presented, &fresh, now_us)?;
                let account = match spending {
                    Spending::Rotated(family) => {
                        sessions::seen(tx, family.family_id, now_us)?;
                        accounts::find(tx, family.account_id)?
                    }
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
                self.standing_changed(family.account_id);
                Err(RefreshError::Reused)
            }
            (Spending::Rotated(_) | Spending::Refused, _) => Err(RefreshError::Refused),
        }
    }

    /// Ends the session that `token` belongs to, at once.
    pub async fn logout(&self, token: RefreshToken) -> Result<(), store::Error> {
        let now_us = self.now_us();
        let ended = self
            .deps
            .store
            .serializable(move |tx| -> Result<_, store::Error> {
                let Some(family) = refresh_token::family_of(tx, &token)? else { return Ok(None) };
                sessions::end(tx, family.account_id, family.family_id, now_us)?;
                Ok(Some(family.account_id))
            })
            .await?;
        if let Some(account_id) = ended {
            self.standing_changed(account_id);
        }
        Ok(())
    }

    /// Whether a key opens an account, or did.
    pub(crate) async fn knows_key(&self, key: DeviceKey) -> Result<bool, store::Error> {
        self.deps.store.read(move |tx| accounts::is_known_key(tx, &key)).await
    }

    /// Counts a new account that somebody at this address asks for.
    pub async fn take_registration(&self, address: ClientAddress) -> Result<(), Problem> {
        self.deps.limiter.take(Limit::Registration, &address.network().to_string()).await.map(drop)
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
    ) -> Result<Option<Account>, ProfileError> {
        let changed = self
            .deps
            .store
            .serializable(move |tx| {
                if let Some(name) = &display_name
                    && accounts::looks_like_staff(tx, name, account_id)?
                {
                    return Err(ProfileError::NameReserved);
                }
                Ok(accounts::change(tx, account_id, display_name.as_deref(), color)?)
            })
            .await?;
        if let Some(account) = &changed {
            (self.deps.profile_changed)(account);
        }
        Ok(changed)
    }

    pub(crate) fn issue(&self, bearer: Bearer) -> String {
        self.deps.tokens.issue(bearer, Uuid::new_v4(), self.now_us().div_euclid(1_000_000))
    }

    pub(crate) fn now_us(&self) -> i64 {
        self.deps.clock.now_us()
    }
}
