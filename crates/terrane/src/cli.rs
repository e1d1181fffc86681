//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use bots::Scenario;
use clap::{Args, Parser, Subcommand};

use crate::config::Role;

const EXAMPLES: &str = "\
Examples:
  terrane serve                                a whole planet on http://127.0.0.1:7380, kept in ./data
  terrane serve --data other --seed 42         another planet
  terrane config template > terrane.toml       every setting with its meaning
  terrane bots --url http://127.0.0.1:7380 --count 50 --seconds 30

Exit status: 0 done, 1 failed, 2 misused.";

/// A persistent planet that anyone can host and anyone can open in a browser.
#[derive(Parser)]
#[command(name = "terrane", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the server.
    Serve(ServeArgs),
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Look after the database.
    Db {
        #[command(subcommand)]
        command: DbCommand,
    },
    /// Look after the accounts of people.
    Account {
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Check the books.
    Ledger {
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// Check the log of who did what, and take proofs from it.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Look after the keys of personal data, and after what was forgotten.
    Privacy {
        #[command(subcommand)]
        command: PrivacyCommand,
    },
    /// Make planets, measure them, take them to other tools and back.
    Planet {
        #[command(subcommand)]
        command: PlanetCommand,
    },
    /// Look at what the zones kept of what happened in them.
    Zone {
        #[command(subcommand)]
        command: ZoneCommand,
    },
    /// Send headless clients to a running server and report what they saw.
    Bots(BotsArgs),
}

/// Settings by flag: they win over environment and file.
#[derive(Args, Default)]
#[command(after_help = "\
Examples:
  terrane serve
  terrane serve --data /var/lib/terrane --config /etc/terrane.toml
  TERRANE_HTTP_LISTEN=127.0.0.1:0 terrane serve        any free port; the one taken is printed

Every setting can also stand in the file or the environment: see `terrane config template`.")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Address for browsers and API [default: 127.0.0.1:7380]; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Address for Prometheus, or `off` [default: 127.0.0.1:7381]
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics_listen: Option<String>,
    /// What this process does; repeat for several, all when not named
    #[arg(long = "role", value_name = "ROLE", value_enum)]
    pub(crate) roles: Vec<Role>,
    /// Seed of a new planet [default: 1]; a planet keeps the seed it was made with
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// How fine a new planet is made as a whole, 6 to 10 [default: 10]; kept like the seed
    #[arg(long, value_name = "LEVEL")]
    pub(crate) raster_level: Option<u8>,
    /// Name of the planet [default: Terrane]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// Where configuration and data are.
#[derive(Args, Default, Clone)]
pub(crate) struct PlaceArgs {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", env = "TERRANE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Folder that holds everything of this planet [default: data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Report every problem at once; status 2 if there is one.
    Check(PlaceArgs),
    /// Print the settings in force and where each comes from.
    Print(PlaceArgs),
    /// Print a commented file with every setting at its default.
    Template,
}

#[derive(Subcommand)]
pub(crate) enum DbCommand {
    /// Bring the schema up to date; `serve` does this by itself.
    Migrate(PlaceArgs),
    /// Say which migrations are applied and which wait.
    Status(PlaceArgs),
}

#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// Give a role: player, moderator, developer or admin. The first admin is made so; the others by the console.
    #[command(after_help = "\
Examples:
  terrane account role 'Quiet Heron' admin --reason 'the first admin'
  terrane account role 0199d0a5-7f9c-7c3e-9a51-0f6f7ad0c1de player --reason 'left the team'

With the embedded database the server must be stopped meanwhile.")]
    Role {
        /// The account's id, or its name if nobody else has it
        #[arg(value_name = "NAME_OR_ID")]
        who: String,
        /// What it shall be
        #[arg(value_name = "ROLE", value_parser = parse_role)]
        role: api::Role,
        /// Why; stands in the audit log
        #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
        reason: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Bring people from another system: their addresses, hashes of passwords, names.
    #[command(after_help = "\
Examples:
  terrane account import people.csv          with a header line: email,password_hash,display_name
  terrane account import people.ndjson       one object with these members on each line

Hashes are bcrypt ($2a$, $2b$, $2y$, cost 10 to 13) or Argon2id in PHC form. Addresses count as confirmed: leave out
those that the other system has not confirmed. Nothing is brought if a line cannot be read; whoever has an account is
left alone, so that a run may be repeated.")]
    Import {
        /// .csv, or .ndjson or .jsonl
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// One JSON object instead of a sentence
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: PlaceArgs,
    },
}

fn parse_role(text: &str) -> Result<api::Role, String> {
    let names = api::Role::ALL.map(api::Role::name).join(", ");
    api::Role::parse(text).ok_or_else(|| format!("there are the roles {names}"))
}

/// Longest reason of a decision of staff, in characters.
const REASON_CHARS_MAX: usize = 500;

fn parse_reason(text: &str) -> Result<String, String> {
    let is_fit = (1..=REASON_CHARS_MAX).contains(&text.trim().chars().count());
    if is_fit {
        Ok(text.trim().to_owned())
    } else {
        Err(format!("must have 1 to {REASON_CHARS_MAX} characters"))
    }
}

#[derive(Subcommand)]
pub(crate) enum LedgerCommand {
    /// Add up every posting: each balances, no account is short, nothing was made or lost.
    Verify {
        #[command(flatten)]
        place: PlaceArgs,
        /// One JSON object instead of sentences
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum ZoneCommand {
    /// Make again what happened, from snapshots and the log of inputs, and compare the hashes; status 1 if one differs.
    #[command(after_help = "\
Examples:
  terrane zone replay                                          all that ./data keeps
  terrane zone replay --data /var/lib/terrane --json
  terrane zone replay --from 54000 --to 57600 --body 17        where a body was in each of these ticks

The server may run meanwhile: what it is just writing is left out. The planet is read from the data folder.")]
    Replay(ReplayArgs),
}

/// What to make again.
#[derive(Args)]
pub(crate) struct ReplayArgs {
    /// Files or folders of journals [default: zones in the data folder]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Leave out stretches that ended before this tick
    #[arg(long, value_name = "TICK")]
    pub(crate) from: Option<u64>,
    /// End after this tick
    #[arg(long, value_name = "TICK")]
    pub(crate) to: Option<u64>,
    /// Print where this body was after each tick, how fast, and how much spoke against its player
    #[arg(long, value_name = "NUMBER")]
    pub(crate) body: Option<u32>,
    /// One JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Check every entry, the tree over them and every checkpoint; status 1 if anything was changed.
    #[command(after_help = "\
Examples:
  terrane audit verify
  terrane audit verify --data /var/lib/terrane --json
  terrane audit verify --heads /mnt/elsewhere/checkpoints.jsonl

The database can be checked while the server runs. Copy audit/checkpoints.jsonl of the data folder now and
then to a place that whoever holds the database cannot write: --heads compares the log with the copy, which
shows a past that was changed even if the whole log was made anew.")]
    Verify {
        #[command(flatten)]
        place: PlaceArgs,
        /// Checkpoints that were kept elsewhere; repeat for several. Those of the data folder are always compared
        #[arg(long, value_name = "FILE")]
        heads: Vec<PathBuf>,
        /// One JSON object instead of sentences
        #[arg(long)]
        json: bool,
    },
    /// Print what shows, as one JSON object, that entry N is in the log.
    #[command(after_help = "\
Examples:
  terrane audit proof 42
  terrane audit proof 42 --tree-size 1000 --from-size 64

Anybody who has a checkpoint can check it with RFC 9162: the leaf is SHA-256 over a zero byte and leaf_data,
its index is N - 1, and the path leads to root, which the checkpoint has signed. With --from-size it also
shows that the tree begins with the one of that size, so that nothing before was changed.")]
    Proof {
        #[command(flatten)]
        place: PlaceArgs,
        /// The entry's place in the log, from 1
        #[arg(value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
        sequence: i64,
        /// The size of the tree [default: that of the newest checkpoint with the entry, or all]
        #[arg(long, value_name = "SIZE", value_parser = clap::value_parser!(i64).range(1..))]
        tree_size: Option<i64>,
        /// The size of an older tree that this one begins with
        #[arg(long, value_name = "SIZE", value_parser = clap::value_parser!(i64).range(1..))]
        from_size: Option<i64>,
    },
}

#[derive(Subcommand)]
pub(crate) enum PrivacyCommand {
    /// Make a new master key and wrap the key of every person by it; what they keep stays as it is.
    #[command(after_help = "\
With the embedded database, stop the server first. On PostgreSQL the nodes may run: start them again
afterwards, then run this once more with --finish, which removes the earlier key from the file.
A key given by privacy.master_key is changed by setting it to the new key, a comma and the old key.")]
    RotateMasterKey {
        #[command(flatten)]
        place: PlaceArgs,
        /// Make no new key: finish with the one made before
        #[arg(long)]
        finish: bool,
    },
    /// After an older copy of the database was restored: plan again the erasures that it does not know of.
    #[command(after_help = "\
The server compares the list of its data folder (erasures.ndjson) with the database at each start, and erases
again before it lets anybody in. Where the whole data folder was restored, the newest copy of that list is given
here with --list; its entries are added to the list of the data folder.")]
    Reapply {
        #[command(flatten)]
        place: PlaceArgs,
        /// A newer copy of the list [default: erasures.ndjson in the data folder]
        #[arg(long, value_name = "FILE")]
        list: Option<PathBuf>,
    },
}

/// Which planet.
#[derive(Args, Clone, Copy)]
pub(crate) struct SpecArgs {
    /// Seed of the planet
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Radius is Earth's / 2^SHIFT
    #[arg(long, value_name = "SHIFT", default_value_t = 3,
          value_parser = clap::value_parser!(u8).range(0..=i64::from(planet::SHIFT_MAX)))]
    pub(crate) shift: u8,
    #[command(flatten)]
    pub(crate) fineness: FinenessArgs,
}

#[derive(Args, Clone, Copy)]
pub(crate) struct FinenessArgs {
    /// How fine it is made as a whole: 10 takes seconds, 6 a tenth of one
    #[arg(long, value_name = "LEVEL", default_value_t = planet::RASTER_LEVEL_MAX,
          value_parser = clap::value_parser!(u8)
              .range(i64::from(planet::RASTER_LEVEL_MIN)..=i64::from(planet::RASTER_LEVEL_MAX)))]
    pub(crate) raster_level: u8,
}

