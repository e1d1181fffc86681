//! What may be said.

use wire::TEXT_MAX_CHARS;

/// Why a text may not be said: a stable code and a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TextError {
    #[error("there is nothing to say")]
    Empty,
    #[error("a text may have {TEXT_MAX_CHARS} characters")]
    TooLong,
    #[error("control characters and characters that turn the direction of text are not allowed")]
    Characters,
}

impl TextError {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Empty => "text_empty",
            Self::TooLong => "text_too_long",
            Self::Characters => "text_characters",
        }
    }
}

/// The text without surrounding white space, if it may be said.
///
/// Of several reasons against it the first of [`TextError`]'s order is given.
pub(crate) fn check_text(text: &str) -> Result<&str, TextError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.chars().count() > TEXT_MAX_CHARS {
        return Err(TextError::TooLong);
    }
    if text.chars().any(|c| c.is_control() || turns_direction(c)) {
        return Err(TextError::Characters);
    }
    Ok(text)
}

/// Bidirectional embeddings, overrides and isolates (Unicode TR 9), and the line and paragraph separators.
const fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_of_any_script_is_said_trimmed() {
        for (said, heard) in [
            ("  hello  ", "hello"),
            ("আমি এখানে", "আমি এখানে"),
            ("שלום", "שלום"),
            ("👋🏽 family: 👨\u{200d}👩\u{200d}👧", "👋🏽 family: 👨\u{200d}👩\u{200d}👧"),
        ] {
            assert_eq!(check_text(said), Ok(heard));
        }
        let longest = "ü".repeat(TEXT_MAX_CHARS);
        assert_eq!(check_text(&longest), Ok(longest.as_str()));
    }

    #[test]
    fn blank_long_and_tricky_text_is_refused() {
        for (text, error) in [
            ("", TextError::Empty),
            (" \t\n ", TextError::Empty),
            ("a\nb", TextError::Characters),
            ("a\0b", TextError::Characters),
            ("pay \u{202e}eb", TextError::Characters),
            ("\u{2066}x", TextError::Characters),
        ] {
            assert_eq!(check_text(text), Err(error), "{text:?}");
        }
        assert_eq!(check_text(&"x".repeat(TEXT_MAX_CHARS + 1)), Err(TextError::TooLong));
        assert_eq!(check_text(&"\0".repeat(TEXT_MAX_CHARS + 1)), Err(TextError::TooLong));
    }
}
