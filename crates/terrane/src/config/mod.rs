//! Configuration: flags over environment over file over defaults.
//!
//! Every setting is declared once, in [`settings`]; the template, the names of the environment variables and the
//! list of known keys come from there. A key nobody knows is refused, and all problems are reported together.

mod accounts;
mod edge;
mod providers;
mod settings;
mod source;
mod zone;

use std::net::SocketAddr;
use std::path::PathBuf;

use limits::Policies;
use notify::Destinations;
use oidc::ProviderConfig;
use planet::PlanetSpec;
use privacy::MasterKeys;
use telemetry::LogFormat;
use wallet::Economy;

pub(crate) use accounts::{AccountsConfig, MailConfig};
pub(crate) use edge::HttpConfig;
pub(crate) use settings::template;
pub(crate) use source::{Problem, Sources};
pub(crate) use zone::ZoneSettings;

use settings as key;

/// What a process does. With none named it does all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Role {
    /// Speaks HTTP and WebSocket, serves the client.
    Gateway,
    /// Simulates the world.
    Zone,
}

impl Role {
    const ALL: [Self; 2] = [Self::Gateway, Self::Zone];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Zone => "zone",
        }
    }
}

/// Everything a node is told, parsed and checked.
#[derive(Debug, PartialEq)]
pub(crate) struct Config {
    pub(crate) planet: PlanetConfig,
    /// The operator's own table; `None` for that of the program.
    pub(crate) economy: Option<Economy>,
    pub(crate) node: NodeConfig,
    /// How the world is simulated.
    pub(crate) zone: ZoneSettings,
    pub(crate) http: HttpConfig,
    /// How often somebody may ask.
    pub(crate) limits: Policies,
    /// `None`: no metrics listener.
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Where webhooks may be sent.
    pub(crate) webhook_destinations: Destinations,
    /// With whom people may sign in.
    pub(crate) providers: Vec<ProviderConfig>,
    pub(crate) accounts: AccountsConfig,
    pub(crate) mail: MailConfig,
    pub(crate) database: DatabaseConfig,
    pub(crate) privacy: PrivacyConfig,
    /// Money acts of staff above this want a second person.
    pub(crate) second_person_minor: i64,
    pub(crate) log: LogConfig,
}

/// Must agree on every node of a planet; seed, shift and raster level are kept with its data.
#[derive(Debug, PartialEq)]
pub(crate) struct PlanetConfig {
    pub(crate) name: String,
    /// `None`: whatever the planet was made with.
    pub(crate) seed: Option<u64>,
    /// `None`: whatever the planet was made with.
    pub(crate) shift: Option<u8>,
    /// `None`: whatever the planet was made with.
    pub(crate) raster_level: Option<u8>,
    pub(crate) day_length_s: u32,
}

impl PlanetConfig {
    /// What a new planet is made as.
    pub(crate) fn spec(&self) -> PlanetSpec {
        let default = PlanetSpec::default();
        PlanetSpec {
            seed: self.seed.unwrap_or(default.seed),
            shift: self.shift.unwrap_or(default.shift),
            raster_level: self.raster_level.unwrap_or(default.raster_level),
        }
    }
}

#[derive(Debug, PartialEq)]
pub(crate) struct NodeConfig {
    pub(crate) data: PathBuf,
    pub(crate) roles: Vec<Role>,
}

#[derive(PartialEq)]
pub(crate) struct DatabaseConfig {
    /// `None`: embedded, in the data folder. May hold a password.
    pub(crate) url: Option<String>,
    pub(crate) connections_max: u32,
}

impl std::fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("url", &self.url.as_ref().map(|_| "…"))
            .field("connections_max", &self.connections_max)
            .finish()
    }
}

#[derive(Debug, PartialEq)]
pub(crate) struct PrivacyConfig {
    /// `None`: those in the file.
    pub(crate) master_keys: Option<MasterKeys>,
    /// `None`: in the data folder.
    pub(crate) master_key_file: Option<PathBuf>,
    pub(crate) cooling_off_days: u32,
    pub(crate) export_days: u32,
}

