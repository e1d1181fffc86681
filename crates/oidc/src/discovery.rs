//! What a provider says of itself (`OpenID` Connect Discovery 1.0).

use jsonwebtoken::Algorithm;
use reqwest::Url;
use serde::Deserialize;

use crate::config::{ProviderConfig, endpoint};
use crate::fault::Fault;
use crate::fetch::Fetcher;

/// The algorithms of ID tokens that are believed. No HMAC, whose key would be the client secret; never `none`.
pub(crate) const ALGORITHMS: [(&str, Algorithm); 3] =
    [("RS256", Algorithm::RS256), ("ES256", Algorithm::ES256), ("EdDSA", Algorithm::EdDSA)];

/// How this planet shows the provider that it is itself (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ClientAuth {
    Basic,
    Post,
    None,
}

/// What is used of the document.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    /// Where browsers are sent.
    pub(crate) authorization_endpoint: Url,
    pub(crate) token_endpoint: Url,
    pub(crate) jwks_uri: Url,
    /// RFC 9207: every answer names its issuer.
    pub(crate) names_issuer: bool,
    pub(crate) client_auth: ClientAuth,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    response_types_supported: Option<Vec<String>>,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// Where the document of an issuer is.
pub(crate) fn address(config: &ProviderConfig) -> Option<Url> {
    let text = format!("{}/.well-known/openid-configuration", config.issuer.trim_end_matches('/'));
    endpoint(&text, config.allow_http)
}

/// Reads the document. What it does not say is taken to be so.
pub(crate) fn read(body: &[u8], config: &ProviderConfig, fetcher: &Fetcher) -> Result<Metadata, Fault> {
    let document: Document = serde_json::from_slice(body).map_err(|_| Fault::DiscoveryUnusable)?;
    if document.issuer != config.issuer {
        return Err(Fault::DiscoveryIssuer);
    }
    let offers = |list: &Option<Vec<String>>, word: &str| {
        list.as_ref().is_none_or(|list| list.iter().any(|it| it == word))
    };
    let has_algorithm =
        ALGORITHMS.iter().any(|(name, _)| offers(&document.id_token_signing_alg_values_supported, name));
    let is_usable = has_algorithm
        && offers(&document.response_types_supported, "code")
        && offers(&document.code_challenge_methods_supported, "S256");
    if !is_usable {
        return Err(Fault::DiscoveryUnusable);
    }
    let auth_methods = &document.token_endpoint_auth_methods_supported;
    let client_auth = match config.client_secret {
        None => ClientAuth::None,
        Some(_) if offers(auth_methods, "client_secret_basic") => ClientAuth::Basic,
        Some(_) if offers(auth_methods, "client_secret_post") => ClientAuth::Post,
        Some(_) => return Err(Fault::DiscoveryUnusable),
    };
    let ours = |text: &str| fetcher.parse_endpoint(text).ok_or(Fault::DiscoveryUnusable);
    Ok(Metadata {
        authorization_endpoint: endpoint(&document.authorization_endpoint, config.allow_http)
            .ok_or(Fault::DiscoveryUnusable)?,
        token_endpoint: ours(&document.token_endpoint)?,
        jwks_uri: ours(&document.jwks_uri)?,
        names_issuer: document.authorization_response_iss_parameter_supported,
        client_auth,
    })
}
