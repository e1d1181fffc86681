//! Ids that sort by time.

use uuid::Uuid;

/// A version 7 UUID whose twelve bits after the milliseconds are the fraction of the millisecond, so that ids made a
/// microsecond apart are in order.
pub fn id_at(at_us: i64) -> Uuid {
    id_of(at_us, rand::random())
}

/// The least id of an instant.
pub fn id_from(at_us: i64) -> Uuid {
    id_of(at_us, [0; 10])
}

/// Ascending ids for `count` records of one instant.
pub fn ids_at(at_us: i64, count: usize) -> Vec<Uuid> {
    let mut ids: Vec<_> = (0..count).map(|_| id_at(at_us)).collect();
    ids.sort_unstable();
    ids
}

fn id_of(at_us: i64, mut rest: [u8; 10]) -> Uuid {
    let at_us = u64::try_from(at_us).unwrap_or(0);
    let fraction = ((at_us % 1000) << 12) / 1000;
    rest[..2].copy_from_slice(&(fraction as u16).to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(at_us / 1000, &rest).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_the_time() {
        let start = 1_763_715_600_000_000;
        let ids: Vec<_> = (0..5000).flat_map(|n| ids_at(start + n, 2)).collect();
        assert!(ids.is_sorted(), "a microsecond apart, and within one");
        assert!(ids.iter().all(|it| it.get_version_num() == 7));
        assert_ne!(id_at(start), id_at(start), "but never the same");
        assert!(id_from(start) < id_at(start) && id_at(start) < id_from(start + 1));
    }
}
