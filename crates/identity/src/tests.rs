//! Log in, refresh, log out: on each engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::{Clock as _, ManualClock};
use ed25519_dalek::Signer as _;
use store::Store;
use store::testing::{for_each_engine, prepare_all};
use uuid::Uuid;

use privacy::Vault;

use super::*;
use crate::challenge_rows::{WAITING_MAX, WAITING_PER_KEY_MAX};
use crate::testing::Mailbox;

pub(crate) const START_US: i64 = 1_800_000_000_000_000;
pub(crate) const SECOND_US: i64 = 1_000_000;
pub(crate) const ORIGIN: &str = "http://localhost:7380";

pub(crate) struct World {
    pub(crate) identity: Arc<Identity>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Store,
    pub(crate) vault: Vault,
    pub(crate) mailbox: Mailbox,
    wallets_opened: Arc<AtomicUsize>,
}

impl World {
    async fn new(store: Store) -> Self {
        Self::with_hook(store, |_, _, _| Ok(())).await
    }

    async fn with_hook(
        store: Store,
        hook: impl Fn(&mut store::Tx<'_>, Uuid, i64) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let clock = Arc::new(ManualClock::at(START_US));
        let wallets_opened = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&wallets_opened);
        let vault = Vault::for_test(&store).await;
        let mailbox = Mailbox::default();
        let tokens = AccessTokens::new(Uuid::from_u128(1), &SigningKey::from_secret([9; 32]));
        let identity = Identity::new(Deps {
            new_account: Arc::new(move |tx, account_id, now_us| {
                counter.fetch_add(1, Ordering::Relaxed);
                hook(tx, account_id, now_us)
            }),
            post: mail::Post::new(Arc::new(mailbox.clone())),
            ..Deps::for_test(store.clone(), clock.clone(), tokens, vault.clone())
        });
        Self { identity: Arc::new(identity), clock, store, vault, mailbox, wallets_opened }
    }

    pub(crate) async fn challenge(&self, device: &Device) -> IssuedChallenge {
        self.identity.challenge(device.public(), ORIGIN).await.unwrap()
    }

    pub(crate) async fn answer(
        &self,
        device: &Device,
        challenge: &IssuedChallenge,
    ) -> Result<Session, LoginError> {
        let signature = device.sign(&challenge.text);
        self.identity.answer(device.public(), challenge.nonce, &signature, Wishes::default(), None).await
    }

    pub(crate) async fn log_in(&self, device: &Device) -> Session {
        let challenge = self.challenge(device).await;
        self.answer(device, &challenge).await.unwrap()
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        self.store
            .read(move |tx| tx.query_one(sql, store::params![])?.get(0))
            .await
            .map_err(|e: store::Error| e)
            .unwrap()
    }
}

pub(crate) struct Device(ed25519_dalek::SigningKey);

impl Device {
    pub(crate) fn number(number: u8) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&[number; 32]))
    }

    pub(crate) fn public(&self) -> DeviceKey {
        DeviceKey::try_from_bytes(self.0.verifying_key().as_bytes()).unwrap()
    }

    pub(crate) fn sign(&self, text: &str) -> [u8; 64] {
        self.0.sign(text.as_bytes()).to_bytes()
    }
}

/// Runs `test` in a fresh world on each engine.
pub(crate) fn check<Fut: Future<Output = ()>>(test: impl Fn(World) -> Fut) {
    for_each_engine(&migrations(), |store| async { test(World::new(store).await).await });
}

pub(crate) fn migrations() -> Vec<store::Migration> {
    [MIGRATIONS, privacy::MIGRATIONS].concat()
}

#[test]
fn every_statement_is_understood_by_each_engine() {
    for_each_engine(&migrations(), |store| async move {
        prepare_all(&store, super::STATEMENTS).await;
    });
}

#[test]
fn the_first_login_makes_an_account_and_the_next_opens_it() {
    check(|world| async move {
        let device = Device::number(1);
        let first = world.log_in(&device).await;
        assert!(first.is_new);
        assert!(first.account.display_name.contains(' '));
        let again = world.log_in(&device).await;
        assert!(!again.is_new);
        assert_eq!(again.account, first.account);
        assert_eq!(world.wallets_opened.load(Ordering::Relaxed), 1);
        let bearer = world.identity.check_access_token(&again.access_token).unwrap();
        assert_eq!(bearer.account_id, first.account.account_id);
        assert_ne!(world.log_in(&Device::number(2)).await.account.account_id, first.account.account_id);
    });
}

