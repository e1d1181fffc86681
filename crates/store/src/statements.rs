//! A crate's statements in one place, so that a test can show each of them to both engines.

/// Names the statements of a module and lists them all in `STATEMENTS`.
///
/// ```
/// store::statements! {
///     /// Who owns a lot.
///     OWNER_OF = "select owner_id from parcels where parcel_id = $1";
/// }
/// assert_eq!(STATEMENTS, [OWNER_OF]);
/// ```
#[macro_export]
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* pub(crate) const $name: &str = $sql;)+
        /// Every statement of this module, for the test that prepares each on both engines.
        pub(crate) const STATEMENTS: &[&str] = &[$($name),+];
    };
}
