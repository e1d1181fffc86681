//! What people may write in a name: text that looks the same to everybody and cannot disturb what stands around it.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton as confusable_skeleton;

/// Marks that may stand on one letter. Vietnamese needs two, Bengali and Thai three; more is decoration that runs
/// over the lines around it.
const MARKS_MAX: usize = 4;

/// How long a name may be, in characters as people count them: marks and joiners belong to the letter before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NameRule {
    /// Fewest.
    pub chars_min: usize,
    /// Most.
    pub chars_max: usize,
}

/// Why a text is no name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TextFault {
    /// Fewer characters than the rule asks for.
    #[error("must have at least {chars_min} characters")]
    TooShort {
        /// The fewest allowed.
        chars_min: usize,
    },
    /// More characters than the rule allows.
    #[error("must have at most {chars_max} characters")]
    TooLong {
        /// The most allowed.
        chars_max: usize,
    },
    /// A character that is invisible, steers the writing direction or has no agreed look.
    #[error("must not contain the character U+{:04X}", u32::from(*character))]
    Forbidden {
        /// The first such character.
        character: char,
    },
    /// Too many marks on one letter.
    #[error("must not have more than {MARKS_MAX} marks on one letter")]
    TooManyMarks,
}

/// `input` as it is to be stored: composed (NFC), outer spaces off, inner spaces single.
pub fn parse_name(input: &str, rule: NameRule) -> Result<String, TextFault> {
    let mut name = String::new();
    let mut chars = 0;
    let mut marks = 0;
    let mut after_space = true;
    for character in input.trim().nfc() {
        if is_forbidden(character) {
            return Err(TextFault::Forbidden { character });
        }
        if is_space(character) {
            if after_space {
                continue;
            }
            chars += 1;
        } else if is_attached(character) {
            // Nothing to stand on.
            if after_space {
                return Err(TextFault::Forbidden { character });
            }
            marks += 1;
            if marks > MARKS_MAX {
                return Err(TextFault::TooManyMarks);
            }
        } else {
            chars += 1;
            marks = 0;
        }
        // Input that is far too long is not worth composing to the end.
        if chars > rule.chars_max {
            return Err(TextFault::TooLong { chars_max: rule.chars_max });
        }
        after_space = is_space(character);
        name.push(if after_space { ' ' } else { character });
    }
    if chars < rule.chars_min {
        return Err(TextFault::TooShort { chars_min: rule.chars_min });
    }
    Ok(name)
}

/// What a name looks like: two names with the same skeleton can be taken for each other.
///
/// The skeleton of UTS 39, and coarser: case, accents, spaces and punctuation do not count, and `i`, `l`, `1` and `|`
/// are one letter whatever the case they were written in. To compare with, not to show.
pub fn skeleton(name: &str) -> String {
    let looks: String = confusable_skeleton(name).collect();
    // Lower case can look like what upper case did not: `O` and `0`.
    let looks: String = confusable_skeleton(&looks.to_lowercase()).collect();
    looks
        .nfd()
        .filter(|character| character.is_alphanumeric() && !is_combining_mark(*character))
        .map(|character| match character {
            'i' | 'I' | '1' => 'l',
            '0' | 'O' => 'o',
            other => other,
        })
        .collect()
}

/// The spaces of Unicode's class Zs. Tabs and line ends are no spaces of a name.
fn is_space(character: char) -> bool {
    matches!(
        character,
        ' ' | '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}'
    )
}

