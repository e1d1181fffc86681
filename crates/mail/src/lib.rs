//! Letters to people.
//!
//! [`Mailer`] is the seam: [`Smtp`] sends over a mail server, [`Folder`] writes files for whoever develops. [`Post`]
//! stands before it: it takes letters without waiting, tries again when a server is away, and has a written limit.
//!
//! It refuses addresses that could add headers, mail servers without TLS anywhere but on this machine, and to log who
//! gets a letter or what is in it. Letters wait in memory: those that wait when a process ends are not sent. Whoever
//! waits for one asks again.
//!
//! Read first: [`Post`], [`Mailer`].

mod address;
mod folder;
mod post;
mod smtp;

use std::pin::Pin;

pub use address::{ADDRESS_BYTES_MAX, Address, AddressError};
pub use folder::{Folder, LETTERS_MAX};
pub use post::{Full, Post, WAITING_MAX};
pub use smtp::{Smtp, SmtpError, check_server, parse_sender};

/// Something to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// Who gets it.
    pub to: Address,
    /// One line of ASCII.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Nothing of a letter is for the log.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").finish_non_exhaustive()
    }
}

/// Why a letter was not delivered. Says nothing of the recipient: what a mail server answers may.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MailError {
    /// Later it may go.
    #[error("the mail server cannot be reached or asks to try later{}", code_text(*code))]
    Later {
        /// The server's answer, if there was one.
        code: Option<u16>,
    },
    /// It will not.
    #[error("the letter was refused{}", code_text(*code))]
    Refused {
        /// The server's answer, if there was one.
        code: Option<u16>,
    },
}

fn code_text(code: Option<u16>) -> String {
    code.map(|code| format!(" (answer {code})")).unwrap_or_default()
}

/// What comes of delivering.
pub type Delivery<'a> = Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>>;

/// Delivers letters.
pub trait Mailer: Send + Sync {
    /// Hands one letter on; `Ok` when somebody else has taken it.
    fn deliver<'a>(&'a self, letter: &'a Letter) -> Delivery<'a>;
}
