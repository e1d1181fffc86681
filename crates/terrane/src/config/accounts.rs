//! What the configuration says about accounts and letters to them.

use super::parse_number;
use super::settings as key;
use super::source::Sources;

/// How letters go out.
#[derive(PartialEq)]
pub(crate) struct MailConfig {
    /// `None`: into a folder in the data folder. May hold a password.
    pub(crate) server: Option<String>,
    pub(crate) sender: String,
}

impl std::fmt::Debug for MailConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailConfig")
            .field("server", &self.server.as_ref().map(|_| "…"))
            .field("sender", &self.sender)
            .finish()
    }
}

/// What passwords may cost.
#[derive(Debug, PartialEq)]
pub(crate) struct AccountsConfig {
    pub(crate) hashing_threads: usize,
    pub(crate) hashing_waiting_max: usize,
}

pub(super) fn take_mail(sources: &mut Sources) -> MailConfig {
    MailConfig {
        server: sources.take(&key::MAIL_SERVER, parse_server),
        sender: sources.take(&key::MAIL_SENDER, parse_sender),
    }
}

pub(super) fn take_accounts(sources: &mut Sources) -> AccountsConfig {
    AccountsConfig {
        hashing_threads: sources.take(&key::ACCOUNTS_HASHING_THREADS, parse_number("1 to 64", 1..=64)),
        hashing_waiting_max: sources
            .take(&key::ACCOUNTS_HASHING_WAITING_MAX, parse_number("1 to 10000", 1..=10_000)),
    }
}

fn parse_server(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    mail::check_server(text).map(|()| Some(text.to_owned())).map_err(|error| error.to_string())
}

fn parse_sender(text: &str) -> Result<String, String> {
    mail::parse_sender(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn read(environment: &[(&str, &str)]) -> Result<Config, String> {
        let pairs = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read(Sources::new(pairs)).map_err(|problems| problems[0].to_string())
    }

    #[test]
    fn letters_go_to_a_folder_unless_a_server_is_named() {
        assert_eq!(read(&[]).unwrap().mail.server, None);
        let server = "smtps://user:secret@mail.example.org";
        let config = read(&[("TERRANE_MAIL_SERVER", server)]).unwrap();
        assert_eq!(config.mail.server.as_deref(), Some(server));
        assert!(!format!("{config:?}").contains("secret"));
    }

    #[test]
    fn what_cannot_be_a_server_or_a_sender_is_said_without_the_password() {
        for (name, value) in [
            ("TERRANE_MAIL_SERVER", "smtp://user:secret@mail.example.org"),
            ("TERRANE_MAIL_SERVER", "secret"),
            ("TERRANE_MAIL_SENDER", "nobody"),
            ("TERRANE_ACCOUNTS_HASHING_THREADS", "0"),
            ("TERRANE_ACCOUNTS_HASHING_WAITING_MAX", "-1"),
        ] {
            let problem = read(&[(name, value)]).unwrap_err();
            assert!(problem.contains(name) && !problem.contains("secret"), "{problem}");
        }
    }
}
