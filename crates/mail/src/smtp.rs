//! Letters over a mail server.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use crate::{Delivery, Letter, MailError, Mailer};

/// How long one command to the mail server may take.
const COMMAND_TIME_MAX: Duration = Duration::from_secs(20);

/// A mail server.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Mailbox,
}

/// Why a mail server cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SmtpError {
    /// The URL is not one of a mail server. It may hold a password, so it is not repeated.
    #[error(
        "must look like smtps://user:password@mail.example.org or smtp://user:password@mail.example.org:587?tls=required"
    )]
    Url,
    /// Mail and password would go over the network in the clear.
    #[error("must use TLS: smtps://…, or smtp://…?tls=required; without TLS only on this machine")]
    WithoutTls,
    /// The sender is no mailbox.
    #[error("must look like Terrane <no-reply@example.org>")]
    Sender,
}

impl Smtp {
    /// The server at this URL, from this sender. Connects with the first letter.
    pub fn new(url: &str, sender: &str) -> Result<Self, SmtpError> {
        check_server(url)?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| SmtpError::Url)?
            .timeout(Some(COMMAND_TIME_MAX))
            .build();
        Ok(Self { transport, sender: parse_sender(sender)? })
    }
}

/// Whether [`Smtp::new`] would take this URL.
pub fn check_server(url: &str) -> Result<(), SmtpError> {
    if !is_protected(url) {
        return Err(SmtpError::WithoutTls);
    }
    AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map(drop).map_err(|_| SmtpError::Url)
}

/// Who letters are from: `Name <address>` or an address.
pub fn parse_sender(text: &str) -> Result<Mailbox, SmtpError> {
    text.parse().map_err(|_| SmtpError::Sender)
}

/// Whether what goes to the server is encrypted, or stays on this machine.
fn is_protected(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let place = rest.split(['/', '?']).next().unwrap_or_default();
    let host = place.rsplit_once('@').map_or(place, |(_, host)| host);
    let is_local = ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|local| host.strip_prefix(local).is_some_and(|port| port.is_empty() || port.starts_with(':')));
    scheme == "smtps" || (scheme == "smtp" && (rest.contains("tls=required") || is_local))
}

impl Mailer for Smtp {
    fn deliver<'a>(&'a self, letter: &'a Letter) -> Delivery<'a> {
        Box::pin(async move {
            let message = Message::builder()
                .from(self.sender.clone())
                .to(Mailbox::new(None, letter.to.inner().clone()))
                .subject(letter.subject.clone())
                // RFC 3834: nobody's holiday notice answers.
                .header(AutoSubmitted)
                .header(ContentType::TEXT_PLAIN)
                .body(letter.text.clone())
                .map_err(|_| MailError::Refused { code: None })?;
            self.transport.send(message).await.map(drop).map_err(|error| fault(&error))
        })
    }
}

fn fault(error: &smtp::Error) -> MailError {
    let code = error.status().map(Into::into);
    if error.is_permanent() { MailError::Refused { code } } else { MailError::Later { code } }
}

/// `Auto-Submitted: auto-generated`.
#[derive(Clone)]
struct AutoSubmitted;

impl lettre::message::header::Header for AutoSubmitted {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        lettre::message::header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    use super::*;
    use crate::Address;

    const SENDER: &str = "Terrane <no-reply@example.org>";

    #[test]
    fn a_server_without_tls_is_refused_unless_it_is_this_machine() {
        let outcome = |url| Smtp::new(url, SENDER).err();
        for good in [
            "smtps://u:p@mail.example.org",
            "smtp://mail.example.org:587?tls=required",
            "smtp://127.0.0.1:2525",
        ] {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let _inside = runtime.enter();
            assert_eq!(outcome(good), None, "{good}");
        }
        for bare in ["smtp://mail.example.org", "smtp://127.0.0.1.evil.example", "http://x", "x"] {
            assert_eq!(outcome(bare), Some(SmtpError::WithoutTls), "{bare}");
        }
        assert!(parse_sender("nobody").is_err());
    }

    /// A mail server that answers each recipient by `answer` and gives back what it was told.
    async fn server(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let talk = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            writer.write_all(b"220 test\r\n").await.unwrap();
            let (mut heard, mut is_data) = (String::new(), false);
            while let Ok(Some(line)) = lines.next_line().await {
                heard.push_str(&line);
                heard.push('\n');
                let reply = match line.as_str() {
                    "." => "250 taken\r\n",
                    _ if is_data => continue,
                    "DATA" => {
                        is_data = true;
                        "354 go on\r\n"
                    }
                    "QUIT" => break,
                    line if line.starts_with("RCPT") => answer,
                    _ => "250 well\r\n",
                };
                if line == "." {
                    is_data = false;
                }
                if writer.write_all(reply.as_bytes()).await.is_err() || line == "." {
                    break;
                }
            }
            heard
        });
        (url, talk)
    }

    fn letter() -> Letter {
        let to = Address::parse("ann@example.org").unwrap();
        let text = "Grüße.\nhttps://planet.example/account#confirm=AAAA\n".to_owned();
        Letter { to, subject: "Confirm your address".to_owned(), text }
    }

    #[tokio::test]
    async fn a_letter_reaches_the_server_as_it_was_written() {
        let (url, talk) = server("250 well\r\n").await;
        Smtp::new(&url, SENDER).unwrap().deliver(&letter()).await.unwrap();
        let heard = talk.await.unwrap();
        for part in [
            "MAIL FROM:<no-reply@example.org>",
            "RCPT TO:<ann@example.org>",
            "Subject: Confirm your address",
            "Auto-Submitted: auto-generated",
            "charset=utf-8",
        ] {
            assert!(heard.contains(part), "no {part:?} in {heard}");
        }
    }

    #[tokio::test]
    async fn a_refusal_is_told_from_a_server_that_is_busy_or_away() {
        for (answer, expected) in [
            ("550 ann@example.org is nobody\r\n", MailError::Refused { code: Some(550) }),
            ("451 ann@example.org later\r\n", MailError::Later { code: Some(451) }),
        ] {
            let (url, _talk) = server(answer).await;
            let error = Smtp::new(&url, SENDER).unwrap().deliver(&letter()).await.unwrap_err();
            assert_eq!(error, expected);
            assert!(!error.to_string().contains("example"));
        }
        let nobody = Smtp::new("smtp://127.0.0.1:1", SENDER).unwrap();
        assert_eq!(nobody.deliver(&letter()).await, Err(MailError::Later { code: None }));
    }
}
