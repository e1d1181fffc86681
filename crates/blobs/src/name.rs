//! What a blob may be called.

use std::fmt;

/// Longest name, in bytes.
const LENGTH_MAX: usize = 100;

/// A name that is a file name on every system: lower-case letters, digits, `-`, `_` and `.`, not first a `.`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BlobName(String);

/// A text is no name of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a blob's name has 1 to {LENGTH_MAX} lower-case letters, digits, '-', '_' and '.', and does not begin with '.'"
)]
pub struct ParseBlobNameError;

impl BlobName {
    /// Takes a name that came from anywhere.
    pub fn parse(text: &str) -> Result<Self, ParseBlobNameError> {
        let is_allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        let is_name =
            (1..=LENGTH_MAX).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(is_allowed);
        if is_name { Ok(Self(text.to_owned())) } else { Err(ParseBlobNameError) }
    }

    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        for name in ["planet.trp", "0123abcd", "a_b-c.1"] {
            assert_eq!(BlobName::parse(name).unwrap().as_str(), name);
        }
        let too_long = "a".repeat(LENGTH_MAX + 1);
        for name in ["", ".", "..", "../x", "a/b", "a\\b", ".lock", "A", "ä", "a b", "a\0", &too_long] {
            assert_eq!(BlobName::parse(name), Err(ParseBlobNameError), "{name}");
        }
    }
}