#[derive(Debug, PartialEq)]
pub(crate) struct LogConfig {
    pub(crate) format: LogFormat,
    pub(crate) filter: String,
}

impl Config {
    /// Reads every setting from the most particular of `sources` that has it; all problems, or none.
    pub(crate) fn read(mut sources: Sources) -> Result<Self, Vec<Problem>> {
        let config = Self::take_from(&mut sources);
        if config.node.roles.contains(&Role::Gateway) {
            config.http.check(&mut sources);
        }
        config.zone.check(&mut sources);
        let problems = sources.into_problems();
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// Takes each setting once; one that cannot be read counts as a problem and stands at its default here.
    fn take_from(sources: &mut Sources) -> Self {
        Self {
            planet: PlanetConfig {
                name: sources.take(&key::PLANET_NAME, parse_planet_name),
                seed: sources
                    .take_if_given(&key::PLANET_SEED, parse_number("a whole number from 0", 0..=u64::MAX)),
                shift: sources
                    .take_if_given(&key::PLANET_SHIFT, parse_number("0 to 9", 0..=planet::SHIFT_MAX)),
                raster_level: sources.take_if_given(
                    &key::PLANET_RASTER_LEVEL,
                    parse_number("6 to 10", planet::RASTER_LEVEL_MIN..=planet::RASTER_LEVEL_MAX),
                ),
                day_length_s: sources
                    .take(&key::PLANET_DAY_LENGTH_S, parse_number("60 to 31557600", 60..=31_557_600)),
            },
            economy: sources.take(&key::ECONOMY_PATH, parse_economy),
            node: NodeConfig {
                data: sources.take(&key::NODE_DATA, parse_folder),
                roles: sources.take(&key::NODE_ROLES, parse_roles),
            },
            zone: ZoneSettings::take_from(sources),
            http: HttpConfig::take_from(sources),
            limits: edge::take_limits(sources),
            metrics_listen: sources.take(&key::METRICS_LISTEN, parse_optional_address),
            webhook_destinations: sources.take(&key::WEBHOOKS_DESTINATIONS, parse_destinations),
            providers: sources.take(&key::SIGN_IN_PROVIDERS, providers::parse),
            accounts: accounts::take_accounts(sources),
            mail: accounts::take_mail(sources),
            database: DatabaseConfig {
                url: sources.take(&key::DATABASE_URL, parse_database_url),
                connections_max: sources
                    .take(&key::DATABASE_CONNECTIONS_MAX, parse_number("1 to 1000", 1..=1_000)),
            },
            privacy: PrivacyConfig {
                master_keys: sources.take(&key::PRIVACY_MASTER_KEY, parse_master_keys),
                master_key_file: sources.take(&key::PRIVACY_MASTER_KEY_FILE, parse_optional_path),
                cooling_off_days: sources
                    .take(&key::PRIVACY_COOLING_OFF_DAYS, parse_number("0 to 30", 0..=30)),
                export_days: sources.take(&key::PRIVACY_EXPORT_DAYS, parse_number("1 to 30", 1..=30)),
            },
            second_person_minor: sources
                .take(&key::STAFF_SECOND_PERSON_MINOR, parse_number("a whole number from 0", 0..=i64::MAX)),
            log: LogConfig {
                format: sources.take(&key::LOG_FORMAT, parse_log_format),
                filter: sources.take(&key::LOG_FILTER, parse_text("a filter like info or warn,zone=debug")),
            },
        }
    }
}

fn parse_number<T>(
    expected: &'static str,
    range: std::ops::RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String>
where
    T: std::str::FromStr + PartialOrd,
{
    move |text| match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("must be {expected}")),
    }
}

fn parse_text(expected: &'static str) -> impl Fn(&str) -> Result<String, String> {
    move |text| if text.is_empty() { Err(format!("must be {expected}")) } else { Ok(text.to_owned()) }
}

fn parse_economy(path: &str) -> Result<Option<Economy>, String> {
    if path.is_empty() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    Economy::parse(&text).map(Some).map_err(|error| format!("{path}: {error}"))
}

