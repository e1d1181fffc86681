//! `terrane planet import`.

use crate::Failure;
use crate::cli::ImportArgs;

pub(super) fn run(_arguments: &ImportArgs) -> Result<(), Failure> {
    Err(anyhow::anyhow!("no heights can be read yet").into())
}
