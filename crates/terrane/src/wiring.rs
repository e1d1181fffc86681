//! Where services meet that must not know each other.

use std::sync::Arc;

use api::SystemClock;
use groups::{Groups, Property};
use identity::{ProfileChanged, SigningKey};
use land::access::{self, Access, AccessDeps, AccessService};
use land::{LandService, LotEvent};
use maps::MapService;
use market::{Acting, MarketService, Terms};
use planet::Planet;
use privacy::{Privacy, Vault};
use store::{Store, Tx};
use tenure::Tenure;
use tokio::sync::broadcast::{self, error::RecvError};
use tracing::warn;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;
use wire::LotChanged;

use crate::background::Background;
use crate::config::Config;
use crate::console::{self, Desk};
use crate::{fences, personal};

/// Tells the zone about new names and colours.
pub(crate) fn profile_changed(zone: Option<zone::Handle>) -> ProfileChanged {
    Arc::new(move |account| {
        if let Some(zone) = &zone {
            zone.rename(account.account_id, account.display_name.clone(), account.color.rgb());
        }
    })
}

/// The routes of all services that stand on their own, connected to each other and to the zone.
pub(crate) fn services(
    store: &Store,
    planet: &Arc<Planet>,
    zone: Option<&zone::Handle>,
    maps: maps::Deps,
    config: &Config,
    desk: &Desk,
    background: &mut Background,
) -> anyhow::Result<(OpenApiRouter, Arc<Privacy>)> {
    let groups = Arc::new(Groups::new(groups::Deps {
        store: store.clone(),
        display_name: Arc::new(identity::display_name),
        new_group: Arc::new(wallet::open_account),
        property_of: Arc::new(property_of),
        clock: Arc::new(SystemClock),
    }));
    let access = Arc::new(AccessService::new(AccessDeps {
        store: store.clone(),
        planet: Arc::clone(planet),
        access: Access::new(Arc::new(fences::memberships)),
        display_name: Arc::new(identity::display_name),
        group_name: Arc::new(groups::display_name),
        wake: background.wake(),
        clock: Arc::new(SystemClock),
    }));
    let land = land_service(store, planet, zone, config, background);
    let maps = maps::routes(Arc::new(MapService::new(maps)));
    let events = events::routes(background.streams());
    let notify = notify::routes(notify::Deps {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        destinations: config.webhook_destinations,
    });
    let wallet = wallet::routes(wallet::Deps {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        authority: Arc::new(groups::may_act),
        wake: background.wake(),
    });
    let market = MarketService::new(market::Deps {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        terms: Arc::new(Terms::of(wallet::Economy::embedded()).expect("a test reads the table")),
        acting: Acting { may_act: Arc::new(groups::may_act), agents: Arc::new(groups::agents) },
        display_name: Arc::new(identity::display_name),
        group_name: Arc::new(groups::display_name),
        lot_level: land.lot_level(),
        radius_m: planet.radius_m(),
        wake: background.wake(),
    });
    let at_work = Arc::clone(&market);
    background.run(|stop| at_work.work(stop));
    let tenure = Arc::new(Tenure::new(tenure::Deps {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        lot_level: land.lot_level(),
        economy: wallet::Economy::embedded(),
        authority: Arc::new(groups::may_act),
        name: Arc::new(name_of),
        agents: Arc::new(groups::agents),
        last_seen: Arc::new(identity::last_seen),
        wake: background.wake(),
    }));
    let at_work = Arc::clone(&tenure);
    background.run(|stop| async move { at_work.work(stop).await });
    let of_persons = personal::Services {
        land: Arc::clone(&land),
        market: Arc::clone(&market),
        tenure: Arc::clone(&tenure),
        identity: Arc::clone(&desk.identity),
        zone: zone.cloned(),
    };
    let privacy = personal::privacy(store, &desk.vault, &of_persons, config, background)?;
    let asked = Arc::clone(&privacy);
    let desk = Desk { data_asked: Arc::new(move || asked.wake()), ..desk.clone() };
    let console = console::routes(
        store,
        &desk,
        (Arc::clone(&land), Arc::clone(&market)),
        (zone.cloned(), planet.radius_m()),
        background.wake(),
    );
    let routes = wallet
        .merge(console)
        .merge(market::routes(market))
        .merge(tenure::routes(tenure))
        .merge(land::routes(land))
        .merge(access::routes(access))
        .merge(groups::routes(groups))
        .merge(maps)
        .merge(events)
        .merge(notify)
        .merge(privacy::routes(Arc::clone(&privacy)));
    Ok((routes, privacy))
}

