//! Passwords: what is one, how it is kept and checked.
//!
//! Kept as Argon2id with the least that OWASP asks for (19 MiB, two passes, one lane) as a PHC string. Hashes of
//! bcrypt that were brought from elsewhere verify, and are replaced by one of ours when their owner signs in. bcrypt
//! reads 72 bytes: what is longer is refused there, never cut.

mod pool;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;
use zxcvbn::Score;

pub(crate) use pool::{Busy, Checked, Hashing};

/// Fewest characters of a new password.
pub const PASSWORD_CHARS_MIN: usize = 12;

/// Most bytes of any password that is looked at.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The most that a hash from elsewhere may cost to check: a planet that takes seconds for each try is out of service.
const FOREIGN_MEMORY_KIB_MAX: u32 = 128 * 1_024;
const FOREIGN_WORK_KIB_MAX: u32 = 512 * 1_024;
const FOREIGN_LANES_MAX: u32 = 8;
const BCRYPT_COST_MIN: u32 = 10;
const BCRYPT_COST_MAX: u32 = 13;

/// What somebody typed. Wiped from memory when done with, and never shown.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a password is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PasswordFault {
    /// Too few characters.
    #[error("must have at least {PASSWORD_CHARS_MIN} characters")]
    TooShort,
    /// More than is ever hashed.
    #[error("must have at most {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
    /// Some hashes end at it.
    #[error("must not contain the character U+0000")]
    Nul,
    /// Among the first that anybody would try.
    #[error("is one of the first that others would try")]
    Common,
}

/// Why a hash from elsewhere cannot be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ForeignHashFault {
    /// Neither bcrypt nor Argon2id.
    #[error("is neither a bcrypt hash ($2a$, $2b$, $2y$) nor an Argon2id hash in PHC form")]
    Unknown,
    /// Too weak to be kept, or too slow to be checked.
    #[error("has parameters outside of bcrypt cost 10 to 13, or Argon2id up to 128 MiB")]
    Parameters,
}

impl Password {
    /// Something to be checked against a hash.
    pub fn parse(text: String) -> Result<Self, PasswordFault> {
        let password = Self(Zeroizing::new(text));
        if password.0.len() > PASSWORD_BYTES_MAX {
            return Err(PasswordFault::TooLong);
        }
        if password.0.contains('\0') {
            return Err(PasswordFault::Nul);
        }
        Ok(password)
    }

