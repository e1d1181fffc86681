//! `terrane privacy rotate-master-key`.

use store::Store;

use crate::Failure;
use crate::cli::{PlaceArgs, PrivacyCommand};
use crate::node;
use crate::progress::say;

pub(crate) fn run(command: &PrivacyCommand) -> Result<(), Failure> {
    match command {
        PrivacyCommand::RotateMasterKey { place, finish } => rotate(place, *finish),
    }
}

fn rotate(place: &PlaceArgs, finish: bool) -> Result<(), Failure> {
    let config = super::read(super::sources(place))?;
    let source = node::key_source(&config);
    super::with_store_of(&config, Store::open, async |store| {
        store.migrate(&node::migrations()).await?;
        let rotated = privacy::rotate(&store, &source, finish).await?;
        say(format_args!("{} keys are wrapped by the new master key", rotated.keys));
        if rotated.keeps_earlier {
            say("the earlier key stays in the file: start the nodes again, then run this with --finish");
        }
        Ok(())
    })
}
