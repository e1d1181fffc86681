//! The webhooks that accounts have set up.

use store::{Row, Tx, Value, params};
use uuid::Uuid;

use crate::signature::Secret;

/// Webhooks of one account.
pub const ENDPOINTS_PER_ACCOUNT_MAX: i64 = 5;

store::statements! {
    /// Sets one up, unless the account has as many as it may.
    ADD = "insert into webhook_endpoints (endpoint_id, account_id, url, description, kinds, secret, secret_before, \
           secret_before_until, created_at, is_enabled, disabled_reason, failing_since, failures_in_a_row, due_at, \
           paused_until, lease_id, leased_until) \
           select $1, $2, $3, $4, $5, $6, null, null, $7, true, null, null, 0, null, $9, null, $9 \
           where (select count(*) from webhook_endpoints where account_id = $2) < $8";
    /// One of an account's.
    FIND = "select endpoint_id, account_id, url, description, kinds, secret, secret_before, secret_before_until, \
            created_at, is_enabled, disabled_reason, failing_since, failures_in_a_row \
            from webhook_endpoints where endpoint_id = $1 and account_id = $2";
    /// All of an account's.
    LIST = "select endpoint_id, account_id, url, description, kinds, secret, secret_before, secret_before_until, \
            created_at, is_enabled, disabled_reason, failing_since, failures_in_a_row \
            from webhook_endpoints where account_id = $1 order by endpoint_id";
    /// Those that want events of some accounts.
    OF_ACCOUNTS = "select e.endpoint_id, e.account_id, e.kinds from webhook_endpoints e, rows(account_id uuid) \
                   where e.account_id = rows.account_id and e.is_enabled";
    /// Takes one of an account's until the end of the transaction.
    TAKE_OWN = "update webhook_endpoints set endpoint_id = endpoint_id \
                where endpoint_id = $1 and account_id = $2 returning is_enabled";
    /// Takes one until the end of the transaction.
    TAKE = "update webhook_endpoints set endpoint_id = endpoint_id where endpoint_id = $1 returning is_enabled";
    /// Whose it is, and where.
    OWNER = "select account_id, url from webhook_endpoints where endpoint_id = $1";
    /// Removes one with its deliveries.
    REMOVE = "delete from webhook_endpoints where endpoint_id = $1 and account_id = $2";
    /// What its owner may change.
    CHANGE = "update webhook_endpoints set description = $3, kinds = $4 where endpoint_id = $1 and account_id = $2";
    /// Its owner wants it (again): failures before are forgotten.
    ENABLE = "update webhook_endpoints set is_enabled = true, disabled_reason = null, failing_since = null, \
              failures_in_a_row = 0, due_at = null, paused_until = $2 where endpoint_id = $1 and not is_enabled";
    /// Nothing more is sent to it.
    DISABLE = "update webhook_endpoints set is_enabled = false, disabled_reason = $2, due_at = null \
               where endpoint_id = $1 and is_enabled";
    /// A new secret; the one before stays good for a while.
    ROTATE = "update webhook_endpoints set secret_before = secret, secret_before_until = $3, secret = $4 \
              where endpoint_id = $1 and account_id = $2";
    /// There is something to send, not before its pause is over.
    PUT_DUE = "update webhook_endpoints set due_at = case when paused_until > $2 then paused_until else $2 end \
               where endpoint_id = $1 and is_enabled and (due_at is null or due_at > $2)";
    /// Takes those that have something to send now and that nobody sends for. A lease that ends far in the future
    /// was made by a clock that has been set back.
    LEASE = "update webhook_endpoints set lease_id = $1, leased_until = $2 where endpoint_id in \
             (select endpoint_id from webhook_endpoints where is_enabled and due_at <= $3 \
              and (leased_until <= $3 or leased_until > $4) order by due_at limit $5) \
             and is_enabled and due_at <= $3 and (leased_until <= $3 or leased_until > $4) \
             returning endpoint_id";
    /// Whether there is anything to lease: what is asked all the time.
    IS_ANY_DUE = "select endpoint_id from webhook_endpoints where is_enabled and due_at <= $1 limit 1";
    /// Gives all of a holder's leases back, to be sent for at once.
    GIVE_BACK = "update webhook_endpoints set lease_id = null, leased_until = $2, \
                 due_at = case when paused_until > $2 then paused_until else $2 end \
                 where lease_id = $1 and is_enabled";
    /// What a holder of the lease needs to send; keeps the lease.
    RENEW = "update webhook_endpoints set leased_until = $3 where endpoint_id = $1 and lease_id = $2 and is_enabled \
             returning url, secret, secret_before, secret_before_until, account_id, failures_in_a_row, failing_since";
    /// It took what was sent.
    SUCCEEDED = "update webhook_endpoints set failing_since = null, failures_in_a_row = 0, paused_until = $2 \
                 where endpoint_id = $1";
    /// It did not.
    FAILED = "update webhook_endpoints set failing_since = coalesce(failing_since, $2), \
              failures_in_a_row = failures_in_a_row + 1, paused_until = $3 where endpoint_id = $1";
    /// Gives the lease back, with what is due next.
    RELEASE = "update webhook_endpoints set lease_id = null, leased_until = $3, due_at = \
               (select case when min(d.due_at) < webhook_endpoints.paused_until then webhook_endpoints.paused_until \
                else min(d.due_at) end from webhook_deliveries d \
                where d.endpoint_id = webhook_endpoints.endpoint_id and d.state = 'waiting') \
               where endpoint_id = $1 and lease_id = $2 and is_enabled";
}

