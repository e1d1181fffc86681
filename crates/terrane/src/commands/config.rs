//! `terrane config check|print|template`.

use crate::Failure;
use crate::cli::ConfigCommand;
use crate::config;
use crate::progress::say;

pub(crate) fn run(command: &ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Check(place) => {
            let sources = super::sources(place);
            for variable in sources.unknown_variables() {
                eprintln!("terrane: the environment variable {variable} is no setting");
            }
            super::read(sources)?;
            say("the configuration is fine");
        }
        ConfigCommand::Print(place) => {
            let text = config::print(super::sources(place)).map_err(Failure::Misused)?;
            say(text.trim());
        }
        ConfigCommand::Template => say(config::template().trim_end()),
    }
    Ok(())
}
