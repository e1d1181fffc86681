//! Land that is closed: nobody walks in, until its owner says so, and while they say so.

use std::time::Duration;

use api::{Clock as _, SystemClock};
use bots::{Client, ConnectOptions, DeviceKey, Event, Login, Site};
use cell::CellId;
use glam::DVec3;
use motion::Buttons;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::claims::free_lots;
use crate::support::{Account, DEADLINE, Server, run};

const STEP: Duration = Duration::from_nanos(1_000_000_000 / 30);

/// A bot that walks and minds what it is told.
struct Walker {
    client: Client,
    login: Login,
    /// How often the server saw something else than was predicted, by more than a hand.
    corrections: usize,
}

impl Walker {
    async fn enter(site: &Site) -> Self {
        let login = site.log_in(&DeviceKey::random(), None).await.unwrap();
        let client = Client::connect(site, &login, ConnectOptions::default()).await.unwrap();
        Self { client, login, corrections: 0 }
    }

    fn lot(&self, level: u8) -> CellId {
        CellId::from_point(self.client.body().position).parent(level)
    }

    /// Takes a step every thirtieth of a second until `is_done` or the time is over; whether it was done.
    async fn walk(
        &mut self,
        seconds: u64,
        look: impl Fn(DVec3) -> Option<DVec3>,
        mut is_done: impl FnMut(&Client) -> bool,
    ) -> bool {
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut next = Instant::now();
        while Instant::now() < end {
            if is_done(&self.client) {
                return true;
            }
            let buttons = Buttons::FORWARD.with(Buttons::RUN);
            match look(self.client.body().up()) {
                Some(look) => self.client.step(buttons, look),
                None => self.client.step(Buttons::default(), DVec3::X),
            }
            self.client.send_inputs().await.unwrap();
            next += STEP;
            while let Ok(event) = timeout_at(next, self.client.next()).await {
                if let Event::Frame { correction_m, .. } = event.unwrap() {
                    self.corrections += usize::from(correction_m > 0.2);
                }
            }
            sleep_until(next).await;
        }
        is_done(&self.client)
    }

    async fn walk_towards(
        &mut self,
        lot: CellId,
        seconds: u64,
        is_done: impl FnMut(&Client) -> bool,
    ) -> bool {
        self.walk(seconds, |up| Some(lot.center() - up), is_done).await
    }

    /// Stands until the server has told that the lot is closed, or open.
    async fn until_closed(&mut self, lot: CellId, is_closed: bool) {
        let has_heard = |client: &Client| client.closed().parcel_at(lot.center()).is_some() == is_closed;
        assert!(self.walk(DEADLINE.as_secs(), |_| None, has_heard).await, "closed: {is_closed}");
    }
}

fn is_in(lot: CellId) -> impl Fn(&Client) -> bool {
    move |client| lot.contains(CellId::from_point(client.body().position))
}

/// Walked into, from the middle of one lot to the middle of the next: twice that and a reserve.
const CROSSING_S: u64 = 14;

#[test]
fn a_fence_holds_walkers_until_its_owner_lets_them_in() {
    let server = Server::start();
    run(async {
        let owner = Account::new(&server).await;
        let _present = owner.enter(&server).await;
        let lot = CellId::parse_token(&free_lots(&owner, 2).await[1]).unwrap();
        let token = lot.token();
        owner.claim(&token, "garden").await.unwrap();
        put(&server, &owner, &format!("lands/{token}/fence"), json!({"rule": "list"})).await;

        let site = Site::open(server.url()).await.unwrap();
        let mut walker = Walker::enter(&site).await;
        walker.until_closed(lot, true).await;
        assert!(!walker.walk_towards(lot, CROSSING_S, is_in(lot)).await, "walked in");
        let off_m = (walker.client.body().up() - lot.center()).length() * site.planet().radius_m();
        assert!(off_m < 60.0, "stopped {off_m} m from the middle: not at the fence");

        // Let in by name, for some seconds.
        let until = time_after(Duration::from_secs(CROSSING_S + 6));
        let path = format!("lands/{token}/permissions/{}", walker.login.account_id);
        put(&server, &owner, &path, json!({"role": "guest", "expires_at": until})).await;
        walker.until_closed(lot, false).await;
        assert!(walker.walk_towards(lot, CROSSING_S, is_in(lot)).await, "still held");

        // When the time is over one is not thrown out; but once outside one stays there.
        walker.until_closed(lot, true).await;
        assert_eq!(walker.lot(lot.level()), lot, "thrown out");
        let before = CellId::from_point(site.planet().arrival().ground).parent(lot.level());
        assert!(walker.walk_towards(before, CROSSING_S, |client| !is_in(lot)(client)).await, "cannot leave");
        assert!(!walker.walk_towards(lot, 3, is_in(lot)).await, "walked in again");

        // Opened for all.
        put(&server, &owner, &format!("lands/{token}/fence"), json!({"rule": "everyone"})).await;
        walker.until_closed(lot, false).await;
        assert!(walker.walk_towards(lot, CROSSING_S, is_in(lot)).await, "still held");
        // A machine that is busy with other tests sends inputs late; what is asked here is not smoothness.
        assert!(walker.corrections < 20, "{} corrections", walker.corrections);
    });
}

/// `PUT /api/v1/…` with a JSON body.
async fn put(server: &Server, account: &Account, path: &str, body: Value) {
    let request = reqwest::Client::new().put(format!("{}/api/v1/{path}", server.url()));
    let answer = request.bearer_auth(&account.access_token).json(&body).send().await.unwrap();
    let status = answer.status();
    assert!(status.is_success(), "{path}: {status} {}", answer.text().await.unwrap());
}

/// The time so long from now, as HTTP has it.
fn time_after(wait: Duration) -> String {
    api::timestamp(SystemClock.now_us() + i64::try_from(wait.as_micros()).unwrap()).to_string()
}