/// Long ago: no pause and no lease, whatever a clock that is set back says.
pub(crate) const NEVER_US: i64 = 0;

/// A webhook as its owner knows it.
#[derive(Clone, PartialEq, Debug)]
#[expect(clippy::struct_field_names, reason = "ids carry their names")]
pub(crate) struct Endpoint {
    pub(crate) endpoint_id: Uuid,
    pub(crate) url: String,
    pub(crate) description: String,
    pub(crate) kinds: Kinds,
    pub(crate) is_rotating_until_us: Option<i64>,
    pub(crate) created_at_us: i64,
    pub(crate) is_enabled: bool,
    pub(crate) disabled_reason: Option<String>,
    pub(crate) failing_since_us: Option<i64>,
}

impl Endpoint {
    pub(crate) fn from_row(row: &Row) -> Result<Self, store::Error> {
        Ok(Self {
            endpoint_id: row.get(0)?,
            url: row.get(2)?,
            description: row.get(3)?,
            kinds: Kinds::from_text(&row.get::<String>(4)?),
            is_rotating_until_us: row.get(7)?,
            created_at_us: row.get(8)?,
            is_enabled: row.get(9)?,
            disabled_reason: row.get(10)?,
            failing_since_us: row.get(11)?,
        })
    }
}

/// Patterns of kinds of events; each is a kind (`market.sold`), a family (`market.*`) or everything (`*`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Kinds(Vec<String>);

impl Kinds {
    /// Patterns that one webhook may name.
    pub(crate) const COUNT_MAX: usize = 20;

    /// `None` if there are none or too many, or one cannot be a pattern.
    pub(crate) fn try_new(patterns: Vec<String>) -> Option<Self> {
        let is_fit =
            (1..=Self::COUNT_MAX).contains(&patterns.len()) && patterns.iter().all(|it| is_pattern(it));
        is_fit.then_some(Self(patterns))
    }

    fn from_text(text: &str) -> Self {
        Self(text.split(' ').map(str::to_owned).collect())
    }

    pub(crate) fn to_text(&self) -> String {
        self.0.join(" ")
    }

    pub(crate) fn as_slice(&self) -> &[String] {
        &self.0
    }

    fn matches(&self, kind: &str) -> bool {
        self.0.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(family) => kind.starts_with(family),
            None => pattern == kind,
        })
    }
}