    /// Something to sign in with from now on. `near` are texts of its owner that others know: their name and address.
    pub fn parse_new(text: String, near: &[&str]) -> Result<Self, PasswordFault> {
        let password = Self::parse(text)?;
        if password.0.chars().count() < PASSWORD_CHARS_MIN {
            return Err(PasswordFault::TooShort);
        }
        if is_common(&password.0, near) {
            return Err(PasswordFault::Common);
        }
        Ok(password)
    }

    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Whether others would soon try it: one of the common ones (the estimator knows thirty thousand), a walk over the
/// keyboard, a repetition, or made of what is known of its owner.
fn is_common(password: &str, near: &[&str]) -> bool {
    let whole = near.iter().map(|text| text.to_lowercase());
    let parts =
        near.iter().flat_map(|text| text.split(|it: char| !it.is_alphanumeric())).map(str::to_lowercase);
    let together = near.iter().map(|text| text.to_lowercase().replace(|it: char| !it.is_alphanumeric(), ""));
    let known: Vec<String> = whole.chain(parts).chain(together).filter(|it| !it.is_empty()).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    zxcvbn::zxcvbn(password, &known).score() < Score::Three
}

fn ours() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// A new hash as a PHC string. Takes tens of milliseconds: for the pool alone.
fn hash(password: &Password) -> String {
    let salt: [u8; 16] = rand::random();
    let hash: PasswordHash =
        ours().hash_password_with_salt(password.bytes(), &salt).expect("any password has a hash");
    hash.to_string()
}

/// Whether a password is that of a stored hash, whichever kind it is.
fn verify(password: &Password, phc: &str) -> bool {
    if is_bcrypt(phc) {
        return bcrypt::non_truncating_verify(password.bytes(), phc).unwrap_or(false);
    }
    PasswordHash::new(phc).is_ok_and(|hash| ours().verify_password(password.bytes(), &hash).is_ok())
}

/// Whether a hash is as we make them now.
fn is_current(phc: &str) -> bool {
    phc.starts_with(&format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$"))
}

fn is_bcrypt(phc: &str) -> bool {
    ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| phc.starts_with(prefix))
}

/// Checks a hash that is brought from elsewhere.
pub(crate) fn check_foreign(phc: &str) -> Result<(), ForeignHashFault> {
    if is_bcrypt(phc) {
        let parts: bcrypt::HashParts = phc.parse().map_err(|_| ForeignHashFault::Unknown)?;
        let is_fit = (BCRYPT_COST_MIN..=BCRYPT_COST_MAX).contains(&parts.get_cost());
        return if is_fit { Ok(()) } else { Err(ForeignHashFault::Parameters) };
    }
    let hash = PasswordHash::new(phc).map_err(|_| ForeignHashFault::Unknown)?;
    if hash.algorithm.as_str() != "argon2id" || hash.salt.is_none() || hash.hash.is_none() {
        return Err(ForeignHashFault::Unknown);
    }
    let params = Params::try_from(&hash).map_err(|_| ForeignHashFault::Parameters)?;
    let is_fit = params.m_cost() <= FOREIGN_MEMORY_KIB_MAX
        && params.m_cost().saturating_mul(params.t_cost()) <= FOREIGN_WORK_KIB_MAX
        && params.p_cost() <= FOREIGN_LANES_MAX;
    if is_fit { Ok(()) } else { Err(ForeignHashFault::Parameters) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "correct horse battery staple";

    fn password(text: &str) -> Password {
        Password::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn ours_is_argon2id_as_owasp_asks_and_salted() {
        let (first, second) = (hash(&password(GOOD)), hash(&password(GOOD)));
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{first}");
        assert_ne!(first, second);
        assert!(is_current(&first));
        assert!(verify(&password(GOOD), &first) && !verify(&password("correct horse"), &first));
    }

    /// Made by another implementation (Python's `argon2-cffi` form and parameters other than ours).
    #[test]
    fn other_parameters_verify_and_are_not_current() {
        let params = Params::new(64, 3, 2, None).unwrap();
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash: PasswordHash = weak.hash_password_with_salt(GOOD.as_bytes(), &[7; 16]).unwrap();
        let phc = hash.to_string();
        assert!(verify(&password(GOOD), &phc) && !verify(&password("x"), &phc));
        assert!(!is_current(&phc));
        assert_eq!(check_foreign(&phc), Ok(()));
    }

    /// The vectors of jBCrypt, with the prefixes of other implementations.
    #[test]
    fn published_hashes_of_bcrypt_verify() {
        let phc = "$2a$10$k1wbIrmNyFAPwPVPSVa/zecw2BCEnBwVS2GbrmgzxFUOqW9dk4TCW";
        assert!(verify(&password(""), phc));
        let phc = "$2a$10$k87L/MF28Q673VKh8/cPi.SUl7MU/rWuSiIDDFayrKk/1tBsSQu4u";
        for prefix in ["$2a$", "$2b$", "$2y$"] {
            let phc = phc.replacen("$2a$", prefix, 1);
            assert!(verify(&password("a"), &phc) && !verify(&password("b"), &phc), "{phc}");
            assert_eq!(check_foreign(&phc), Ok(()));
        }
        assert!(!is_current(phc));
    }

    #[test]
    fn bcrypt_does_not_take_a_password_whose_end_it_would_not_see() {
        let seen = "x".repeat(72);
        let phc = bcrypt::hash(&seen, 4).unwrap();
        assert!(!verify(&password(&format!("{seen}y")), &phc));
    }

    #[test]
    fn hashes_from_elsewhere_are_of_two_kinds_and_of_bounded_cost() {
        for (phc, expected) in [
            ("", ForeignHashFault::Unknown),
            ("5f4dcc3b5aa765d61d8327deb882cf99", ForeignHashFault::Unknown),
            ("$2a$10$short", ForeignHashFault::Unknown),
            ("$1$salt$qJH7.N4xYta3aEG/dfqo/0", ForeignHashFault::Unknown),
            ("$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", ForeignHashFault::Unknown),
            ("$2b$04$k87L/MF28Q673VKh8/cPi.SUl7MU/rWuSiIDDFayrKk/1tBsSQu4u", ForeignHashFault::Parameters),
            ("$2b$31$k87L/MF28Q673VKh8/cPi.SUl7MU/rWuSiIDDFayrKk/1tBsSQu4u", ForeignHashFault::Parameters),
            (
                "$argon2id$v=19$m=4000000,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
                ForeignHashFault::Parameters,
            ),
        ] {
            assert_eq!(check_foreign(phc), Err(expected), "{phc}");
        }
    }

    #[test]
    fn a_new_password_is_long_enough_and_not_the_first_that_others_would_try() {
        let parse =
            |text: &str| Password::parse_new(text.to_owned(), &["ann.lee@example.org", "Quiet Heron"]);
        assert!(parse(GOOD).is_ok() && parse("ünïcödé-ïs-fïné").is_ok());
        assert!(parse(&"ab1".repeat(341)).is_err(), "a repetition");
        for (text, fault) in [
            ("", PasswordFault::TooShort),
            ("elevenchars", PasswordFault::TooShort),
            ("éééééé", PasswordFault::TooShort),
            ("a good one\0 but for this", PasswordFault::Nul),
            ("Password1234", PasswordFault::Common),
            ("P@ssw0rd!2024", PasswordFault::Common),
            ("123456789012", PasswordFault::Common),
            ("aaaaaaaaaaaaa", PasswordFault::Common),
            ("abcabcabcabc", PasswordFault::Common),
            ("qwertyuiop123", PasswordFault::Common),
            ("ann.lee@example.org", PasswordFault::Common),
            ("quietheron2024", PasswordFault::Common),
        ] {
            assert_eq!(parse(text).err(), Some(fault), "{text}");
        }
        assert_eq!(parse(&"long ".repeat(300)).err(), Some(PasswordFault::TooLong));
    }
}
