//! What can be done: leave for a provider, come back, ask for the session; look at one's identities and end one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::{Caller, ClientAddress, Clock, Problem, ProblemKind, kinds};
use axum::http::StatusCode;
use identity::{Entering, Identity, LoginError, Opened, Session, SignIn};
use store::{Store, Tx};
use tracing::{info, warn};
use uuid::Uuid;

use crate::binding::{ATTEMPT_LIFE_S, Secret, challenge};
use crate::config::{ConfigFault, ProviderConfig};
use crate::fault::Fault;
use crate::provider::{Exchange, Leaving, Provider, safe_word};
use crate::rows::{self, Arrival, Attempt, LinkedIdentity};

/// How long the page may take to ask for the session with its one-time code.
const CODE_LIFE_US: i64 = 2 * 60 * 1_000_000;

/// Everything that is asked of a provider for one browser that came back, taken together.
const CALLBACK_TIME_MAX: Duration = Duration::from_secs(10);

/// Identities that may open one account.
pub const IDENTITIES_PER_ACCOUNT_MAX: u32 = 16;

/// Somebody new gets a friendly name: what the provider calls them is not ours to show to strangers.
const NEWCOMER: Entering = Entering::New { account_id: None, display_name: None, color: None };

/// The longest code and `iss` that a provider may send a browser back with.
const ANSWER_WORD_BYTES_MAX: usize = 2048;

const PROVIDER_UNKNOWN: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "no_such_provider", "There is no such provider");
const HTTPS_REQUIRED: ProblemKind =
    ProblemKind::new(StatusCode::FORBIDDEN, "https_required", "Open this planet with https to do that");
const CODE_INVALID: ProblemKind =
    ProblemKind::new(StatusCode::UNAUTHORIZED, "oidc_code_invalid", "This one-time code is not open");
const LINK_OF_ANOTHER: ProblemKind = ProblemKind::new(
    StatusCode::FORBIDDEN,
    "oidc_link_of_another_account",
    "This link was begun by another account",
);
const IDENTITY_TAKEN: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "identity_taken", "This identity opens another account");
const TOO_MANY_IDENTITIES: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "too_many_identities", "The account has too many identities");
const NO_SUCH_IDENTITY: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "no_such_identity", "Your account has no such identity");
const LAST_WAY_IN: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "last_way_in", "The account could not be opened any more");

/// What is needed from outside.
pub struct Deps {
    /// Migrated with [`crate::MIGRATIONS`] and those of `identity`.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Makes accounts and opens sessions.
    pub identity: Arc<Identity>,
}

/// The service; share it in an `Arc`.
pub struct Oidc {
    deps: Deps,
    providers: BTreeMap<String, Provider>,
    /// Their ids in the order of the configuration.
    order: Vec<String>,
}

/// What a browser leaves for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    SignIn,
    /// To open this account, too.
    Link(Uuid),
}

/// Where to send a browser, and what it must keep.
pub(crate) struct Started {
    pub(crate) authorize_url: String,
    pub(crate) binding: Secret,
    pub(crate) is_secure: bool,
}

/// What a provider sends a browser back with.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) state: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) iss: Option<String>,
}

/// What comes of a one-time code.
pub(crate) enum Finished {
    Session(Box<Session>),
    Linked,
}

enum Outcome {
    Opened(Box<Opened>),
    Linked(Uuid),
    Refused(ProblemKind),
    OtherBrowser,
}

impl Oidc {
    /// The service for these providers. Asks none of them anything yet.
    pub fn new(deps: Deps, providers: Vec<ProviderConfig>) -> Result<Self, ConfigFault> {
        ProviderConfig::check_all(&providers)?;
        let order = providers.iter().map(|it| it.id.clone()).collect();
        let providers = providers.into_iter().map(|it| (it.id.clone(), Provider::new(it))).collect();
        Ok(Self { deps, providers, order })
    }

    /// Ids and names, in the order of the configuration.
    pub(crate) fn providers(&self) -> impl Iterator<Item = &ProviderConfig> {
        self.order.iter().map(|id| &self.providers[id].config)
    }

