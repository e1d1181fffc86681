//! What goes wrong between leaving for a provider and coming back, each with a code of its own.

use api::{Problem, ProblemKind};
use axum::http::StatusCode;

/// How long to wait before a provider that was away is asked again.
pub(crate) const RETRY_AFTER_S: u32 = 5;

/// Why a login with a provider ends. If several reasons apply, the first in this order is the one given.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum Fault {
    /// Not made by us, used before, for another provider, or too old.
    #[error("this login was not begun here, is over, or took too long")]
    StateUnknown,
    /// The cookie of the browser that left is missing or another one.
    #[error("this login was begun in another browser")]
    OtherBrowser,
    /// RFC 9207: the answer names another issuer, or none where one is promised.
    #[error("the answer comes from another issuer")]
    AnswerIssuer,
    /// The person said no.
    #[error("the login was refused at the provider")]
    Denied,
    /// Any other `error` of the provider.
    #[error("the provider answered with an error")]
    ProviderError,
    /// Neither a code nor an error.
    #[error("the provider's answer cannot be read")]
    AnswerMalformed,
    /// No answer in time, no connection, a fault of its own, too large, or too many at once.
    #[error("the provider does not answer as it should; try again in a moment")]
    Unavailable,
    /// Its own document names another issuer than configured.
    #[error("the provider's document is of another issuer")]
    DiscoveryIssuer,
    /// Its document lacks something, names an address that is not asked, or offers none of what is needed.
    #[error("the provider cannot be used as it describes itself")]
    DiscoveryUnusable,
    /// The provider does not give tokens for the code.
    #[error("the provider did not take the code")]
    CodeRefused,
    /// No ID token, or not a signed one.
    #[error("the ID token cannot be read")]
    TokenMalformed,
    /// None of RS256, ES256, `EdDSA`, or not the one of its key.
    #[error("the ID token's algorithm is not allowed")]
    TokenAlgorithm,
    /// No key of the provider has this id, also after looking again.
    #[error("the ID token's key is not one of the provider's")]
    TokenKey,
    /// Not signed by that key.
    #[error("the ID token's signature does not fit")]
    TokenSignature,
    /// Made by somebody else.
    #[error("the ID token is of another issuer")]
    TokenIssuer,
    /// Made for somebody else.
    #[error("the ID token is for another client")]
    TokenAudience,
    /// Of another login.
    #[error("the ID token is of another login")]
    TokenNonce,
    /// Over.
    #[error("the ID token has expired")]
    TokenExpired,
    /// From the future.
    #[error("the ID token is not valid yet")]
    TokenEarly,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::StateUnknown,
        Self::OtherBrowser,
        Self::AnswerIssuer,
        Self::Denied,
        Self::ProviderError,
        Self::AnswerMalformed,
        Self::Unavailable,
        Self::DiscoveryIssuer,
        Self::DiscoveryUnusable,
        Self::CodeRefused,
        Self::TokenMalformed,
        Self::TokenAlgorithm,
        Self::TokenKey,
        Self::TokenSignature,
        Self::TokenIssuer,
        Self::TokenAudience,
        Self::TokenNonce,
        Self::TokenExpired,
        Self::TokenEarly,
    ];

    /// What programs switch on; never changes.
    pub const fn code(self) -> &'static str {
        match self {
            Self::StateUnknown => "oidc_state_unknown",
            Self::OtherBrowser => "oidc_other_browser",
            Self::AnswerIssuer => "oidc_answer_issuer_wrong",
            Self::Denied => "oidc_denied",
            Self::ProviderError => "oidc_provider_error",
            Self::AnswerMalformed => "oidc_answer_malformed",
            Self::Unavailable => "oidc_provider_unavailable",
            Self::DiscoveryIssuer => "oidc_discovery_issuer_wrong",
            Self::DiscoveryUnusable => "oidc_discovery_unusable",
            Self::CodeRefused => "oidc_code_refused",
            Self::TokenMalformed => "oidc_token_malformed",
            Self::TokenAlgorithm => "oidc_token_algorithm_refused",
            Self::TokenKey => "oidc_token_key_unknown",
            Self::TokenSignature => "oidc_token_signature_wrong",
            Self::TokenIssuer => "oidc_token_issuer_wrong",
            Self::TokenAudience => "oidc_token_audience_wrong",
            Self::TokenNonce => "oidc_token_nonce_wrong",
            Self::TokenExpired => "oidc_token_expired",
            Self::TokenEarly => "oidc_token_early",
        }
    }

    /// Whether an operator should look: the provider, or the configuration of it, is not as it must be.
    pub(crate) const fn concerns_operator(self) -> bool {
        !matches!(self, Self::StateUnknown | Self::OtherBrowser | Self::Denied | Self::AnswerMalformed)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let status = match fault {
            Fault::OtherBrowser => StatusCode::FORBIDDEN,
            Fault::Unavailable | Fault::DiscoveryIssuer | Fault::DiscoveryUnusable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::UNAUTHORIZED,
        };
        let problem =
            ProblemKind::new(status, fault.code(), "The login did not succeed").detail(fault.to_string());
        if status == StatusCode::SERVICE_UNAVAILABLE { problem.retry_after_s(RETRY_AFTER_S) } else { problem }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_fault_has_a_code_of_its_own() {
        let codes: HashSet<&str> = Fault::ALL.iter().map(|it| it.code()).collect();
        assert_eq!(codes.len(), Fault::ALL.len());
    }
}
