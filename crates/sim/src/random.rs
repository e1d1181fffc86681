//! Chance as a function: what is drawn depends on what it is for and never on what was drawn before, so that the order of
//! bodies, zones and threads changes nothing.

/// What chance is used for. Each has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Purpose {
    /// Which bodies' moves are checked in a tick.
    Audit = 1,
    /// Free for tests and examples.
    Example = 255,
}

/// 64 bits that look like chance, the same for the same arguments everywhere.
///
/// Each argument is mixed in by the finaliser of `SplitMix64` (Steele, Lea and Flood 2014, variant 13 of Stafford's).
pub fn draw(seed: u64, purpose: Purpose, subject: u32, tick: u64) -> u64 {
    let counter = u64::from(subject) | (purpose as u64) << 32;
    mix(mix(mix(seed ^ GOLDEN) ^ tick).wrapping_add(counter.wrapping_mul(GOLDEN)))
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

pub(crate) fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_golden() {
        let drawn = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (u64::MAX, u32::MAX, u64::MAX)]
            .map(|(seed, subject, tick)| draw(seed, Purpose::Example, subject, tick));
        assert_eq!(drawn, GOLDEN_DRAWS);
    }

    const GOLDEN_DRAWS: [u64; 5] = [
        2_544_483_435_267_773_708,
        11_252_554_687_336_809_147,
        6_648_739_693_602_646_263,
        8_883_091_271_320_187_058,
        5_602_419_968_522_163_964,
    ];

    #[test]
    fn every_bit_is_set_half_of_the_time_along_each_argument() {
        const DRAWS: u32 = 4_096;
        let along: [fn(u32) -> u64; 3] = [
            |n| draw(n.into(), Purpose::Example, 7, 7),
            |n| draw(7, Purpose::Example, n, 7),
            |n| draw(7, Purpose::Example, 7, n.into()),
        ];
        for draws in along {
            for bit in 0..64 {
                let ones: u32 = (0..DRAWS).map(|n| (draws(n) >> bit & 1) as u32).sum();
                // Six standard deviations.
                assert!(ones.abs_diff(DRAWS / 2) < 6 * 32, "bit {bit}: {ones} of {DRAWS}");
            }
        }
    }

    #[test]
    fn purposes_do_not_share_their_chance() {
        let equal = (0..1_000)
            .filter(|n| draw(1, Purpose::Audit, *n, 5) % 32 == draw(1, Purpose::Example, *n, 5) % 32);
        assert!((5..80).contains(&equal.count()));
    }
}