/// A planet to look at: from its file if there is one, else made.
#[derive(Args)]
pub(crate) struct WhichArgs {
    /// An artifact that `generate` or `serve` has written; without it the planet is made
    #[arg(value_name = "FILE", conflicts_with_all = ["seed", "shift", "raster_level"])]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) spec: SpecArgs,
}

#[derive(Subcommand)]
pub(crate) enum PlanetCommand {
    /// Make a planet; the same seed makes the same planet everywhere.
    #[command(after_help = "\
Examples:
  terrane planet generate --seed 42 --out planet.trp
  terrane planet generate --seed 42 --raster-level 8 --json    make it, say how long that took, keep nothing")]
    Generate {
        #[command(flatten)]
        spec: SpecArgs,
        /// Write the artifact here
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// One JSON object instead of sentences
        #[arg(long)]
        json: bool,
    },
    /// Print the planet hash, which is equal wherever the same planet is made.
    #[command(after_help = "\
Examples:
  terrane planet hash --seed 42
  terrane planet hash data/blobs/planet.trp    verify every tile of a file")]
    Hash {
        #[command(flatten)]
        which: WhichArgs,
        /// One JSON object instead of the hash alone
        #[arg(long)]
        json: bool,
    },
    /// Measure how much planets are like Earth; status 1 if one is not.
    #[command(after_help = "\
Examples:
  terrane planet stats --seed 42 --raster-level 10
  terrane planet stats --seeds 1..=32 --json
  terrane planet stats data/blobs/planet.trp")]
    Stats {
        /// An artifact that `generate` or `serve` has written; without it planets are made
        #[arg(value_name = "FILE", conflicts_with_all = ["seeds", "raster_level"])]
        file: Option<PathBuf>,
        /// One seed, or several as FIRST..=LAST
        #[arg(long, visible_alias = "seed", value_name = "N", default_value = "1", value_parser = parse_seeds)]
        seeds: Seeds,
        /// How fine they are made: 8 is the coarsest that the bands are meant for
        #[arg(long, value_name = "LEVEL", default_value_t = planet::stats::GATE_LEVEL_MIN,
              value_parser = clap::value_parser!(u8)
                  .range(i64::from(planet::RASTER_LEVEL_MIN)..=i64::from(planet::RASTER_LEVEL_MAX)))]
        raster_level: u8,
        /// JSON instead of tables: value, band and pass of each measure
        #[arg(long)]
        json: bool,
    },
    /// Write heights or biomes of the whole planet as a raster that GDAL opens.
    #[command(after_help = "\
