//! Everybody who keeps something about persons, in the order in which it is ended and erased.

use std::sync::Arc;

use anyhow::Context as _;
use api::SystemClock;
use blobs::Blobs;
use identity::Identity;
use land::LandService;
use market::MarketService;
use privacy::{ErasureList, OwnersOf, PersonalData, Privacy, Times, Vault};
use store::Store;
use tenure::Tenure;

use crate::background::Background;
use crate::config::Config;
use crate::wiring;

/// Where archives are within the data folder.
const EXPORTS_FOLDER: &str = "exports";

/// Bytes of all archives of a node.
const EXPORTS_BYTES_MAX: u64 = 8 << 30;

/// Where the list of who was forgotten is within the data folder.
const ERASURE_LIST_FILE: &str = "erasures.ndjson";

/// Services that have something to end when somebody is forgotten.
pub(crate) struct Services {
    pub(crate) land: Arc<LandService>,
    pub(crate) market: Arc<MarketService>,
    pub(crate) tenure: Arc<Tenure>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) zone: Option<zone::Handle>,
}

/// The list of who was forgotten, of this configuration.
pub(crate) fn erasure_list(config: &Config) -> ErasureList {
    ErasureList::at(config.node.data.join(ERASURE_LIST_FILE))
}

/// Exports and erasures over all services.
pub(crate) fn privacy(
    store: &Store,
    vault: &Vault,
    services: &Services,
    config: &Config,
    background: &mut Background,
) -> anyhow::Result<Arc<Privacy>> {
    let folder = config.node.data.join(EXPORTS_FOLDER);
    let files = Blobs::open(&folder, EXPORTS_BYTES_MAX).context("the folder of exports")?;
    let privacy = Arc::new(Privacy::new(privacy::Deps {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        vault: vault.clone(),
        files: Arc::new(files),
        people: people(vault, services),
        times: Times::of_days(config.privacy.cooling_off_days, config.privacy.export_days),
        list: erasure_list(config),
        record: wiring::privacy_recorder(),
        locked_out: locked_out(services),
        wake: background.wake(),
        planet: config.planet.name.clone(),
    }));
    Ok(privacy)
}

/// What sells and lets comes before land, land before money, money before groups; what only remembers comes last.
fn people(vault: &Vault, services: &Services) -> Vec<Arc<dyn PersonalData>> {
    let owners: OwnersOf = Arc::new(groups::owners_through);
    let Services { land, market, tenure, .. } = services;
    vec![
        Arc::new(identity::Personal::new(vault.clone())),
        Arc::new(oidc::Personal),
        Arc::new(market::Personal::new(Arc::clone(market), Arc::clone(&owners))),
        Arc::new(tenure::Personal::new(Arc::clone(tenure), Arc::clone(&owners))),
        Arc::new(land::Personal::new(Arc::clone(land), Arc::clone(&owners))),
        Arc::new(wallet::Personal::new(owners)),
        Arc::new(groups::Personal::new(Arc::new(wiring::property_of))),
        Arc::new(zone::Personal),
        Arc::new(privacy::Told),
        Arc::new(notify::Personal),
        Arc::new(staff::Personal::new(vault.clone())),
        Arc::new(audit::Personal::new(vault.clone())),
        Arc::new(privacy::Own),
    ]
}

/// Whoever is in the world as this person goes, and their name with them.
fn locked_out(services: &Services) -> privacy::LockedOut {
    let (identity, zone) = (Arc::clone(&services.identity), services.zone.clone());
    Arc::new(move |account_id| {
        identity.standing_changed(account_id);
        if let Some(zone) = &zone {
            zone.rename(account_id, identity::erased_name(account_id), identity::ERASED_COLOR);
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use store::params;
    use store::testing::TestDatabase;

    use crate::node;

    /// Columns that say that a row is about somebody.
    const ABOUT_SOMEBODY: [&str; 14] = [
        "account_id",
        "owner_id",
        "seller_id",
        "buyer_id",
        "bidder_id",
        "tenant_id",
        "landlord_id",
        "from_id",
        "to_id",
        "subject_id",
        "actor_account_id",
        "ledger_account_id",
        "display_name",
        "address",
    ];

    /// The rows of the data map by table: what it holds of a person, the file in the archive, what erasing does.
    fn data_map() -> BTreeMap<String, Vec<String>> {
        let document = include_str!("../../../docs/privacy.md");
        let (_, map) = document.split_once("## Data map").expect("the document has a data map");
        let rows = map.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
        rows.map(|(table, rest)| {
            let cells = rest.trim_end_matches('|').split(" | ").map(|it| it.trim().to_owned());
            (table.to_owned(), cells.collect())
        })
        .collect()
    }

    #[tokio::test]
    async fn every_table_is_in_the_data_map_and_what_is_about_somebody_is_said_to_be() {
        let map = data_map();
        let database = TestDatabase::sqlite();
        let store = database.open(&node::migrations()).await;
        let columns: Vec<(String, String)> = store
            .read(|tx| {
                let sql = "select t.name, c.name from sqlite_schema t join pragma_table_info(t.name) c \
                           where t.type = 'table' and t.name not like 'sqlite_%' order by t.name";
                tx.query(sql, params![])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
            })
            .await
            .unwrap_or_else(|error: store::Error| panic!("{error}"));
        store.close().await;
        let mut unknown: Vec<&str> =
            columns.iter().map(|(table, _)| table.as_str()).filter(|it| !map.contains_key(*it)).collect();
        unknown.dedup();
        assert_eq!(unknown, Vec::<&str>::new(), "tables that are not in the data map of docs/privacy.md");
        for table in map.keys() {
            assert!(
                columns.iter().any(|(name, _)| name == table),
                "the data map names {table}, which is not there"
            );
        }
        for (table, column) in &columns {
            let cells = &map[table];
            assert_eq!(cells.len(), 3, "{table}: {cells:?}");
            if ABOUT_SOMEBODY.contains(&column.as_str()) {
                assert_ne!(cells[0], "nothing", "{table}.{column} is about somebody");
                assert_ne!(cells[1], "–", "{table}: in the archive, or left out for a reason");
            }
        }
    }
}
