//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Role;

const EXAMPLES: &str = "\
Examples:
  terrane serve                                a whole planet on http://127.0.0.1:7380, kept in ./data
  terrane serve --listen 0.0.0.0:80 --seed 42  another planet, open to the network
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
    /// Check the books.
    Ledger {
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// Ask the generator about a planet; needs no data folder.
    Planet {
        #[command(subcommand)]
        command: PlanetCommand,
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

#[derive(Args)]
pub(crate) struct SpecArgs {
    /// Seed of the planet
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Radius is Earth's / 2^SHIFT
    #[arg(long, value_name = "SHIFT", default_value_t = 3,
          value_parser = clap::value_parser!(u8).range(0..=i64::from(planet::SHIFT_MAX)))]
    pub(crate) shift: u8,
}

#[derive(Subcommand)]
pub(crate) enum PlanetCommand {
    /// Print the hash that is equal wherever the same planet is generated.
    Hash(SpecArgs),
    /// Print where newcomers arrive.
    Arrival(SpecArgs),
}

#[derive(Args)]
#[command(after_help = "\
Example:
  terrane bots --url http://127.0.0.1:7380 --count 200 --seconds 60 --json

Status 1 if any bot was dropped.")]
pub(crate) struct BotsArgs {
    /// Where the server is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7380")]
    pub(crate) url: String,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) count: usize,
    /// For how long
    #[arg(long, value_name = "S", default_value_t = 30)]
    pub(crate) seconds: u64,
    /// Decides who they are and what they do; another one each time if not given
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// One JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}