#[test]
fn a_newcomer_may_choose_how_to_be_seen() {
    check(|world| async move {
        let device = Device::number(1);
        let wishes = || Wishes { display_name: Some("Ann".into()), color: Color::parse("#102030") };
        for _ in 0..2 {
            let challenge = world.challenge(&device).await;
            let signature = device.sign(&challenge.text);
            let answered =
                world.identity.answer(device.public(), challenge.nonce, &signature, wishes(), None).await;
            let account = answered.unwrap().account;
            assert_eq!(
                (account.display_name.as_str(), account.color.to_string().as_str()),
                ("Ann", "#102030")
            );
        }
    });
}

#[test]
fn without_its_wallet_there_is_no_account() {
    for_each_engine(&migrations(), |store| async move {
        let world = World::with_hook(store, |_, _, _| Err("the mint is closed".into())).await;
        let device = Device::number(1);
        let challenge = world.challenge(&device).await;
        assert!(matches!(world.answer(&device, &challenge).await, Err(LoginError::Setup(_))));
        assert_eq!(world.count("select count(*) from accounts").await, 0);
        assert_eq!(world.count("select count(*) from refresh_tokens").await, 0);
    });
}

#[test]
fn a_challenge_is_answered_once_by_its_key_and_in_time() {
    check(|world| async move {
        let (ann, bob) = (Device::number(1), Device::number(2));

        let used = world.challenge(&ann).await;
        world.answer(&ann, &used).await.unwrap();
        assert!(matches!(world.answer(&ann, &used).await, Err(LoginError::ChallengeNotOpen)), "replayed");

        let foreign = world.challenge(&ann).await;
        assert!(matches!(world.answer(&bob, &foreign).await, Err(LoginError::ChallengeNotOpen)), "foreign");
        world.answer(&ann, &foreign).await.expect("a stranger's try does not use it up");

        let late = world.challenge(&ann).await;
        world.clock.advance_us(challenge::LIFE_S * SECOND_US);
        assert!(matches!(world.answer(&ann, &late).await, Err(LoginError::ChallengeNotOpen)), "expired");

        let never = IssuedChallenge { nonce: challenge::Nonce([0; 32]), ..late };
        assert!(matches!(world.answer(&ann, &never).await, Err(LoginError::ChallengeNotOpen)), "invented");
    });
}

#[test]
fn a_wrong_signature_uses_the_challenge_up() {
    check(|world| async move {
        let (ann, bob) = (Device::number(1), Device::number(2));
        let elsewhere = world.identity.challenge(ann.public(), "https://elsewhere.example").await.unwrap();
        for wrong in [
            |_: &Device, bob: &Device, text: &str, _: &str| bob.sign(text),
            |ann: &Device, _: &Device, text: &str, _: &str| ann.sign(text.trim_end()),
            |ann: &Device, _: &Device, _: &str, elsewhere: &str| ann.sign(elsewhere),
            |_: &Device, _: &Device, _: &str, _: &str| [0; 64],
        ] {
            let challenge = world.challenge(&ann).await;
            let signature = wrong(&ann, &bob, &challenge.text, &elsewhere.text);
            let refused = world
                .identity
                .answer(ann.public(), challenge.nonce, &signature, Wishes::default(), None)
                .await;
            assert!(matches!(refused, Err(LoginError::SignatureRefused)));
            assert!(matches!(world.answer(&ann, &challenge).await, Err(LoginError::ChallengeNotOpen)));
        }
        assert_eq!(world.count("select count(*) from accounts").await, 0);
    });
}

#[test]
fn one_challenge_answered_many_times_at_once_opens_one_session() {
    check(|world| async move {
        let device = Device::number(1);
        let challenge = world.challenge(&device).await;
        let world = Arc::new(world);
        let racers: Vec<_> = (0..8)
            .map(|_| {
                let (world, challenge) = (Arc::clone(&world), challenge.clone());
                tokio::spawn(async move { world.answer(&Device::number(1), &challenge).await.is_ok() })
            })
            .collect();
        let mut opened = 0;
        for racer in racers {
            opened += usize::from(racer.await.unwrap());
        }
        assert_eq!(opened, 1);
        assert_eq!(world.count("select count(*) from accounts").await, 1);
        assert_eq!(world.count("select count(*) from refresh_tokens").await, 1);
    });
}