fn parse_planet_name(text: &str) -> Result<String, String> {
    let is_fit = (1..=60).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if is_fit { Ok(text.to_owned()) } else { Err("must be 1 to 60 characters on one line".to_owned()) }
}

fn parse_folder(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("must be a folder".to_owned()) } else { Ok(PathBuf::from(text)) }
}

fn parse_roles(text: &str) -> Result<Vec<Role>, String> {
    let mut roles = Vec::new();
    for word in list_items(text) {
        let role = Role::ALL.into_iter().find(|role| role.word() == word);
        let role = role.ok_or_else(|| format!("has no role {word:?}; there are gateway and zone"))?;
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    Ok(if roles.is_empty() { Role::ALL.to_vec() } else { roles })
}

fn parse_origins(text: &str) -> Result<Vec<String>, String> {
    list_items(text)
        .map(|origin| {
            if identity::challenge::is_plain_origin(origin) {
                Ok(origin.to_ascii_lowercase())
            } else {
                Err(format!("{origin:?} must look like https://planet.example, without a path"))
            }
        })
        .collect()
}

fn parse_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "must be an address and port like 127.0.0.1:7380 or [::]:7380".to_owned())
}

fn parse_optional_address(text: &str) -> Result<Option<SocketAddr>, String> {
    if text == "off" {
        Ok(None)
    } else {
        parse_address(text).map(Some).map_err(|said| format!("{said}, or off"))
    }
}

fn parse_destinations(text: &str) -> Result<Destinations, String> {
    match text {
        "public" => Ok(Destinations::Public),
        "loopback" => Ok(Destinations::PublicAndLoopback),
        _ => Err("must be public or loopback".to_owned()),
    }
}

fn parse_database_url(text: &str) -> Result<Option<String>, String> {
    match text {
        "" => Ok(None),
        url if url.starts_with("postgres://") || url.starts_with("postgresql://") => Ok(Some(url.to_owned())),
        // The text may hold a password: it is not repeated.
        _ => Err("must begin with postgres://, or be empty for the embedded database".to_owned()),
    }
}

fn parse_master_keys(text: &str) -> Result<Option<MasterKeys>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    // A text that is nearly a key is not repeated.
    let said = "must be 32 bytes in base64url (43 characters), or two such keys with a comma between";
    MasterKeys::parse(text).map(Some).ok_or_else(|| said.to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "as settings are parsed")]
fn parse_optional_path(text: &str) -> Result<Option<PathBuf>, String> {
    Ok((!text.is_empty()).then(|| PathBuf::from(text)))
}

fn parse_log_format(text: &str) -> Result<LogFormat, String> {
    let named = LogFormat::ALL.into_iter().find(|(word, _)| *word == text);
    named.map(|(_, format)| format).ok_or_else(|| "must be auto, human or json".to_owned())
}

fn list_items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// The settings in force as TOML, each with its source behind it.
pub(crate) fn print(sources: Sources) -> Result<String, Vec<Problem>> {
    let mut sources = sources;
    Config::take_from(&mut sources);
    let text = settings::render(|setting| {
        let (value, source) = sources.effective(setting);
        (redacted(setting.path, value), Some(source))
    });
    let problems = sources.into_problems();
    if problems.is_empty() { Ok(text) } else { Err(problems) }
}

/// Addresses of databases and mail servers without their password, and no master key.
fn redacted(path: &str, value: &str) -> String {
    if path == key::SIGN_IN_PROVIDERS.path {
        return providers::redacted(value);
    }
    if path == key::PRIVACY_MASTER_KEY.path && !value.is_empty() {
        return "…".to_owned();
    }
    let may_hold_password = [key::DATABASE_URL.path, key::MAIL_SERVER.path].contains(&path);
    let secret = may_hold_password.then(|| value.split_once("://")).flatten();
    let Some((scheme, rest)) = secret else { return value.to_owned() };
    let Some((who, place)) = rest.rsplit_once('@') else { return value.to_owned() };
    let user = who.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}:…@{place}")
}

#[cfg(test)]
mod tests;
