//! `terrane privacy rotate-master-key|reapply`.

use std::path::Path;

use anyhow::anyhow;
use api::{Clock as _, SystemClock};
use privacy::ErasureList;
use store::Store;

use crate::Failure;
use crate::cli::{PlaceArgs, PrivacyCommand};
use crate::progress::say;
use crate::{node, personal};

pub(crate) fn run(command: &PrivacyCommand) -> Result<(), Failure> {
    match command {
        PrivacyCommand::RotateMasterKey { place, finish } => rotate(place, *finish),
        PrivacyCommand::Reapply { place, list } => reapply(place, list.as_deref()),
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

fn reapply(place: &PlaceArgs, list: Option<&Path>) -> Result<(), Failure> {
    let config = super::read(super::sources(place))?;
    let own = personal::erasure_list(&config);
    let list = list.map_or_else(|| own.clone(), |it| ErasureList::at(it.to_owned()));
    if !list.path().exists() {
        return Err(anyhow!("there is no list of erasures at {}", list.path().display()).into());
    }
    super::with_store_of(&config, Store::open, async |store| {
        store.migrate(&node::migrations()).await?;
        let found = privacy::reapply_list(&store, &list, &own, SystemClock.now_us()).await?;
        say(match found {
            0 => "the database knows of every erasure of the list".to_owned(),
            count => format!("{count} accounts are erased again by the server that starts next"),
        });
        Ok(())
    })
}