#[test]
fn first_visits_of_one_key_at_once_make_one_account() {
    check(|world| async move {
        let world = Arc::new(world);
        let visitors: Vec<_> = (0..WAITING_PER_KEY_MAX)
            .map(|_| {
                let world = Arc::clone(&world);
                tokio::spawn(async move { world.log_in(&Device::number(1)).await.account.account_id })
            })
            .collect();
        let mut accounts = Vec::new();
        for visitor in visitors {
            accounts.push(visitor.await.unwrap());
        }
        accounts.dedup();
        assert_eq!(accounts.len(), 1);
    });
}

#[test]
fn waiting_challenges_are_bounded_and_forgotten() {
    check(|world| async move {
        let device = Device::number(1);
        let oldest = world.challenge(&device).await;
        world.clock.advance_us(SECOND_US);
        for _ in 0..WAITING_PER_KEY_MAX {
            world.challenge(&device).await;
        }
        assert_eq!(world.count("select count(*) from challenges").await, WAITING_PER_KEY_MAX);
        assert!(matches!(world.answer(&device, &oldest).await, Err(LoginError::ChallengeNotOpen)));
        world.clock.advance_us(challenge::LIFE_S * SECOND_US);
        world.challenge(&Device::number(2)).await;
        assert_eq!(world.count("select count(*) from challenges").await, 1);
    });
}

/// Somebody asks for all the challenges there can be: only the oldest make room.
#[test]
fn a_flood_of_challenges_keeps_nobody_out() {
    check(|world| async move {
        let (ann, bob) = (Device::number(1), Device::number(2));
        let oldest = world.challenge(&ann).await;
        world.clock.advance_us(SECOND_US);
        let recent = world.challenge(&ann).await;
        let expires_us = START_US + challenge::LIFE_S * SECOND_US + 2 * SECOND_US;
        world
            .store
            .locked(move |tx| {
                (2..WAITING_MAX).try_for_each(|n| {
                    let nonce = [n.to_be_bytes(); 4].as_flattened().to_vec();
                    let row = store::params![nonce, [0; 32], "terrane-login/1", "", expires_us, None::<Uuid>];
                    tx.execute(challenge_rows::INSERT, row).map(drop)
                })
            })
            .await
            .map_err(|error: store::Error| error)
            .unwrap();
        let newest = world.challenge(&bob).await;
        assert_eq!(world.count("select count(*) from challenges").await, WAITING_MAX);
        world.answer(&bob, &newest).await.expect("a newcomer gets in");
        world.answer(&ann, &recent).await.expect("and so does who was quick enough");
        assert!(matches!(world.answer(&ann, &oldest).await, Err(LoginError::ChallengeNotOpen)));
    });
}

#[test]
fn profile_changes_keep_what_is_not_named() {
    check(|world| async move {
        let account = world.log_in(&Device::number(1)).await.account;
        let id = account.account_id;
        let named = world.identity.change_profile(id, Some("Ann".into()), None).await.unwrap().unwrap();
        assert_eq!((named.display_name.as_str(), named.color), ("Ann", account.color));
        let painted =
            world.identity.change_profile(id, None, Color::parse("#000001")).await.unwrap().unwrap();
        assert_eq!((painted.display_name.as_str(), painted.color.rgb()), ("Ann", 1));
        assert_eq!(world.identity.account(id).await.unwrap(), Some(painted));
        assert_eq!(world.store.read(move |tx| display_name(tx, id)).await.unwrap().as_deref(), Some("Ann"));
        assert_eq!(world.identity.change_profile(Uuid::nil(), None, None).await.unwrap(), None);
    });
}

