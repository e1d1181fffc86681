//! `[[sign_in.providers]]`: with whom people may sign in.

use std::fs;

use oidc::{ClientSecret, ProviderConfig};
use serde::Deserialize;

/// A secret longer than this is a wrong file.
const SECRET_BYTES_MAX: usize = 4096;

#[derive(Deserialize)]
struct File {
    providers: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    name: String,
    issuer: String,
    client_id: String,
    client_secret: Option<String>,
    client_secret_env: Option<String>,
    client_secret_file: Option<String>,
    #[serde(default = "only_openid")]
    scopes: Vec<String>,
    #[serde(default)]
    allow_http: bool,
}

fn only_openid() -> Vec<String> {
    vec!["openid".to_owned()]
}

/// Reads `text`, a TOML array of tables, with every secret where it says; nothing of a secret stands in what is
/// wrong.
pub(super) fn parse(text: &str) -> Result<Vec<ProviderConfig>, String> {
    let file = toml::from_str::<File>(&document(text));
    let file = file.map_err(|error| format!("cannot be read: {}", error.message()))?;
    let providers = file.providers.into_iter().map(provider).collect::<Result<Vec<_>, _>>()?;
    ProviderConfig::check_all(&providers).map_err(|fault| fault.to_string())?;
    Ok(providers)
}

fn provider(entry: Entry) -> Result<ProviderConfig, String> {
    let id = &entry.id;
    let client_secret = match (entry.client_secret, entry.client_secret_env, entry.client_secret_file) {
        (None, None, None) => None,
        (Some(secret), None, None) => Some(secret),
        (None, Some(variable), None) => {
            let secret = std::env::var(&variable);
            Some(secret.map_err(|_| format!("{id:?}: the environment variable {variable} is not set"))?)
        }
        (None, None, Some(path)) => {
            let secret = fs::read_to_string(&path);
            let secret = secret.map_err(|error| format!("{id:?}: {path} cannot be read: {error}"))?;
            Some(secret.trim_end_matches(['\r', '\n']).to_owned())
        }
        _ => {
            return Err(format!(
                "{id:?}: give one of client_secret, client_secret_env and client_secret_file"
            ));
        }
    };
    if client_secret.as_ref().is_some_and(|it| it.len() > SECRET_BYTES_MAX) {
        return Err(format!("{id:?}: the client secret is longer than {SECRET_BYTES_MAX} bytes"));
    }
    let config = ProviderConfig {
        id: entry.id,
        name: entry.name,
        issuer: entry.issuer,
        client_id: entry.client_id,
        client_secret: client_secret.map(ClientSecret),
        scopes: entry.scopes,
        allow_http: entry.allow_http,
    };
    config.check().map_err(|fault| format!("{:?}: {fault}", config.id))?;
    Ok(config)
}

/// The same text without secrets, to be shown.
pub(super) fn redacted(text: &str) -> String {
    let Ok(mut file) = toml::from_str::<toml::Table>(&document(text)) else { return "[]".to_owned() };
    let Some(toml::Value::Array(providers)) = file.get_mut("providers") else { return "[]".to_owned() };
    for provider in providers.iter_mut().filter_map(toml::Value::as_table_mut) {
        if let Some(secret) = provider.get_mut("client_secret") {
            *secret = toml::Value::from("…");
        }
    }
    toml::Value::Array(std::mem::take(providers)).to_string()
}

fn document(text: &str) -> String {
    format!("providers = {}", if text.is_empty() { "[]" } else { text })
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Sources, print};
    use super::*;

    const HOME: &str =
        "{ id = 'home', name = 'Home', issuer = 'https://login.example', client_id = 'terrane'";

    fn said(rest: &str) -> String {
        parse(&format!("[{HOME}{rest} }}]")).unwrap_err()
    }

    #[test]
    fn a_file_and_the_environment_say_it_alike() {
        let file = "[[sign_in.providers]]\nid = 'home'\nname = 'Home'\nissuer = 'https://login.example'\n\
                    client_id = 'terrane'\nclient_secret = 's3cret'\n";
        let mut sources = Sources::new([]);
        sources.read_text("t.toml", file);
        let of_file = Config::read(sources).unwrap().providers;
        let text = format!("[{HOME}, client_secret = 's3cret' }}]");
        let of_environment =
            Config::read(Sources::new([("TERRANE_SIGN_IN_PROVIDERS".to_owned(), text)])).unwrap().providers;
        assert_eq!(of_file, of_environment);
        assert_eq!(of_file[0].scopes, ["openid"]);
        assert_eq!(of_file[0].client_secret, Some(ClientSecret("s3cret".to_owned())));
    }

    #[test]
    fn a_secret_may_stand_in_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "from the file\n").unwrap();
        let text = format!("[{HOME}, client_secret_file = '{}' }}]", path.display());
        assert_eq!(parse(&text).unwrap()[0].client_secret, Some(ClientSecret("from the file".to_owned())));
    }

    #[test]
    fn what_cannot_be_used_is_told_without_the_secret() {
        for (rest, wanted) in [
            (", client_secret_env = 'TERRANE_TEST_NOT_SET'", "TERRANE_TEST_NOT_SET is not set"),
            (", client_secret_file = '/nowhere/secret'", "/nowhere/secret cannot be read"),
            (", client_secret = 's3cret', client_secret_env = 'A'", "give one of"),
            (", client_secret = 's3cret', colour = 1", "unknown field `colour`"),
            (", client_secret = 's3cret', scopes = ['email']", "openid among them"),
        ] {
            let said = said(rest);
            assert!(said.contains(wanted) && !said.contains("s3cret"), "{said}");
        }
        assert!(parse(&format!("[{HOME} }}, {HOME} }}]")).unwrap_err().contains("twice"));
        assert!(parse("[1]").is_err());
        assert!(parse("[").is_err());
    }

    #[test]
    fn what_is_printed_has_no_secret() {
        let text = format!("[{HOME}, client_secret = 's3cret' }}]");
        let printed = print(Sources::new([("TERRANE_SIGN_IN_PROVIDERS".to_owned(), text)])).unwrap();
        assert!(!printed.contains("s3cret") && printed.contains("https://login.example"), "{printed}");
        let mut sources = Sources::new([]);
        sources.read_text("t.toml", &printed);
        assert_eq!(Config::read(sources).unwrap().providers.len(), 1);
    }
}
