//! The planet server: one binary, all roles.
//!
//! It reads the command line and the configuration, opens what the roles need and connects them. Rules live in the
//! crates it connects.
//!
//! Read first: `cli.rs`, `node.rs`, `config/settings.rs`.

mod background;
mod cli;
mod commands;
mod config;
mod console;
mod fences;
mod making;
mod memory;
mod node;
mod open_files;
mod personal;
mod planet_file;
mod planet_record;
mod preparation;
mod progress;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};
use config::Problem;

/// A hundred thousand frames a second are made in one thread and freed in another, which musl's own allocator (in the
/// binaries we ship) serves one at a time, and glibc's with much waste.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Why a command did not do what it was asked.
enum Failure {
    /// It was asked wrongly: status 2.
    Misused(Vec<Problem>),
    /// It could not: status 1.
    Failed(anyhow::Error),
    /// It did, and what it found is bad: status 1. It has said so itself.
    Found,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn main() -> ExitCode {
    // A misused command line ends here, with status 2.
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Misused(problems)) => {
            for problem in problems {
                eprintln!("terrane: {problem}");
            }
            ExitCode::from(2)
        }
        Err(Failure::Failed(error)) => {
            eprintln!("terrane: {error:#}");
            ExitCode::FAILURE
        }
        Err(Failure::Found) => ExitCode::FAILURE,
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Serve(arguments) => commands::serve::run(&arguments),
        Command::Config { command } => commands::config::run(&command),
        Command::Db { command } => commands::db::run(&command),
        Command::Ledger { command } => commands::ledger::run(&command),
        Command::Account { command } => commands::account::run(&command),
        Command::Audit { command } => commands::audit::run(&command),
        Command::Privacy { command } => commands::privacy::run(&command),
        Command::Planet { command } => commands::planet::run(&command),
        Command::Zone { command } => commands::zone::run(&command),
        Command::Bots(arguments) => commands::bots::run(arguments),
    }
}
