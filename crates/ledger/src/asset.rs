//! What can be owned.

use std::fmt;
use std::sync::Arc;

const DEED_PREFIX: &str = "deed:";
const COIN: &str = "coin";
/// A token names a cell in at most 16 hexadecimal digits.
const TOKEN_LENGTH_MAX: usize = 16;

/// A currency's name is this long at most.
const CURRENCY_LENGTH_MAX: usize = 16;

/// The name of an asset: that of a currency (`coin`), or `deed:<token>` for the deed of a parcel. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetId(Arc<str>);

/// What sort of asset it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AssetKind {
    /// Money: any amount.
    Currency,
    /// The right to a parcel: there is at most one.
    Deed,
}

/// The text names no asset.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not the name of an asset")]
pub struct ParseAssetError;

impl AssetId {
    /// The planet's money.
    pub fn coin() -> Self {
        Self(COIN.into())
    }

    /// The money with this code: a lower-case letter, then letters, digits or `_`, 16 characters at most. Which
    /// currencies a planet has is not decided here.
    pub fn try_currency(code: &str) -> Result<Self, ParseAssetError> {
        let is_plain = code.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if code.len() > CURRENCY_LENGTH_MAX
            || !is_plain
            || !code.starts_with(|it: char| it.is_ascii_lowercase())
        {
            return Err(ParseAssetError);
        }
        Ok(Self(code.into()))
    }

    /// The deed of the parcel with this cell token (lower-case hexadecimal).
    pub fn try_deed(token: &str) -> Result<Self, ParseAssetError> {
        let is_hex = token.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        if token.is_empty() || token.len() > TOKEN_LENGTH_MAX || !is_hex {
            return Err(ParseAssetError);
        }
        Ok(Self(format!("{DEED_PREFIX}{token}").into()))
    }

    /// Reads what [`AssetId::as_str`] writes.
    pub fn parse(text: &str) -> Result<Self, ParseAssetError> {
        match text.strip_prefix(DEED_PREFIX) {
            Some(token) => Self::try_deed(token),
            None => Self::try_currency(text),
        }
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What sort of asset it is.
    pub fn kind(&self) -> AssetKind {
        if self.0.starts_with(DEED_PREFIX) { AssetKind::Deed } else { AssetKind::Currency }
    }
}

impl AssetKind {
    /// Its name in the books.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Currency => "currency",
            Self::Deed => "deed",
        }
    }
}

impl fmt::Debug for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_str())
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for asset in [
            AssetId::coin(),
            AssetId::try_currency("gem_2").unwrap(),
            AssetId::try_deed("4be64c3c").unwrap(),
            AssetId::try_deed("1").unwrap(),
        ] {
            assert_eq!(AssetId::parse(asset.as_str()), Ok(asset));
        }
        for text in [
            "",
            "Coin",
            "2coins",
            "_coin",
            "coin ",
            "a_name_that_is_17",
            "münze",
            "deed:",
            "deed:4BE6",
            "deed:4be64c3c4be64c3c4",
            "deed:4be6 ",
            "gem:1",
        ] {
            assert_eq!(AssetId::parse(text), Err(ParseAssetError), "{text:?}");
        }
    }
}
