//! How many bytes a watcher may be sent.
//!
//! What follows from the tiers is sent in any case; they are chosen so that it fits. Beginnings of cells are sent as far
//! as there is room: an average over some seconds, and a peak in each frame.

/// Bytes a second that a watcher is sent on average.
pub const BYTES_PER_S: f32 = 50_000.0;
/// Bytes a second that it is sent for a moment.
pub const PEAK_BYTES_PER_S: f32 = 200_000.0;

/// Room saved up is at most that of so many seconds.
const SAVED_S: f32 = 2.0;
/// The least part of the average that tiers are chosen for.
const SHARE_MIN: f32 = 0.2;

/// One watcher's room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// Bytes saved up; below 0 when too much was sent.
    room: f32,
    /// Which part of the average the tiers are to be chosen for: what they cost is estimated.
    share: f32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { room: BYTES_PER_S * SAVED_S, share: 1.0 }
    }
}

impl Budget {
    /// The time of one send has passed.
    pub(crate) fn earn(&mut self, bytes_per_s: f32, send_s: f32) {
        self.room = (self.room + bytes_per_s * send_s).min(bytes_per_s * SAVED_S);
        // Down quickly and up slowly, as each choice of tiers costs keys.
        if self.room < 0.0 {
            self.share = (self.share * (1.0 - 0.25 * send_s)).max(SHARE_MIN);
        } else if self.room > bytes_per_s * SAVED_S * 0.75 {
            self.share = (self.share * (1.0 + 0.04 * send_s)).min(1.0);
        }
    }

    /// How many bytes of beginnings fit into a frame that has `news` already.
    pub(crate) fn for_beginnings(self, news: f32, send_s: f32) -> f32 {
        (PEAK_BYTES_PER_S * send_s - news).min(self.room - news).max(0.0)
    }

    pub(crate) fn spend(&mut self, bytes: usize) {
        self.room -= bytes as f32;
    }

    /// More was sent than there was room for.
    pub(crate) fn is_spent(self) -> bool {
        self.room < 0.0
    }

    pub(crate) fn share(self) -> f32 {
        self.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_paid_back_and_the_peak_holds_in_each_frame() {
        let mut budget = Budget::default();
        let (mut sent, mut begun) = (0.0, 0.0);
        for send in 0..600 {
            budget.earn(BYTES_PER_S, 0.1);
            let room = budget.for_beginnings(3_000.0, 0.1);
            assert!(room + 3_000.0 <= PEAK_BYTES_PER_S * 0.1 + 1.0);
            budget.spend((room + 3_000.0) as usize);
            sent += room + 3_000.0;
            begun += room;
            assert!(sent <= BYTES_PER_S * (0.1 * send as f32 + SAVED_S + 0.2), "{sent} after {send} sends");
        }
        assert!(begun > BYTES_PER_S * SAVED_S);
    }

    #[test]
    fn who_is_sent_too_much_has_its_tiers_chosen_for_less_until_it_fits() {
        let mut budget = Budget::default();
        let mut rates = vec![];
        for _ in 0..3_000 {
            budget.earn(BYTES_PER_S, 0.1);
            let cost = 80_000.0 * budget.share() * 0.1;
            budget.spend(cost as usize);
            rates.push(cost * 10.0);
        }
        let late = rates[2_000..].iter().sum::<f32>() / 1_000.0;
        assert!((0.75..1.02).contains(&(late / BYTES_PER_S)), "{late} bytes a second");
    }
}