Examples:
  terrane planet export elevation planet.tif --seed 42
  terrane planet export biomes biomes.png --width 2048 --artifact data/blobs/planet.trp

The ending of OUT decides the format: .tif or .png. Heights are those of a planet of Earth's size, 16 bits, in metres;
in a PNG 32768 is added, and a .pgw with its place stands beside it.")]
    Export(ExportArgs),
    /// Make a planet from heights in a file, for `serve` to use.
    #[command(after_help = "\
Examples:
  terrane planet import earth.tif
  terrane planet import earth.png --data /var/lib/earth --seed 7

FILE is an equirectangular raster of the whole planet, GeoTIFF or PNG, 16 bits a pixel: metres over the sea (in a PNG
with 32768 added). The seed decides what the heights leave open.")]
    Import(ImportArgs),
    /// Print where newcomers arrive.
    #[command(after_help = "\
Example:
  terrane planet arrival --seed 42 --json")]
    Arrival {
        #[command(flatten)]
        which: WhichArgs,
        /// One JSON object instead of a sentence
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub(crate) struct ExportArgs {
    /// What of the planet
    #[arg(value_name = "WHAT", value_enum)]
    pub(crate) what: Exported,
    /// The file to write, .tif or .png
    #[arg(value_name = "OUT")]
    pub(crate) out: PathBuf,
    /// An artifact that `generate` or `serve` has written; without it the planet is made
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "shift", "raster_level"])]
    pub(crate) artifact: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) spec: SpecArgs,
    /// Pixels from west to east, even; half as many from north to south
    #[arg(long, value_name = "PIXELS", default_value_t = 4_096)]
    pub(crate) width: u32,
}

