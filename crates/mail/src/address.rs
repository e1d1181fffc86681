//! Addresses of mail.

use std::fmt;

/// Longest address that a path of SMTP can hold (RFC 5321).
pub const ADDRESS_BYTES_MAX: usize = 254;

/// An address that can be written to, in the spelling it was given in.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(lettre::Address);

/// Why a text is no address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    /// Longer than any address.
    #[error("must have at most {ADDRESS_BYTES_MAX} bytes")]
    TooLong,
    /// Not `somebody@some.where`.
    #[error("must look like somebody@example.org")]
    Form,
}

impl Address {
    /// Reads `local@domain`. Spaces around it are taken off; inside there are none, and no control characters, quotes
    /// or literals of addresses, which nobody's mailbox needs and which confuse what stands around them.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.len() > ADDRESS_BYTES_MAX {
            return Err(AddressError::TooLong);
        }
        let is_odd = |it: char| it.is_control() || it.is_whitespace() || r#""<>[](),:;\"#.contains(it);
        if text.chars().any(is_odd) || text.matches('@').count() != 1 {
            return Err(AddressError::Form);
        }
        text.parse().map(Self).map_err(|_| AddressError::Form)
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    /// The one spelling by which addresses are compared: lower case. (The part before the `@` may count case by the
    /// standard; no server in use does, and two accounts that differ in it alone would be a trap.)
    pub fn normalised(&self) -> String {
        self.as_str().to_lowercase()
    }

    pub(crate) fn inner(&self) -> &lettre::Address {
        &self.0
    }
}

/// Not for the log.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_in_one_spelling() {
        let address = Address::parse(" Ann.Lee+x@Example.ORG ").unwrap();
        assert_eq!(address.as_str(), "Ann.Lee+x@Example.ORG");
        assert_eq!(address.normalised(), "ann.lee+x@example.org");
        assert_eq!(format!("{address:?}"), "Address(…)");
    }

    #[test]
    fn what_could_add_a_header_or_a_recipient_is_no_address() {
        let long = format!("{}@example.org", "a".repeat(250));
        for text in [
            "",
            "@",
            "ann",
            "ann@",
            "@example.org",
            "a b@example.org",
            "ann@example.org\r\nBcc: bob@example.org",
            "ann@example.org,bob@example.org",
            "\"ann\"@example.org",
            "ann@[127.0.0.1]",
            "Ann <ann@example.org>",
            "ann@exam\0ple.org",
            "ann@@example.org",
            &long,
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
    }
}
