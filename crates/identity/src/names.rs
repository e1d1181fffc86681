//! Friendly names for people who have not chosen one.

/// How long a display name may be, in characters.
pub const DISPLAY_NAME_CHARACTERS_MAX: usize = 32;

const MANNERS: [&str; 96] = [
    "Able", "Agile", "Amber", "Ample", "Apt", "Avid", "Balmy", "Bold", "Brave", "Breezy", "Bright", "Brisk",
    "Calm", "Candid", "Cheery", "Chief", "Civil", "Clear", "Clever", "Coastal", "Cosy", "Crisp", "Curious",
    "Dapper", "Daring", "Deft", "Dewy", "Eager", "Early", "Easy", "Even", "Fabled", "Fair", "Fern", "Fleet",
    "Fond", "Frank", "Free", "Fresh", "Gentle", "Glad", "Golden", "Good", "Grand", "Green", "Hale", "Handy",
    "Happy", "Hardy", "Hazel", "Hearty", "Honest", "Humble", "Idle", "Jaunty", "Jolly", "Keen", "Kind",
    "Lively", "Loyal", "Lucid", "Lucky", "Mellow", "Merry", "Mighty", "Mild", "Misty", "Modest", "Neat",
    "Nimble", "Noble", "Open", "Patient", "Placid", "Plucky", "Polite", "Prime", "Proud", "Quick", "Quiet",
    "Ready", "Rosy", "Rustic", "Sandy", "Serene", "Silver", "Sleek", "Snug", "Spry", "Steady", "Sunny",
    "Swift", "Tidy", "Tranquil", "Warm", "Wry",
];

const CREATURES: [&str; 96] = [
    "Alder",
    "Antler",
    "Aspen",
    "Auk",
    "Avocet",
    "Badger",
    "Bear",
    "Beaver",
    "Beech",
    "Bison",
    "Bittern",
    "Bluebell",
    "Bramble",
    "Bunting",
    "Cedar",
    "Clover",
    "Cormorant",
    "Crane",
    "Cricket",
    "Curlew",
    "Cypress",
    "Deer",
    "Dipper",
    "Dolphin",
    "Dove",
    "Dunlin",
    "Eagle",
    "Egret",
    "Eider",
    "Elk",
    "Falcon",
    "Fennel",
    "Finch",
    "Fox",
    "Gannet",
    "Gecko",
    "Godwit",
    "Grebe",
    "Grouse",
    "Gull",
    "Hare",
    "Harrier",
    "Hawk",
    "Heron",
    "Hoopoe",
    "Ibex",
    "Ibis",
    "Iris",
    "Jackdaw",
    "Jay",
    "Juniper",
    "Kestrel",
    "Kingfisher",
    "Kite",
    "Lapwing",
    "Lark",
    "Linden",
    "Linnet",
    "Lynx",
    "Magpie",
    "Maple",
    "Marten",
    "Moth",
    "Newt",
    "Oak",
    "Osprey",
    "Otter",
    "Owl",
    "Pelican",
    "Petrel",
    "Pine",
    "Plover",
    "Puffin",
    "Quail",
    "Raven",
    "Redwing",
    "Robin",
    "Rook",
    "Rowan",
    "Sage",
    "Seal",
    "Shrike",
    "Siskin",
    "Snipe",
    "Sparrow",
    "Starling",
    "Stork",
    "Swallow",
    "Swan",
    "Swift",
    "Teal",
    "Tern",
    "Thistle",
    "Thrush",
    "Willow",
    "Wren",
];

/// A name like `Quiet Heron`: the same for the same number. Names need not be unique.
pub fn friendly(random: u64) -> String {
    let creature = random % CREATURES.len() as u64;
    let manner = random / CREATURES.len() as u64 % MANNERS.len() as u64;
    format!("{} {}", MANNERS[manner as usize], CREATURES[creature as usize])
}

/// A name as it is searched for: lower case, as bytes, so that its order is the same on every engine.
pub fn search_key(name: &str) -> Vec<u8> {
    name.to_lowercase().into_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_number_names_the_same_person_each_time() {
        assert_eq!(friendly(0), "Able Alder");
        assert_eq!(friendly(79 * 96 + 43), "Quiet Heron");
        assert_eq!(friendly(u64::MAX), friendly(u64::MAX));
    }

    #[test]
    fn every_pair_occurs_and_fits() {
        let names: HashSet<String> = (0..96 * 96).map(friendly).collect();
        assert_eq!(names.len(), 96 * 96);
        assert!(names.iter().all(|name| name.chars().count() <= DISPLAY_NAME_CHARACTERS_MAX));
    }
}