/// Belongs to the letter before: marks, joiners (Bengali, Persian, emoji), emoji variants and skin tones.
fn is_attached(character: char) -> bool {
    is_combining_mark(character)
        || matches!(character, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' | '\u{1F3FB}'..='\u{1F3FF}')
}

fn is_forbidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            // Writing direction.
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
            // Invisible: soft hyphen, fillers, zero-width and word-joining characters, braille blank, tags.
            | '\u{AD}' | '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}' | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
            // Line and paragraph separators; the object and replacement characters.
            | '\u{2028}' | '\u{2029}' | '\u{FFFC}' | '\u{FFFD}'
            // For private use: no agreed look.
            | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}')
        || u32::from(character) & 0xFFFE == 0xFFFE
        || matches!(character, '\u{FDD0}'..='\u{FDEF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: NameRule = NameRule { chars_min: 2, chars_max: 8 };

    #[track_caller]
    fn check(input: &str, expected: Result<&str, TextFault>) {
        assert_eq!(parse_name(input, RULE), expected.map(str::to_owned), "{input:?}");
    }

    #[test]
    fn names_are_composed_trimmed_and_single_spaced() {
        check("Ann", Ok("Ann"));
        check("  Ann \u{3000} Lee ", Ok("Ann Lee"));
        check(&format!("Ann{}Lee", " ".repeat(500)), Ok("Ann Lee"));
        check("Ame\u{301}lie", Ok("Am\u{e9}lie"));
        check("মহুয়া", Ok("মহুয\u{9bc}া"));
        check("👩\u{200D}🚀 Kim", Ok("👩\u{200D}🚀 Kim"));
    }

    #[test]
    fn marks_do_not_count_as_characters() {
        check("o\u{323}\u{304}o\u{323}\u{304}o\u{323}\u{304}", Ok("ọ\u{304}ọ\u{304}ọ\u{304}"));
        check("éééééééé", Ok("éééééééé"));
    }

    #[test]
    fn length_is_bounded_on_both_sides() {
        check("", Err(TextFault::TooShort { chars_min: 2 }));
        check("  A  ", Err(TextFault::TooShort { chars_min: 2 }));
        check("abcdefghi", Err(TextFault::TooLong { chars_max: 8 }));
        check(&"x".repeat(1 << 20), Err(TextFault::TooLong { chars_max: 8 }));
    }

    #[test]
    fn what_cannot_be_seen_or_steers_is_refused() {
        for character in [
            '\0',
            '\n',
            '\t',
            '\u{7f}',
            '\u{85}',
            '\u{202E}',
            '\u{2066}',
            '\u{200B}',
            '\u{FEFF}',
            '\u{E0041}',
            '\u{3164}',
            '\u{2028}',
            '\u{E000}',
            '\u{10FFFF}',
            '\u{FDD0}',
        ] {
            check(&format!("ab{character}cd"), Err(TextFault::Forbidden { character }));
        }
        check("a\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}b", Err(TextFault::TooManyMarks));
        check("\u{301}ab", Err(TextFault::Forbidden { character: '\u{301}' }));
    }

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        let quiet = skeleton("Paul Robin");
        for alike in [
            "paul robin",
            "PAUL ROBIN",
            // A capital i for the l, a zero for the o.
            "PauI R0bin",
            // Cyrillic.
            "Р\u{430}ul R\u{43E}bin",
            // Greek.
            "Paul R\u{3BF}bin",
            "P\u{E1}ul-Robin",
            "Pau1_Robin",
            "Ｐａｕｌ Ｒｏｂｉｎ",
            "𝐏𝐚𝐮𝐥 𝐑𝐨𝐛𝐢𝐧",
        ] {
            assert_eq!(skeleton(alike), quiet, "{alike}");
        }
        for other in ["Paula Robin", "Robin Paul", "Saul Robin"] {
            assert_ne!(skeleton(other), quiet, "{other}");
        }
        assert_eq!(skeleton("modern"), skeleton("rnodern"));
    }

    proptest::proptest! {
        /// What was accepted once is accepted again and stays as it is.
        #[test]
        fn a_stored_name_is_its_own_form(input in "\\PC{0,12} {0,80}\\PC{0,4}") {
            if let Ok(name) = parse_name(&input, RULE) {
                proptest::prop_assert_eq!(parse_name(&name, RULE), Ok(name.clone()));
            }
        }
    }
}
