//! What can be owned.

use std::fmt;
use std::sync::Arc;

const DEED_PREFIX: &str = "deed:";
const COIN: &str = "coin";
/// A token names a cell in at most 16 hexadecimal digits.
const TOKEN_LENGTH_MAX: usize = 16;

/// The name of an asset: `coin`, or `deed:<token>` for the deed of a lot. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetId(Arc<str>);

/// What sort of asset it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AssetKind {
    /// Money: any amount, in hundredths.
    Coin,
    /// The right to a lot: there is at most one.
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

    /// The deed of the lot with this cell token (lower-case hexadecimal).
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
            None if text == COIN => Ok(Self::coin()),
            None => Err(ParseAssetError),
        }
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What sort of asset it is.
    pub fn kind(&self) -> AssetKind {
        if self.0.starts_with(DEED_PREFIX) { AssetKind::Deed } else { AssetKind::Coin }
    }
}

impl AssetKind {
    /// Its name in the books.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Coin => "coin",
            Self::Deed => "deed",
        }
    }

    /// Decimal places between the smallest unit and the one people speak of.
    pub const fn scale(self) -> u8 {
        match self {
            Self::Coin => 2,
            Self::Deed => 0,
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
        for asset in
            [AssetId::coin(), AssetId::try_deed("4be64c3c").unwrap(), AssetId::try_deed("1").unwrap()]
        {
            assert_eq!(AssetId::parse(asset.as_str()), Ok(asset));
        }
        for text in [
            "",
            "coins",
            "Coin",
            "deed",
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