fn is_pattern(text: &str) -> bool {
    let body = if text == "*" { return true } else { text.strip_suffix(".*").unwrap_or(text) };
    let is_word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_')
    };
    text.len() <= 60 && body.split('.').all(is_word)
}

/// The webhooks of each account that want a kind.
#[derive(Debug, Default)]
pub(crate) struct Wishes(Vec<(Uuid, Uuid, Kinds)>);

impl Wishes {
    /// What these accounts wish for.
    pub(crate) fn of(tx: &mut Tx<'_>, accounts: &[Uuid]) -> Result<Self, store::Error> {
        let rows: Vec<Vec<Value>> = accounts.iter().map(|it| vec![(*it).into()]).collect();
        let mut wishes = Vec::new();
        for row in tx.query_rows(OF_ACCOUNTS, &rows)? {
            wishes.push((row.get(0)?, row.get(1)?, Kinds::from_text(&row.get::<String>(2)?)));
        }
        // Rows of endpoints are always taken in this order.
        wishes.sort_unstable_by_key(|(endpoint_id, ..)| *endpoint_id);
        Ok(Self(wishes))
    }

    pub(crate) fn endpoints(&self) -> impl Iterator<Item = Uuid> {
        self.0.iter().map(|(endpoint_id, ..)| *endpoint_id)
    }

    pub(crate) fn wants(&self, endpoint_id: Uuid, kind: &str, accounts: &[Uuid]) -> bool {
        self.0.iter().any(|(endpoint, account, kinds)| {
            *endpoint == endpoint_id && accounts.contains(account) && kinds.matches(kind)
        })
    }
}

/// What is needed to send to an endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: String,
    /// The newest first.
    pub(crate) secrets: Vec<Secret>,
    pub(crate) account_id: Uuid,
    pub(crate) failures_in_a_row: u32,
    pub(crate) failing_since_us: Option<i64>,
}

impl Target {
    /// From what [`RENEW`] gives.
    pub(crate) fn from_row(row: &Row, now_us: i64) -> Result<Self, store::Error> {
        let damaged = || store::Error::Damaged { detail: "webhook_endpoints: no secret".to_owned() };
        let mut secrets = vec![Secret::from_bytes(row.get(1)?).ok_or_else(damaged)?];
        if let (Some(before), Some(until_us)) = (row.get::<Option<Vec<u8>>>(2)?, row.get::<Option<i64>>(3)?)
            && now_us < until_us
        {
            secrets.push(Secret::from_bytes(before).ok_or_else(damaged)?);
        }
        Ok(Self {
            url: row.get(0)?,
            secrets,
            account_id: row.get(4)?,
            failures_in_a_row: row.get(5)?,
            failing_since_us: row.get(6)?,
        })
    }
}

/// The webhook, if it is the account's.
pub(crate) fn find(
    tx: &mut Tx<'_>,
    endpoint_id: Uuid,
    account_id: Uuid,
) -> Result<Option<Endpoint>, store::Error> {
    tx.query_opt(FIND, params![endpoint_id, account_id])?.as_ref().map(Endpoint::from_row).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_kind_a_family_or_everything() {
        let kinds = |text: &str| Kinds::try_new(text.split(' ').map(str::to_owned).collect());
        let wanted = kinds("market.* rent.due").expect("patterns");
        for (kind, is_wanted) in [
            ("market.sold", true),
            ("market.offer_received", true),
            ("marketing.sold", false),
            ("rent.due", true),
            ("rent.due_soon", false),
            ("wallet.paid", false),
        ] {
            assert_eq!(wanted.matches(kind), is_wanted, "{kind}");
        }
        assert!(kinds("*").expect("everything").matches("wallet.paid"));
        for refused in ["", "market.", ".sold", "mar*", "*.sold", "Market.sold", "a..b", "market sold "] {
            assert_eq!(kinds(refused), None, "{refused:?}");
        }
        assert_eq!(Kinds::from_text(&wanted.to_text()), wanted);
    }
}
