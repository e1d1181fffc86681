//! Why somebody on the staff does something, in their words.

use api::text::{self, NameRule};
use api::{Problem, kinds};

/// How long a reason may be.
pub const REASON_CHARS_MAX: usize = 500;

const LINE: NameRule = NameRule { chars_min: 0, chars_max: REASON_CHARS_MAX };
const LINES_MAX: usize = 20;
const BYTES_MAX: usize = 4_000;

/// A reason of 1 to 500 characters. It may have lines, and nothing that is invisible or disturbs what stands around it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason(String);

impl Reason {
    /// Reads what somebody wrote as `reason`.
    pub fn parse(input: &str) -> Result<Self, Problem> {
        parse_text(input, "#/reason").map(Self)
    }

    /// The words.
    pub fn words(&self) -> &str {
        &self.0
    }
}

/// Text of a person, with lines; faults are told at `pointer`.
pub(crate) fn parse_text(input: &str, pointer: &'static str) -> Result<String, Problem> {
    let refuse = |detail: String| Problem::from(kinds::INVALID_BODY).at(pointer, detail);
    if input.len() > BYTES_MAX {
        return Err(refuse(format!("must have at most {BYTES_MAX} bytes")));
    }
    let lines: Vec<&str> = input.trim().lines().collect();
    if lines.len() > LINES_MAX {
        return Err(refuse(format!("must have at most {LINES_MAX} lines")));
    }
    let parsed = lines.into_iter().map(|line| text::parse_name(line, LINE));
    let lines: Vec<String> = parsed.collect::<Result<_, _>>().map_err(|fault| refuse(fault.to_string()))?;
    let words = lines.join("\n");
    match words.chars().count() {
        0 => Err(refuse("must say something".to_owned())),
        1..=REASON_CHARS_MAX => Ok(words),
        _ => Err(refuse(format!("must have at most {REASON_CHARS_MAX} characters"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something_and_disturbs_nothing() {
        let check = |input: &str, expected: Option<&str>| {
            assert_eq!(Reason::parse(input).ok().as_ref().map(Reason::words), expected, "{input:?}");
        };
        check("  fraud,  see #12 \n second line", Some("fraud, see #12\nsecond line"));
        check("", None);
        check(" \n ", None);
        check("a\u{202E}b", None);
        check("a\0b", None);
        check(&"x".repeat(500), Some(&"x".repeat(500)));
        check(&"x".repeat(501), None);
        check(&"x\n".repeat(300), None);
        check(&"x".repeat(10_000), None);
    }
}
