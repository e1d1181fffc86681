//! `terrane bots`.
use crate::{Failure, cli::BotsArgs};
pub(crate) fn run(_: &BotsArgs) -> Result<(), Failure> {
    Err(Failure::Found)
}
