//! By how much a bid must be higher.

/// From a price on, bids rise by a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// The lowest price of this step.
    pub from_minor: i64,
    /// By how much.
    pub step_minor: i64,
}

/// The steps of one currency: the first begins at zero, prices and steps rise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Increments {
    steps: Vec<Step>,
}

/// The steps are no table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("increments must begin at 0, rise in `from_minor`, and be at least 1 each")]
pub struct NoTable;

impl Increments {
    /// Checks the table.
    pub fn try_new(steps: impl IntoIterator<Item = Step>) -> Result<Self, NoTable> {
        let steps: Vec<Step> = steps.into_iter().collect();
        let begins = steps.first().is_some_and(|it| it.from_minor == 0);
        let rises = steps.windows(2).all(|pair| pair[0].from_minor < pair[1].from_minor);
        let is_sane = steps.iter().all(|it| (1..=super::AMOUNT_MINOR_MAX).contains(&it.step_minor));
        if begins && rises && is_sane { Ok(Self { steps }) } else { Err(NoTable) }
    }

    /// The step at a price of at least 0.
    pub fn at(&self, price_minor: i64) -> i64 {
        let reached = self.steps.partition_point(|it| it.from_minor <= price_minor);
        self.steps[reached.max(1) - 1].step_minor
    }

    /// The next price: what a bid against `price_minor` must reach. May lie above every possible amount.
    pub fn above(&self, price_minor: i64) -> i64 {
        price_minor.saturating_add(self.at(price_minor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(steps: &[(i64, i64)]) -> Result<Increments, NoTable> {
        Increments::try_new(steps.iter().map(|&(from_minor, step_minor)| Step { from_minor, step_minor }))
    }

    #[test]
    fn a_step_holds_from_its_price_to_the_next() {
        // The historic public table in cents, its first rows.
        let table = table(&[(0, 5), (100, 25), (500, 50), (2_500, 100)]).unwrap();
        for (price, step) in
            [(0, 5), (99, 5), (100, 25), (499, 25), (500, 50), (2_499, 50), (2_500, 100), (1 << 52, 100)]
        {
            assert_eq!(table.at(price), step, "at {price}");
            assert_eq!(table.above(price), price + step);
        }
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for steps in [
            &[][..],
            &[(1, 5)],
            &[(0, 0)],
            &[(0, -1)],
            &[(0, 5), (0, 6)],
            &[(0, 5), (9, 6), (8, 7)],
            &[(0, 1 << 53)],
        ] {
            assert_eq!(table(steps), Err(NoTable), "{steps:?}");
        }
    }
}
