//! Letting somebody in, inside a transaction: whatever the way, an account is made, checked and given a session here.

use privacy::Vault;
use store::Tx;
use uuid::Uuid;

use crate::accounts::{self, Account};
use crate::color::Color;
use crate::names;
use crate::refresh_token::{self, Family, RefreshToken};
use crate::service::{LoginError, NewAccountHook};
use crate::sessions::{self, NewSession, SignInMethod};
use crate::standing::{self, Barred};

/// Who comes in.
#[derive(Clone, Debug)]
pub enum Entering {
    /// An account that exists.
    Known(Uuid),
    /// Somebody new.
    New {
        /// The id, if it was decided before.
        account_id: Option<Uuid>,
        /// A friendly one is made up if not given.
        display_name: Option<String>,
        /// One of the palette if not given.
        color: Option<Color>,
    },
}

/// How somebody comes in.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// How they proved who they are.
    pub method: SignInMethod,
    /// The device key they did it with.
    pub public_key: Option<[u8; 32]>,
    /// What their browser calls itself. Cut to [`USER_AGENT_BYTES_MAX`] and sealed.
    pub user_agent: Option<String>,
}

/// Longest part of a browser's name for itself that is kept.
pub const USER_AGENT_BYTES_MAX: usize = 256;

/// Names tried for somebody who has none, until one looks like nobody of staff.
const NAMES_TRIED_MAX: usize = 16;

/// Somebody who is in, once the transaction is committed: see [`crate::Identity::session_of`].
#[derive(Clone)]
pub struct Opened {
    /// Whose session.
    pub account: Account,
    /// Whether the account was made just now.
    pub is_new: bool,
    /// The session.
    pub session_id: Uuid,
    pub(crate) refresh_token: RefreshToken,
}

/// What is needed to let somebody in. Cheap to clone, for the bodies of transactions.
#[derive(Clone)]
pub struct Entrance {
    pub(crate) new_account: NewAccountHook,
    pub(crate) vault: Vault,
}

impl Entrance {
    /// Over these; a running server has one at [`crate::Identity::entrance`].
    pub fn new(new_account: NewAccountHook, vault: Vault) -> Self {
        Self { new_account, vault }
    }

    /// Lets somebody in at `now_us`: makes the account if they are new, and opens a session. An account that may not
    /// be used is refused.
    pub fn open_in(
        &self,
        tx: &mut Tx<'_>,
        who: &Entering,
        how: &SignIn,
        now_us: i64,
    ) -> Result<Opened, LoginError> {
        let (account, is_new) = match who {
            Entering::Known(account_id) => (known(tx, *account_id, now_us)?, false),
            Entering::New { account_id, display_name, color } => {
                let account_id = account_id.unwrap_or_else(|| new_id(now_us));
                (self.create_account(tx, account_id, display_name.as_deref(), *color, now_us)?, true)
            }
        };
        // An erasure that was asked for is called off by coming back.
        privacy::signed_in(tx, account.account_id, now_us)?;
        let session_id = new_id(now_us);
        let user_agent = match how.user_agent.as_deref().map(shortened).filter(|it| !it.is_empty()) {
            Some(text) => Some(self.vault.seal(tx, account.account_id, "user_agent", text.as_bytes())?),
            None => None,
        };
        let session = NewSession {
            session_id,
            account_id: account.account_id,
            method: how.method,
            public_key: how.public_key,
            user_agent,
            expires_us: now_us + refresh_token::FAMILY_LIFE_US,
        };
        sessions::begin(tx, &session, now_us)?;
        let refresh_token = RefreshToken::from_random(rand::random());
        let family = Family { family_id: session_id, account_id: account.account_id };
        refresh_token::start_family(tx, family, &refresh_token, now_us)?;
        Ok(Opened { account, is_new, session_id, refresh_token })
    }

    /// Makes an account without any way in: the caller gives it one in the same transaction.
    pub fn create_account(
        &self,
        tx: &mut Tx<'_>,
        account_id: Uuid,
        display_name: Option<&str>,
        color: Option<Color>,
        now_us: i64,
    ) -> Result<Account, LoginError> {
        let display_name = match display_name {
            Some(name) if accounts::looks_like_staff(tx, name, account_id)? => {
                return Err(LoginError::NameReserved);
            }
            Some(name) => name.to_owned(),
            None => unreserved_name(tx, account_id)?,
        };
        let account = Account {
            account_id,
            display_name,
            color: color.unwrap_or_else(|| Color::from_palette(rand::random())),
            created_us: now_us,
        };
        accounts::create(tx, &account)?;
        (self.new_account)(tx, account_id, now_us).map_err(LoginError::Setup)?;
        Ok(account)
    }
}

/// An account that may be used.
fn known(tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<Account, LoginError> {
    let account = accounts::find(tx, account_id)?.ok_or(LoginError::NoSuchAccount)?;
    let standing = standing::standing(tx, account_id)?.ok_or(LoginError::NoSuchAccount)?;
    standing.state.check(now_us).map_err(|barred| match barred {
        Barred::Suspended { until_us } => LoginError::Suspended { until_us },
        Barred::Erased => LoginError::NoSuchAccount,
    })?;
    Ok(account)
}

fn unreserved_name(tx: &mut Tx<'_>, account_id: Uuid) -> Result<String, store::Error> {
    for _ in 0..NAMES_TRIED_MAX {
        let name = names::friendly(rand::random());
        if !accounts::looks_like_staff(tx, &name, account_id)? {
            return Ok(name);
        }
    }
    // Staff would have to bear most of some nine thousand names.
    Ok(format!("Guest {:08x}", rand::random::<u32>()))
}

/// The part of a browser's name for itself that is kept.
fn shortened(user_agent: &str) -> &str {
    let end = user_agent
        .char_indices()
        .map(|(at, it)| at + it.len_utf8())
        .take_while(|end| *end <= USER_AGENT_BYTES_MAX);
    &user_agent[..end.last().unwrap_or(0)]
}

/// Ordered by time, so that new rows stand together.
pub(crate) fn new_id(now_us: i64) -> Uuid {
    let now_us = u64::try_from(now_us).unwrap_or_default();
    let (seconds, nanoseconds) = (now_us / 1_000_000, now_us % 1_000_000 * 1_000);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds as u32))
}
