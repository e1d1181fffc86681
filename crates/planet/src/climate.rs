//! What plants feel.

/// What plants feel over a year.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Climate {
    /// Mean of the year, degrees Celsius.
    pub temperature_c: f64,
    /// Sum of the year, millimetres.
    pub rain_mm: f64,
}