/// What can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Exported {
    /// Height of the ground, sea floor included.
    Elevation,
    /// Numbers of biomes; a .csv with their names stands beside the file.
    Biomes,
}

#[derive(Args)]
pub(crate) struct ImportArgs {
    /// The raster of heights
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Decides what the heights leave open [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Radius is Earth's / 2^SHIFT [default: 3]
    #[arg(long, value_name = "SHIFT")]
    pub(crate) shift: Option<u8>,
    /// How fine it is made as a whole, 6 to 10 [default: 10]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) raster_level: Option<u8>,
    /// One JSON object instead of sentences
    #[arg(long)]
    pub(crate) json: bool,
}

/// Seeds in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seeds(pub(crate) std::ops::RangeInclusive<u64>);

/// More seeds than anybody waits for.
const SEEDS_MAX: u64 = 10_000;

fn parse_seeds(text: &str) -> Result<Seeds, String> {
    let (first, last) = text.split_once("..=").unwrap_or((text, text));
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last && last - first < SEEDS_MAX => Ok(Seeds(first..=last)),
        _ => Err(format!("must be one seed or up to {SEEDS_MAX} in a row, like 1..=32")),
    }
}

#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  terrane bots --count 50 --seconds 30
  terrane bots crowd --count 5000 --seed 7 --metrics http://127.0.0.1:7381/metrics --server-pid 4711
  terrane bots churn --count 300 --seconds 1800 --out churn.json
  terrane bots report one.json two.json         what several processes saw, added up

Status 1 if anybody could not come in or was dropped."
)]
pub(crate) struct BotsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<BotsCommand>,
    #[arg(value_name = "SCENARIO", value_parser = parse_scenario, default_value = "stroll",
          help = "What they do: stroll, crowd, cities, travel, border, market, churn or idle")]
    pub(crate) scenario: Scenario,
    /// Where the server is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7380")]
    pub(crate) url: String,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) count: usize,
    /// For how long, once all are in
    #[arg(long, value_name = "S", default_value_t = 30)]
    pub(crate) seconds: u64,
    /// Decides who they are and what they do; another one each time if not given
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// How many decode and predict everything [default: all of 200, 20 of more]
    #[arg(long, value_name = "N")]
    pub(crate) watchers: Option<usize>,
    /// Messages with inputs that each of the others sends a second
    #[arg(long, value_name = "HZ", default_value_t = 6.0)]
    pub(crate) input_hz: f64,
    /// Threads that carry the others
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) threads: usize,
    /// How many log in at the same time
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub(crate) logins: usize,
    /// Radius of the crowd or of a town in metres [default: 4 m² for each in a crowd, 80 m for a town]
    #[arg(long, value_name = "M")]
    pub(crate) radius: Option<f64>,
    /// The server's metrics, for its cost
    #[arg(long, value_name = "URL")]
    pub(crate) metrics: Option<String>,
    /// The server's process on this machine, for its CPU time and memory
    #[arg(long, value_name = "PID")]
    pub(crate) server_pid: Option<u32>,
    /// Also write the report to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// One JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum BotsCommand {
    /// Add up what several processes saw.
    Report {
        /// Reports written with --out or --json
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// One JSON object instead of a table
        #[arg(long)]
        json: bool,
    },
}

fn parse_scenario(name: &str) -> Result<Scenario, String> {
    let names = || Scenario::ALL.map(|(name, _)| name).join(", ");
    Scenario::try_from_name(name).ok_or_else(|| format!("must be one of {}", names()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn seeds_are_one_or_a_row() {
        assert_eq!(parse_seeds("7"), Ok(Seeds(7..=7)));
        assert_eq!(parse_seeds("1..=32"), Ok(Seeds(1..=32)));
        assert_eq!(parse_seeds("18446744073709551615"), Ok(Seeds(u64::MAX..=u64::MAX)));
        for text in ["", "-1", "1..32", "2..=1", "0..=10000", "1..=", "a"] {
            assert!(parse_seeds(text).is_err(), "{text}");
        }
    }
}