    /// Sends a browser, whose page was opened at `origin`, to a provider.
    pub(crate) async fn start(
        &self,
        provider_id: &str,
        purpose: Purpose,
        origin: &str,
    ) -> Result<Started, Problem> {
        let provider = self.providers.get(provider_id).ok_or(PROVIDER_UNKNOWN)?;
        let is_secure = origin.starts_with("https://");
        if !is_secure && !is_here(origin) {
            return Err(HTTPS_REQUIRED.detail("the cookie of a login would be open to whoever listens"));
        }
        let now_us = self.deps.clock.now_us();
        let (state, binding) = (Secret::random(), Secret::random());
        let redirect_uri = format!("{origin}/api/v1/auth/providers/{provider_id}/callback");
        let leaving = Leaving {
            state: &state.text(),
            redirect_uri: &redirect_uri,
            challenge: &challenge(&binding.verifier(&state)),
            nonce: &binding.nonce(&state),
        };
        let authorize_url =
            provider.leave(&leaving, now_us).await.inspect_err(|fault| note(provider_id, *fault))?;
        let attempt = Attempt {
            binding_hash: binding.hash(),
            provider_id: provider_id.to_owned(),
            redirect_uri,
            account_id: match purpose {
                Purpose::SignIn => None,
                Purpose::Link(account_id) => Some(account_id),
            },
            expires_us: now_us + ATTEMPT_LIFE_S * 1_000_000,
        };
        let state_hash = state.hash();
        self.deps.store.locked(move |tx| rows::put_attempt(tx, state_hash, &attempt, now_us)).await?;
        Ok(Started { authorize_url, binding, is_secure })
    }

    /// Takes a browser back; a one-time code for its page. `binding` is what it shows, by whether the cookie is that
    /// of a page with `https`.
    pub(crate) async fn come_back(
        &self,
        provider_id: &str,
        answer: &Answer,
        binding: impl Fn(bool) -> Option<Secret>,
    ) -> Result<Result<String, Fault>, store::Error> {
        let now_us = self.deps.clock.now_us();
        let Some(state) = answer.state.as_deref().and_then(Secret::parse) else {
            return Ok(Err(Fault::StateUnknown));
        };
        let state_hash = state.hash();
        let attempt = self.deps.store.locked(move |tx| rows::take_attempt(tx, state_hash)).await?;
        let attempt = attempt.filter(|it| it.provider_id == provider_id && now_us < it.expires_us);
        let (Some(attempt), Some(provider)) = (attempt, self.providers.get(provider_id)) else {
            return Ok(Err(Fault::StateUnknown));
        };
        let binding = binding(attempt.redirect_uri.starts_with("https://"));
        let Some(binding) = binding.filter(|it| it.hash() == attempt.binding_hash) else {
            return Ok(Err(Fault::OtherBrowser));
        };
        let asking = subject(provider, answer, &attempt, &binding, &state, now_us);
        let subject =
            tokio::time::timeout(CALLBACK_TIME_MAX, asking).await.unwrap_or(Err(Fault::Unavailable));
        let subject = match subject {
            Ok(subject) => subject,
            Err(fault) => {
                note(provider_id, fault);
                return Ok(Err(fault));
            }
        };
        let code = Secret::random();
        let code_hash = code.hash();
        let arrival = Arrival {
            binding_hash: attempt.binding_hash,
            issuer: provider.config.issuer.clone(),
            subject,
            account_id: attempt.account_id,
            expires_us: now_us + CODE_LIFE_US,
        };
        self.deps.store.locked(move |tx| rows::put_arrival(tx, code_hash, &arrival, now_us)).await?;
        Ok(Ok(code.text()))
    }

    /// Gives the page what it came for. The code is used up, right or wrong.
    pub(crate) async fn finish(
        &self,
        code: &str,
        binding: impl Fn(bool) -> Option<Secret>,
        caller: Option<Caller>,
        sign_in: SignIn,
        from: ClientAddress,
    ) -> Result<Finished, Problem> {
        let code = Secret::parse(code).ok_or(CODE_INVALID)?;
        let (code_hash, shown) =
            (code.hash(), [binding(true), binding(false)].map(|it| it.map(|it| it.hash())));
        let now_us = self.deps.clock.now_us();
        let entrance = self.deps.identity.entrance();
        if caller.is_some_and(|it| !it.scopes.is_person()) {
            return Err(kinds::FORBIDDEN_FOR_KEYS.into());
        }
        let linking = caller.map(|it| it.account_id);
        if self.deps.store.read(move |tx| rows::is_newcomer(tx, code_hash)).await? {
            self.deps.identity.take_registration(from).await?;
        }
        let outcome = self
            .deps
            .store
            .serializable(move |tx| -> Result<Option<Outcome>, LoginError> {
                let arrival = rows::take_arrival(tx, code_hash)?.filter(|it| now_us < it.expires_us);
                let Some(arrival) = arrival else { return Ok(None) };
                if !shown.contains(&Some(arrival.binding_hash)) {
                    return Ok(Some(Outcome::OtherBrowser));
                }
                if let Some(account_id) = arrival.account_id {
                    if linking != Some(account_id) {
                        return Ok(Some(Outcome::Refused(LINK_OF_ANOTHER)));
                    }
                    return Ok(Some(link(tx, account_id, &arrival, now_us)?));
                }
                let known = rows::account_of(tx, &arrival.issuer, &arrival.subject)?;
                let entering = known.map_or(NEWCOMER, Entering::Known);
                let opened = entrance.open_in(tx, &entering, &sign_in, now_us)?;
                if known.is_some() {
                    rows::touch(tx, &arrival.issuer, &arrival.subject, now_us)?;
                } else {
                    rows::link(tx, Uuid::now_v7(), opened.account.account_id, &arrival, now_us)?;
                }
                Ok(Some(Outcome::Opened(Box::new(opened))))
            })
            .await?;
        match outcome {
            None => Err(CODE_INVALID.detail("it was used, is too old or never given: sign in again")),
            Some(Outcome::OtherBrowser) => Err(Fault::OtherBrowser.into()),
            Some(Outcome::Refused(kind)) => Err(kind.into()),
            Some(Outcome::Linked(account_id)) => {
                info!(account = %account_id, "an identity was linked");
                Ok(Finished::Linked)
            }
            Some(Outcome::Opened(opened)) => {
                Ok(Finished::Session(Box::new(self.deps.identity.session_of(*opened))))
            }
        }
    }