/// Land, at work and told of by the zone.
fn land_service(
    store: &Store,
    planet: &Arc<Planet>,
    zone: Option<&zone::Handle>,
    config: &Config,
    background: &mut Background,
) -> Arc<LandService> {
    let presence = zone.cloned();
    let land = Arc::new(LandService::new(land::Deps {
        store: store.clone(),
        planet: Arc::clone(planet),
        // Without a zone in this process nobody is anywhere, and nobody can claim.
        presence: Arc::new(move |account_id| presence.as_ref().and_then(|zone| zone.position_of(account_id))),
        account_names: Arc::new(identity::display_names),
        group_names: Arc::new(groups::display_names),
        authority: Arc::new(groups::may_act),
        agents: Arc::new(groups::agents),
        wake: background.wake(),
        public_origin: config.http.public_origins.first().cloned(),
        economy: wallet::Economy::embedded(),
        clock: Arc::new(SystemClock),
    }));
    let gifts = Arc::clone(&land);
    background.run(|stop| async move { gifts.work(stop).await });
    if let Some(zone) = zone {
        tokio::spawn(announce_lots(land.subscribe(), zone.clone(), planet.radius_m()));
    }
    land
}

/// Exports and erasures go into the audit log.
pub(crate) fn privacy_recorder() -> privacy::Recorder {
    Arc::new(|tx, act| {
        let entry = audit::Entry {
            at_us: act.at_us,
            actor: act.actor_id.map_or(audit::Actor::System, audit::Actor::account),
            action: act.action,
            subject_kind: "account",
            subject_id: act.account_id.to_string(),
            reason: None,
            details: act.details.clone(),
        };
        audit::record(tx, &entry).map(drop)
    })
}

/// The hand that signs the audit log: the planet's key.
pub(crate) fn audit_signer(planet_id: Uuid, key: &SigningKey) -> audit::Signer {
    let key = key.clone();
    let public_key = *key.public_bytes();
    audit::Signer { log_id: planet_id, public_key, sign: Arc::new(move |message| key.sign(message)) }
}

/// The routes of the audit log; words of reasons are opened with the keys of those they are about.
pub(crate) fn audit_log(store: &Store, vault: &Vault) -> OpenApiRouter {
    let vault = vault.clone();
    let open: audit::Open =
        Arc::new(move |tx, account_id, sealed| vault.open(tx, account_id, audit::REASON_FIELD, sealed));
    audit::routes(audit::Deps { store: store.clone(), open })
}

/// What somebody is called, account or group.
fn name_of(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<String>, store::Error> {
    match identity::display_name(tx, id)? {
        Some(name) => Ok(Some(name)),
        None => groups::display_name(tx, id),
    }
}

/// What a group owns, that nobody would be left to decide about.
pub(crate) fn property_of(tx: &mut Tx<'_>, group_id: Uuid) -> Result<Option<Property>, store::Error> {
    if access::owns_land(tx, group_id)? {
        return Ok(Some(Property::Land));
    }
    let has_money = wallet::money(tx, group_id)?.iter().any(|it| it.amount.minor() != 0);
    Ok(has_money.then_some(Property::Money))
}

/// Shows every change of a lot to those who can see it.
async fn announce_lots(mut events: broadcast::Receiver<LotEvent>, zone: zone::Handle, radius_m: f64) {
    loop {
        match events.recv().await {
            Ok(event) => {
                let at = event.lot.center() * radius_m;
                zone.announce_lot(lot_changed(event), at);
            }
            // The lots themselves are in the database; a client that asks sees them.
            Err(RecvError::Lagged(count)) => warn!(count, "changes of lots were not announced"),
            Err(RecvError::Closed) => return,
        }
    }
}

fn lot_changed(event: LotEvent) -> LotChanged {
    LotChanged {
        lot_token: event.lot.token(),
        owner_account_id: event.owner_id.map(|it| it.to_string()).unwrap_or_default(),
        owner_name: event.owner_name,
        lot_name: event.name.unwrap_or_default(),
    }
}
