//! `terrane db migrate|status`.

use store::Store;

use crate::Failure;
use crate::cli::DbCommand;
use crate::node;
use crate::progress::say;

pub(crate) fn run(command: &DbCommand) -> Result<(), Failure> {
    match command {
        DbCommand::Migrate(place) => super::with_store(place, Store::open, async |store| {
            let applied = store.migrate(&node::migrations()).await?;
            say(match applied.len() {
                0 => "the schema is up to date".to_owned(),
                count => format!("{count} migrations applied"),
            });
            Ok(())
        }),
        DbCommand::Status(place) => super::with_store(place, Store::open, async |store| {
            let applied = store.applied_migrations().await?;
            for migration in node::migrations() {
                let state = if applied.contains(&migration.number) { "applied" } else { "waiting" };
                say(format_args!("{:04} {:<12} {state}", migration.number, migration.name));
            }
            Ok(())
        }),
    }
}
