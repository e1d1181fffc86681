//! Finding a place by what somebody types.

use super::{Place, Places};

impl Places {
    /// Places whose name holds the text, whatever its case: those that begin with it first, then the more important.
    pub fn search(&self, text: &str, count_max: usize) -> Vec<&Place> {
        let wanted = text.trim().to_lowercase();
        if wanted.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<(u8, &Place)> = self
            .all()
            .iter()
            .filter_map(|place| {
                let name = place.name.to_lowercase();
                let rank = match name.find(&wanted)? {
                    0 => 0,
                    at if name[..at].ends_with(' ') => 1,
                    _ => 2,
                };
                Some((rank, place))
            })
            .collect();
        // Stable: within a rank they stay in the order of the list, the most important first.
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().take(count_max).map(|(_, place)| place).collect()
    }
}
