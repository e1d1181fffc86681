//! Cell ids as text: the hexadecimal id without its trailing zeros, as S2 writes it.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::CellId;

const TOKEN_LENGTH_MAX: usize = 16;

/// Why a text is no cell token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParseTokenError {
    /// Nothing there.
    #[error("the token is empty")]
    Empty,
    /// Ids have 64 bits: 16 digits.
    #[error("the token has more than 16 digits")]
    TooLong,
    /// A character that is no hexadecimal digit.
    #[error("the token has a character that is no hexadecimal digit")]
    NotHexadecimal,
    /// A number, but not that of a cell.
    #[error("the token is not the id of a cell")]
    NotACell,
}

impl CellId {
    /// Reads a token. Upper-case digits and trailing zeros are accepted, as in S2.
    pub fn parse_token(token: &str) -> Result<Self, ParseTokenError> {
        if token.is_empty() {
            return Err(ParseTokenError::Empty);
        }
        if token.len() > TOKEN_LENGTH_MAX {
            return Err(ParseTokenError::TooLong);
        }
        let mut raw = 0;
        for digit in token.chars() {
            raw = raw << 4 | u64::from(digit.to_digit(16).ok_or(ParseTokenError::NotHexadecimal)?);
        }
        raw <<= 4 * (TOKEN_LENGTH_MAX - token.len());
        Self::try_from_raw(raw).ok_or(ParseTokenError::NotACell)
    }

    /// The token: 1 to 16 lower-case digits.
    pub fn token(self) -> String {
        self.to_string()
    }
}

impl fmt::Display for CellId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zero_digits = self.raw().trailing_zeros() / 4;
        let width = TOKEN_LENGTH_MAX - zero_digits as usize;
        write!(f, "{:0width$x}", self.raw() >> (4 * zero_digits))
    }
}

impl FromStr for CellId {
    type Err = ParseTokenError;

    fn from_str(token: &str) -> Result<Self, Self::Err> {
        Self::parse_token(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_points::random_points;

    #[test]
    fn faces_have_their_published_tokens() {
        for (face, token) in ["1", "3", "5", "7", "9", "b"].into_iter().enumerate() {
            assert_eq!(CellId::from_face(face as u8).token(), token);
            assert_eq!(CellId::parse_token(token), Ok(CellId::from_face(face as u8)));
        }
    }

    #[test]
    fn tokens_agree_with_the_oracle_and_come_back() {
        for (index, point) in random_points(2).take(31_000).enumerate() {
            let cell = CellId::from_point(point).parent((index % 31) as u8);
            let token = cell.token();
            assert_eq!(token, s2::cellid::CellID(cell.raw()).to_token());
            assert_eq!(CellId::parse_token(&token), Ok(cell));
            assert_eq!(CellId::parse_token(&token.to_uppercase()), Ok(cell));
            assert_eq!(format!("{token:0<16}").parse(), Ok(cell), "with its trailing zeros");
        }
    }

    #[test]
    fn what_is_no_token_is_refused_with_its_reason() {
        let check = |token, error| assert_eq!(CellId::parse_token(token), Err(error), "{token:?}");
        check("", ParseTokenError::Empty);
        check("X", ParseTokenError::NotHexadecimal);
        check("+1", ParseTokenError::NotHexadecimal);
        check("1 ", ParseTokenError::NotHexadecimal);
        check("é", ParseTokenError::NotHexadecimal);
        check("10000000000000000", ParseTokenError::TooLong);
        check("0", ParseTokenError::NotACell);
        check("0000000000000000", ParseTokenError::NotACell);
        check("2", ParseTokenError::NotACell);
        check("d", ParseTokenError::NotACell);
        check("ffffffffffffffff", ParseTokenError::NotACell);
    }
}