/// Plays a session of refresh tokens. Lines: `wait SECONDS`, `logout TOKEN`, `A -> B` (spending A gives B) and
/// `A -> refused` or `A -> reused`. Token `0` comes from the login.
fn check_session(script: &'static str) {
    check(|world| async move {
        let mut tokens = std::collections::HashMap::new();
        tokens.insert("0", world.log_in(&Device::number(1)).await.refresh_token);
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match *line.split_whitespace().collect::<Vec<_>>() {
                ["wait", seconds] => world.clock.advance_us(seconds.parse::<i64>().unwrap() * SECOND_US),
                ["logout", token] => world.identity.logout(tokens[token].clone()).await.unwrap(),
                [token, "->", expected] => {
                    let outcome = world.identity.refresh(tokens[token].clone()).await;
                    let said = match outcome {
                        Ok(session) => {
                            world.identity.check_access_token(&session.access_token).unwrap();
                            tokens.insert(expected, session.refresh_token);
                            expected
                        }
                        Err(RefreshError::Refused) => "refused",
                        Err(RefreshError::Reused) => "reused",
                        Err(error) => panic!("{line}: {error}"),
                    };
                    assert_eq!(said, expected, "{line} at {}", world.clock.now_us());
                    // A name of an outcome must not pass as the name of a token.
                    assert_eq!(
                        tokens.contains_key(expected),
                        !["refused", "reused"].contains(&expected),
                        "{line}"
                    );
                }
                _ => panic!("what is {line:?}?"),
            }
        }
    });
}

#[test]
fn each_refresh_spends_a_token_for_the_next() {
    check_session(
        "0 -> 1
         1 -> 2
         wait 86400
         2 -> 3",
    );
}

#[test]
fn a_lost_reply_or_a_second_tab_may_ask_again_for_a_moment() {
    check_session(
        "0 -> lost
         wait 19
         0 -> 1
         0 -> 2
         2 -> 3",
    );
}

#[test]
fn the_grace_does_not_grow_by_being_used() {
    check_session(
        "0 -> 1
         wait 15
         0 -> 2
         wait 15
         0 -> reused
         2 -> refused",
    );
}

#[test]
fn a_spent_token_outside_the_grace_ends_the_session() {
    check_session(
        "0 -> 1
         wait 21
         0 -> reused
         1 -> refused
         0 -> refused",
    );
}

#[test]
fn the_grace_ends_with_the_first_use_of_the_successor() {
    check_session(
        "0 -> 1
         1 -> 2
         0 -> reused
         2 -> refused",
    );
}

#[test]
fn a_taken_back_successor_ends_the_session() {
    check_session(
        "0 -> 1
         0 -> 2
         1 -> reused
         2 -> refused",
    );
}

#[test]
fn a_session_ends_by_logout_and_after_thirty_days() {
    check_session(
        "0 -> 1
         logout 0
         1 -> refused",
    );
    check_session(
        "wait 2591999
         0 -> 1
         wait 1
         1 -> refused",
    );
}

#[test]
fn a_token_that_was_never_issued_is_refused() {
    check(|world| async move {
        let invented = RefreshToken::from_random([7; 32]);
        assert!(matches!(world.identity.refresh(invented.clone()).await, Err(RefreshError::Refused)));
        world.identity.logout(invented).await.unwrap();
    });
}

#[test]
fn a_session_that_ends_while_it_is_refreshed_has_ended() {
    check(|world| async move {
        let world = Arc::new(world);
        for _ in 0..40 {
            let token = world.log_in(&Device::number(1)).await.refresh_token;
            let (refreshing, presented) = (Arc::clone(&world), token.clone());
            let refresh = tokio::spawn(async move { refreshing.identity.refresh(presented).await });
            world.identity.logout(token).await.unwrap();
            if let Ok(session) = refresh.await.unwrap() {
                let outcome = world.identity.refresh(session.refresh_token).await;
                assert!(matches!(outcome, Err(RefreshError::Refused)), "the session goes on");
            }
        }
    });
}

#[test]
fn of_many_refreshes_at_once_exactly_one_token_lives_on() {
    check(|world| async move {
        let token = world.log_in(&Device::number(1)).await.refresh_token;
        let world = Arc::new(world);
        let racers: Vec<_> = (0..8)
            .map(|_| {
                let (world, token) = (Arc::clone(&world), token.clone());
                tokio::spawn(async move { world.identity.refresh(token).await })
            })
            .collect();
        for racer in racers {
            racer.await.unwrap().map(drop).expect("all come within the grace");
        }
        let alive = "select count(*) from refresh_tokens where spent_at is null and revoked_at is null";
        assert_eq!(world.count(alive).await, 1);
    });
}