    /// The identities that open an account, each with the provider that is configured for it, if one still is.
    pub(crate) async fn identities(
        &self,
        account_id: Uuid,
    ) -> Result<Vec<(LinkedIdentity, Option<&ProviderConfig>)>, store::Error> {
        let linked = self.deps.store.read(move |tx| rows::identities(tx, account_id)).await?;
        let provider = |it: &LinkedIdentity| self.providers().find(|config| config.issuer == it.issuer);
        Ok(linked.into_iter().map(|it| (it.clone(), provider(&it))).collect())
    }

    /// Ends one, unless nothing would open the account any more.
    pub(crate) async fn unlink(&self, caller: &Caller, identity_id: Uuid) -> Result<(), Problem> {
        caller.require_fresh(self.deps.clock.now_us().div_euclid(1_000_000))?;
        let account_id = caller.account_id;
        let refusal = self
            .deps
            .store
            .serializable(move |tx| -> Result<Option<ProblemKind>, store::Error> {
                let mine = rows::identities(tx, account_id)?;
                if !mine.iter().any(|it| it.identity_id == identity_id) {
                    return Ok(Some(NO_SUCH_IDENTITY));
                }
                if mine.len() == 1 && identity::ways_in(tx, account_id)? == 0 {
                    return Ok(Some(LAST_WAY_IN));
                }
                rows::unlink(tx, identity_id, account_id)?;
                Ok(None)
            })
            .await?;
        if let Some(kind) = refusal {
            return Err(kind.into());
        }
        info!(account = %account_id, "an identity was unlinked");
        Ok(())
    }

    /// Seconds since 1970.
    pub(crate) fn now_s(&self) -> i64 {
        self.deps.clock.now_us().div_euclid(1_000_000)
    }
}

/// Everything that only the provider can say.
async fn subject(
    provider: &Provider,
    answer: &Answer,
    attempt: &Attempt,
    binding: &Secret,
    state: &Secret,
    now_us: i64,
) -> Result<String, Fault> {
    // Also of an error: one that comes from elsewhere says nothing about this login.
    provider.check_answer_issuer(answer.iss.as_deref(), now_us).await?;
    if let Some(error) = &answer.error {
        warn!(provider = attempt.provider_id, error = safe_word(error), "a provider sent somebody back");
        return Err(if error == "access_denied" { Fault::Denied } else { Fault::ProviderError });
    }
    let code = answer.code.as_deref().filter(|it| (1..=ANSWER_WORD_BYTES_MAX).contains(&it.len()));
    let exchange = Exchange {
        code: code.ok_or(Fault::AnswerMalformed)?,
        redirect_uri: &attempt.redirect_uri,
        verifier: &binding.verifier(state),
        nonce: &binding.nonce(state),
    };
    provider.subject(&exchange, now_us).await
}

fn link(tx: &mut Tx<'_>, account_id: Uuid, arrival: &Arrival, now_us: i64) -> Result<Outcome, store::Error> {
    match rows::account_of(tx, &arrival.issuer, &arrival.subject)? {
        Some(known) if known == account_id => Ok(Outcome::Linked(account_id)),
        Some(_) => Ok(Outcome::Refused(IDENTITY_TAKEN)),
        None if rows::ways_in(tx, account_id)? >= IDENTITIES_PER_ACCOUNT_MAX => {
            Ok(Outcome::Refused(TOO_MANY_IDENTITIES))
        }
        None => {
            rows::link(tx, Uuid::now_v7(), account_id, arrival, now_us)?;
            Ok(Outcome::Linked(account_id))
        }
    }
}

/// Whether a page over plain HTTP is of this machine.
fn is_here(origin: &str) -> bool {
    crate::config::endpoint(origin, true).is_some()
}

fn note(provider_id: &str, fault: Fault) {
    if fault.concerns_operator() {
        warn!(provider = provider_id, code = fault.code(), "a login with a provider failed");
    }
}
