//! Asking for one more.

use std::sync::Arc;
use std::time::Duration;

use api::{Problem, ProblemKind};
use axum::http::{HeaderMap, StatusCode};

use crate::{Buckets, InProcess, Level, Limit, Policies, Policy, RATE_LIMIT, RATE_LIMIT_POLICY, add_fields};

/// The bucket was empty. Its `type` is the registered one, so that clients which know no code of ours understand it.
pub const QUOTA_EXCEEDED: ProblemKind =
    ProblemKind::new(StatusCode::TOO_MANY_REQUESTS, "quota_exceeded", "Too many requests");

const QUOTA_EXCEEDED_TYPE: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// The limits of a planet; cheap to clone.
#[derive(Clone)]
pub struct Limiter {
    policies: Policies,
    buckets: Arc<dyn Buckets>,
}

/// One was taken, and how the bucket stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    limit: Limit,
    policy: Policy,
    remaining: u32,
    reset_s: u64,
}

impl Limiter {
    /// Counts in `buckets`, which must have been made for the same policies.
    pub fn new(policies: Policies, buckets: Arc<dyn Buckets>) -> Self {
        Self { policies, buckets }
    }

    /// Counts in this process.
    pub fn in_process(policies: Policies) -> Self {
        let buckets = Arc::new(InProcess::new(&policies));
        Self::new(policies, buckets)
    }

    /// Limits nothing; for tests of what is behind it.
    pub fn off() -> Self {
        Self::in_process(Policies::OFF)
    }

    /// What may be done how often.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Takes one out of the bucket of `key`: an account, an address ([`api::ClientAddress::network`]), a hash of a
    /// name. `None` if the operator has switched this limit off; the problem `quota_exceeded` (429) with `Retry-After`
    /// if the bucket is empty.
    pub async fn take(&self, limit: Limit, key: &str) -> Result<Option<Taken>, Problem> {
        let Some(policy) = self.policies.of(limit) else { return Ok(None) };
        match self.buckets.take(limit, key).await {
            Level::Granted { remaining, full_in } => {
                Ok(Some(Taken { limit, policy, remaining, reset_s: whole_seconds(full_in) }))
            }
            Level::Refused { one_in } => Err(refusal(limit, policy, whole_seconds(one_in).max(1))),
        }
    }
}

fn refusal(limit: Limit, policy: Policy, wait_s: u64) -> Problem {
    metrics::counter!("terrane_limits_refused_total", "policy" => limit.name()).increment(1);
    let mut fields = HeaderMap::new();
    add_fields(&mut fields, &[Taken { limit, policy, remaining: 0, reset_s: wait_s }]);
    let problem = QUOTA_EXCEEDED
        .detail(format!("the limit {} is {policy}; ask again in {wait_s} s", limit.name()))
        .of_type(QUOTA_EXCEEDED_TYPE)
        .fact("violated-policies", vec![limit.name()])
        .retry_after_s(u32::try_from(wait_s).unwrap_or(u32::MAX));
    [RATE_LIMIT_POLICY, RATE_LIMIT].into_iter().fold(problem, |problem, name| {
        let value = fields.remove(&name).expect("both were added above");
        problem.header(name, value)
    })
}

impl Taken {
    pub(crate) fn policy_item(&self) -> String {
        format!("\"{}\";q={};w={}", self.limit.name(), self.policy.burst(), self.policy.window_s())
    }

    /// `t`: when the bucket is full again; of an empty one, when there is one more, as `Retry-After` says.
    pub(crate) fn level_item(&self) -> String {
        format!("\"{}\";r={};t={}", self.limit.name(), self.remaining, self.reset_s)
    }
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    fn limiter(policy: &str) -> Limiter {
        Limiter::in_process(Policies::OFF.with(Limit::Trade, Policy::parse(policy).unwrap()))
    }

    #[tokio::test]
    async fn an_answer_says_what_is_left_and_a_refusal_when_to_come_back() {
        let limiter = limiter("6/min burst 2");
        let first = limiter.take(Limit::Trade, "ann").await.unwrap().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(RATE_LIMIT, "\"other\";r=1;t=1".parse().unwrap());
        add_fields(&mut headers, &[first]);
        assert_eq!(headers[RATE_LIMIT_POLICY], "\"trade\";q=2;w=20");
        assert_eq!(headers[RATE_LIMIT], "\"other\";r=1;t=1, \"trade\";r=1;t=10");

        limiter.take(Limit::Trade, "ann").await.unwrap();
        let refused = limiter.take(Limit::Trade, "ann").await.unwrap_err().into_response();
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.headers()["retry-after"], "10");
        assert_eq!(refused.headers()[RATE_LIMIT], "\"trade\";r=0;t=10");
        assert_eq!(refused.headers()[RATE_LIMIT_POLICY], "\"trade\";q=2;w=20");
        let body = axum::body::to_bytes(refused.into_body(), 1 << 16).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
        assert_eq!((&body["code"], &body["status"]), (&"quota_exceeded".into(), &429.into()));
        assert_eq!(body["violated-policies"], serde_json::json!(["trade"]));
    }

    #[tokio::test]
    async fn what_is_off_has_no_fields_and_no_end() {
        let limiter = Limiter::off();
        for _ in 0..1_000 {
            assert_eq!(limiter.take(Limit::Trade, "ann").await, Ok(None));
        }
        let mut headers = HeaderMap::new();
        add_fields(&mut headers, &[]);
        assert!(headers.is_empty());
    }

    #[test]
    fn racing_takers_get_no_more_than_there_is() {
        let limiter = limiter("1/h burst 100");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let granted: usize = std::thread::scope(|scope| {
            let takers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let take = || runtime.handle().block_on(limiter.take(Limit::Trade, "ann")).is_ok();
                        (0..100).filter(|_| take()).count()
                    })
                })
                .collect();
            takers.into_iter().map(|taker| taker.join().expect("takers do not panic")).sum()
        });
        assert_eq!(granted, 100);
    }
}
