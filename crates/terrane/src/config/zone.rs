//! What the configuration says about the world's zones.

use std::time::Duration;

use super::parse_number;
use super::settings as key;
use super::source::Sources;

/// How the world is simulated.
#[derive(Debug, PartialEq)]
pub(crate) struct ZoneSettings {
    pub(crate) tick_hz: u32,
    pub(crate) send_hz: u32,
    /// 0: as many as the machine has.
    pub(crate) threads: usize,
    pub(crate) zones_min: usize,
    pub(crate) zones_max: usize,
    pub(crate) bodies_max: usize,
    pub(crate) journal_minutes: u64,
}

impl ZoneSettings {
    pub(super) fn take_from(sources: &mut Sources) -> Self {
        Self {
            tick_hz: sources.take(&key::ZONE_TICK_HZ, parse_tick_hz),
            send_hz: sources.take(&key::ZONE_SEND_HZ, parse_number("1 to 60", 1..=60)),
            threads: sources.take(&key::ZONE_THREADS, parse_number("0 to 256", 0..=256)),
            zones_min: sources.take(&key::ZONE_ZONES_MIN, parse_number("1 to 1024", 1..=1_024)),
            zones_max: sources.take(&key::ZONE_ZONES_MAX, parse_number("1 to 1024", 1..=1_024)),
            bodies_max: sources.take(&key::ZONE_BODIES_MAX, parse_number("1 to 1000000", 1..=1_000_000)),
            journal_minutes: sources.take(&key::ZONE_JOURNAL_MINUTES, parse_number("1 to 1440", 1..=1_440)),
        }
    }

    /// What must fit together.
    pub(super) fn check(&self, sources: &mut Sources) {
        if !self.tick_hz.is_multiple_of(self.send_hz) {
            sources.refuse(&format!(
                "zone.send_hz is {}, of which zone.tick_hz, {}, must be a multiple",
                self.send_hz, self.tick_hz
            ));
        }
        if self.zones_min > self.zones_max {
            sources.refuse("zone.zones_min must not be more than zone.zones_max");
        }
    }

    pub(crate) fn to_config(&self) -> zone::ZoneConfig {
        let default = zone::ZoneConfig::default();
        zone::ZoneConfig {
            bodies_max: self.bodies_max,
            pace: motion::Pace::try_from_hz(self.tick_hz).unwrap_or_default(),
            send_hz: self.send_hz,
            threads: if self.threads == 0 { default.threads } else { self.threads },
            balance: zone::Balance {
                zones_min: self.zones_min,
                zones_max: self.zones_max,
                ..default.balance.clone()
            },
            ..default
        }
    }

    pub(crate) fn past(&self) -> Duration {
        Duration::from_mins(self.journal_minutes)
    }
}

fn parse_tick_hz(text: &str) -> Result<u32, String> {
    let hz = text.parse().ok().filter(|hz| motion::Pace::try_from_hz(*hz).is_some());
    hz.ok_or_else(|| "must be 20, 30 or 60".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn read(environment: &[(&str, &str)]) -> Result<Config, String> {
        let pairs = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read(Sources::new(pairs)).map_err(|problems| problems[0].to_string())
    }

    #[test]
    fn rates_that_fit_are_taken() {
        let config = read(&[("TERRANE_ZONE_TICK_HZ", "60"), ("TERRANE_ZONE_SEND_HZ", "20")]).unwrap();
        let zone = config.zone.to_config();
        assert_eq!((zone.pace.hz(), zone.send_hz), (60, 20));
        assert!(zone.threads > 0);
    }

    #[test]
    fn what_does_not_fit_is_said() {
        for (environment, said) in [
            (vec![("TERRANE_ZONE_TICK_HZ", "25")], "must be 20, 30 or 60"),
            (vec![("TERRANE_ZONE_SEND_HZ", "7")], "zone.send_hz is 7"),
            (vec![("TERRANE_ZONE_ZONES_MIN", "65")], "zone.zones_min"),
            (vec![("TERRANE_ZONE_JOURNAL_MINUTES", "0")], "1 to 1440"),
        ] {
            let problem = read(&environment).unwrap_err();
            assert!(problem.contains(said), "{problem}");
        }
    }
}
