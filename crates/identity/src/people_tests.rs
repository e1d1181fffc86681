//! E-mail, passwords, keys, sessions, API keys, staff: on each engine.

use std::sync::Arc;

use api::{Caller, Role, Scope, TokenFault};
use mail::Address;
use uuid::Uuid;

use super::*;
use crate::challenge::Purpose;
use crate::email::EmailError;
use crate::staff::{Search, StaffError};
use crate::testing::token_in;
use crate::tests::{Device, ORIGIN, SECOND_US, World, check};

const GOOD: &str = "correct horse battery staple";
const OTHER: &str = "four wooden boats at dawn";
const MINUTE_US: i64 = 60 * SECOND_US;

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn password(text: &str) -> Password {
    Password::parse(text.to_owned()).unwrap()
}

impl World {
    async fn register(&self, email: &str, name: Option<&str>) -> Result<(), EmailError> {
        let display_name = name.map(str::to_owned);
        let registration = Registration { address: address(email), password: password(GOOD), display_name };
        self.identity.register(registration).await
    }

    /// An account with a proved address.
    async fn person(&self, email: &str) -> Session {
        self.register(email, None).await.unwrap();
        let token = token_in(&self.mailbox.next().await).unwrap();
        self.identity.confirm(token, None).await.unwrap()
    }

    async fn sign_in(&self, email: &str, text: &str) -> Result<Session, EmailError> {
        self.identity.sign_in_with_password(&address(email), password(text), None).await
    }

    async fn caller(&self, session: &Session) -> Caller {
        self.identity.verify_token(&session.access_token).await.unwrap()
    }

    /// Makes somebody staff as the console or the command line does.
    async fn give_role(&self, account_id: Uuid, role: Role) {
        let now_us = START_US_FOR_STAFF;
        let set = self.store.serializable(move |tx| staff::set_role(tx, account_id, role, now_us)).await;
        set.unwrap();
        self.identity.standing_changed(account_id);
    }

    async fn add_key(&self, account: Uuid, caller: &Caller, device: &Device) -> Result<OwnKey, KeyError> {
        let challenge =
            self.identity.challenge_to_add(caller, device.public(), ORIGIN).await.map_err(KeyError::from)?;
        let signature = device.sign(&challenge.text);
        self.identity
            .add_key(account, device.public(), challenge.nonce, &signature, Some("Laptop".to_owned()))
            .await
    }
}

const START_US_FOR_STAFF: i64 = crate::tests::START_US;

#[test]
fn a_registration_becomes_an_account_by_its_link_and_only_once() {
    check(|world| async move {
        world.register("Ann@Example.org", Some("Ann")).await.unwrap();
        assert_eq!(world.count("select count(*) from accounts").await, 0, "nothing before the link");
        assert!(matches!(world.sign_in("ann@example.org", GOOD).await, Err(EmailError::CredentialsRefused)));
        let letter = world.mailbox.next().await;
        assert_eq!(letter.to.as_str(), "Ann@Example.org");
        assert!(letter.text.contains("http://localhost:7380/account#confirm="), "{}", letter.text);
        let token = token_in(&letter).unwrap();
        let session = world.identity.confirm(token.clone(), None).await.unwrap();
        assert!(session.is_new);
        assert_eq!(session.account.display_name, "Ann");
        assert!(matches!(world.identity.confirm(token, None).await, Err(EmailError::LinkNotValid)));
        let again = world.sign_in("ANN@example.org", GOOD).await.unwrap();
        assert_eq!(again.account.account_id, session.account.account_id);
        let own = world.identity.own_account(session.account.account_id).await.unwrap().unwrap();
        assert_eq!(own.address, Some(("Ann@Example.org".to_owned(), true)));
        assert!(own.has_password && !own.is_guest);
    });
}

#[test]
fn neither_address_nor_name_stands_in_the_database() {
    check(|world| async move {
        let session = world.person("canary@example.org").await;
        world.register("another-canary@example.org", Some("Canary Bird")).await.unwrap();
        world.caller(&session).await;
        for sql in [
            "select count(*) from emails where cast(address as text) like '%canary%'",
            "select count(*) from email_tokens where cast(address as text) like '%canary%'",
            "select count(*) from email_tokens where cast(display_name as text) like '%Canary%'",
        ] {
            assert_eq!(world.count(sql).await, 0, "{sql}");
        }
    });
}

#[test]
fn an_address_that_has_an_account_is_told_by_mail_alone() {
    check(|world| async move {
        let owner = world.person("ann@example.org").await.account.account_id;
        world.register("ann@example.org", Some("Impostor")).await.unwrap();
        let letter = world.mailbox.next().await;
        assert!(letter.text.contains("/account#reset="), "{}", letter.text);
        let token = token_in(&letter).unwrap();
        assert!(matches!(world.identity.confirm(token.clone(), None).await, Err(EmailError::LinkNotValid)));
        world.identity.reset_password(token, password(OTHER)).await.unwrap();
        assert_eq!(world.sign_in("ann@example.org", OTHER).await.unwrap().account.account_id, owner);
    });
}

#[test]
fn who_proves_an_address_first_has_it_and_claims_keep_nobody_from_it() {
    check(|world| async move {
        world.register("ann@example.org", Some("Squatter")).await.unwrap();
        let squatters = token_in(&world.mailbox.next().await).unwrap();
        world.register("ann@example.org", Some("Ann")).await.unwrap();
        let anns = token_in(&world.mailbox.next().await).unwrap();
        let session = world.identity.confirm(anns, None).await.unwrap();
        assert_eq!(session.account.display_name, "Ann");
        assert!(matches!(world.identity.confirm(squatters, None).await, Err(EmailError::LinkNotValid)));
        assert_eq!(world.count("select count(*) from accounts").await, 1);
    });
}

#[test]
fn links_expire_and_are_few() {
    check(|world| async move {
        for _ in 0..LINKS_PER_ADDRESS_MAX + 3 {
            world.register("ann@example.org", None).await.unwrap();
        }
        assert_eq!(world.count("select count(*) from email_tokens").await, LINKS_PER_ADDRESS_MAX);
        assert_eq!(world.count("select count(*) from person_keys").await, LINKS_PER_ADDRESS_MAX);
        let mut last = None;
        for _ in 0..LINKS_PER_ADDRESS_MAX + 3 {
            last = token_in(&world.mailbox.next().await);
        }
        world.clock.advance_us(CONFIRM_LIFE_US);
        assert!(matches!(world.identity.confirm(last.unwrap(), None).await, Err(EmailError::LinkNotValid)));
        world.register("bob@example.org", None).await.unwrap();
        assert_eq!(world.count("select count(*) from email_tokens").await, 1);
        assert_eq!(world.count("select count(*) from person_keys").await, 1, "keys go with their links");
    });
}

#[test]
fn a_guest_becomes_a_person_without_losing_the_account_or_the_key() {
    check(|world| async move {
        let device = Device::number(1);
        let guest = world.log_in(&device).await;
        let id = guest.account.account_id;
        assert!(world.identity.own_account(id).await.unwrap().unwrap().is_guest);
        let caller = world.caller(&guest).await;
        world.identity.claim_address(&caller, address("ann@example.org"), password(GOOD)).await.unwrap();
        let own = world.identity.own_account(id).await.unwrap().unwrap();
        assert_eq!(own.address, Some(("ann@example.org".to_owned(), false)));
        assert!(own.is_guest && !own.has_password, "not before the link");
        let token = token_in(&world.mailbox.next().await).unwrap();
        let session = world.identity.confirm(token, None).await.unwrap();
        assert_eq!((session.account.account_id, session.is_new), (id, false));
        assert_eq!(world.sign_in("ann@example.org", GOOD).await.unwrap().account.account_id, id);
        assert_eq!(world.log_in(&device).await.account.account_id, id);
        assert!(!world.identity.own_account(id).await.unwrap().unwrap().is_guest);

        // Another address, by whoever knows the password.
        let elsewhere = || address("ann@elsewhere.example");
        let wrong = world.identity.claim_address(&caller, elsewhere(), password(OTHER)).await;
        assert!(matches!(wrong, Err(EmailError::PasswordWrong)));
        world.identity.claim_address(&caller, elsewhere(), password(GOOD)).await.unwrap();
        let token = token_in(&world.mailbox.next().await).unwrap();
        world.identity.confirm(token, None).await.unwrap();
        let told = world.mailbox.next().await;
        assert_eq!(
            (told.to.as_str(), told.subject.as_str()),
            ("ann@example.org", "Your address was changed")
        );
        assert!(matches!(world.sign_in("ann@example.org", GOOD).await, Err(EmailError::CredentialsRefused)));
        world.sign_in("ann@elsewhere.example", GOOD).await.unwrap();
    });
}

#[test]
fn the_address_of_somebody_else_cannot_be_claimed() {
    check(|world| async move {
        world.person("ann@example.org").await;
        let guest = world.log_in(&Device::number(1)).await;
        let caller = world.caller(&guest).await;
        world.identity.claim_address(&caller, address("ann@example.org"), password(OTHER)).await.unwrap();
        let letter = world.mailbox.next().await;
        assert_eq!(letter.subject, "You have an account");
        let token = token_in(&letter).unwrap();
        assert!(matches!(world.identity.confirm(token, None).await, Err(EmailError::LinkNotValid)));
        assert!(matches!(world.sign_in("ann@example.org", OTHER).await, Err(EmailError::CredentialsRefused)));
        assert!(world.identity.own_account(guest.account.account_id).await.unwrap().unwrap().is_guest);
    });
}

#[test]
fn a_lost_password_is_set_anew_and_ends_every_session() {
    check(|world| async move {
        let session = world.person("ann@example.org").await;
        world.identity.forgot_password(address("nobody@example.org")).await.unwrap();
        world.identity.forgot_password(address("ann@example.org")).await.unwrap();
        let letter = world.mailbox.next().await;
        assert_eq!(letter.to.as_str(), "ann@example.org", "and nothing to nobody");
        let token = token_in(&letter).unwrap();
        world.identity.reset_password(token.clone(), password(OTHER)).await.unwrap();
        assert_eq!(world.mailbox.next().await.subject, "Your password was changed");
        let refused = world.identity.verify_token(&session.access_token).await;
        assert!(matches!(refused, Err(TokenFault::Invalid)), "{refused:?}");
        assert!(matches!(
            world.identity.refresh(session.refresh_token).await,
            Err(RefreshError::Refused | RefreshError::Reused)
        ));
        assert!(matches!(world.sign_in("ann@example.org", GOOD).await, Err(EmailError::CredentialsRefused)));
        world.sign_in("ann@example.org", OTHER).await.unwrap();
        let again = world.identity.reset_password(token, password(GOOD)).await;
        assert!(matches!(again, Err(EmailError::LinkNotValid)));
        world.identity.forgot_password(address("ann@example.org")).await.unwrap();
        let late = token_in(&world.mailbox.next().await).unwrap();
        world.clock.advance_us(RESET_LIFE_US);
        let late = world.identity.reset_password(late, password(GOOD)).await;
        assert!(matches!(late, Err(EmailError::LinkNotValid)));
    });
}

#[test]
fn five_wrong_passwords_close_that_door_for_everybody_alike_and_no_other() {
    check(|world| async move {
        let ann = world.person("ann@example.org").await;
        let (id, device) = (ann.account.account_id, Device::number(1));
        world.add_key(id, &world.caller(&ann).await, &device).await.unwrap();
        for email in ["ann@example.org", "nobody@example.org"] {
            for _ in 0..5 {
                let refused = world.sign_in(email, OTHER).await;
                assert!(matches!(refused, Err(EmailError::CredentialsRefused)), "{email}");
            }
            let locked = world.sign_in(email, GOOD).await.err();
            let Some(EmailError::Locked { retry_after_s }) = locked else { panic!("{email}: {locked:?}") };
            assert!((14 * 60..=15 * 60 + 1).contains(&retry_after_s), "{retry_after_s}");
        }
        assert_eq!(world.log_in(&device).await.account.account_id, id, "the key opens it");
        world.clock.advance_us(15 * MINUTE_US);
        world.sign_in("ann@example.org", GOOD).await.unwrap();
        // Four more are no five: the right one has cleared the count.
        for _ in 0..4 {
            assert!(world.sign_in("ann@example.org", OTHER).await.is_err());
        }
        world.sign_in("ann@example.org", GOOD).await.unwrap();
        // A link by mail opens a locked door.
        for _ in 0..6 {
            assert!(world.sign_in("ann@example.org", OTHER).await.is_err());
        }
        world.identity.forgot_password(address("ann@example.org")).await.unwrap();
        let token = token_in(&world.mailbox.next().await).unwrap();
        world.identity.reset_password(token, password(OTHER)).await.unwrap();
        world.sign_in("ann@example.org", OTHER).await.unwrap();
    });
}

#[test]
fn a_hundred_wrong_passwords_at_once_are_five_tries() {
    check(|world| async move {
        world.person("ann@example.org").await;
        let world = Arc::new(world);
        let tries: Vec<_> = (0..40)
            .map(|_| {
                let world = Arc::clone(&world);
                tokio::spawn(async move { world.sign_in("ann@example.org", OTHER).await.err() })
            })
            .collect();
        let mut looked_at = 0;
        for one in tries {
            match one.await.unwrap() {
                Some(EmailError::CredentialsRefused) => looked_at += 1,
                Some(EmailError::Locked { .. } | EmailError::Busy) => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(looked_at <= 5, "{looked_at}");
    });
}

#[test]
fn a_password_is_changed_by_who_knows_it_and_ends_the_other_sessions() {
    check(|world| async move {
        let first = world.person("ann@example.org").await;
        let second = world.sign_in("ann@example.org", GOOD).await.unwrap();
        let caller = world.caller(&second).await;
        for current in [None, Some(password(OTHER))] {
            let refused = world.identity.change_password(&caller, current, password(OTHER)).await;
            assert!(matches!(refused, Err(EmailError::PasswordWrong)));
        }
        world.identity.change_password(&caller, Some(password(GOOD)), password(OTHER)).await.unwrap();
        assert!(world.identity.verify_token(&first.access_token).await.is_err());
        world.caller(&second).await;
        world.sign_in("ann@example.org", OTHER).await.unwrap();
        let guest = world.log_in(&Device::number(1)).await;
        let caller = world.caller(&guest).await;
        let refused = world.identity.change_password(&caller, None, password(OTHER)).await;
        assert!(matches!(refused, Err(EmailError::NoAddress)));
    });
}

#[test]
fn a_hash_that_was_brought_along_is_upgraded_at_the_first_sign_in() {
    check(|world| async move {
        // One of the vectors of jBCrypt, cost 10, of the password `a`.
        let bcrypt = "$2a$10$k87L/MF28Q673VKh8/cPi.SUl7MU/rWuSiIDDFayrKk/1tBsSQu4u";
        let file = format!("email,password_hash,display_name\nann@example.org,{bcrypt},Ann\n");
        let import_all = async || {
            let rows = read_import(&file, ImportFormat::Csv).unwrap_or_else(|it| panic!("{it:?}"));
            let entrance = world.identity.entrance();
            let import = move |tx: &mut store::Tx<'_>| import(tx, &entrance, &rows[0], START_US_FOR_STAFF);
            world.store.serializable(import).await.unwrap()
        };
        assert!(import_all().await);
        assert!(!import_all().await, "a second run leaves them alone");
        let ours = "select count(*) from passwords where phc like '$argon2id$%'";
        assert_eq!(world.count(ours).await, 0);
        assert!(world.sign_in("ann@example.org", "b").await.is_err());
        assert_eq!(world.count(ours).await, 0);
        assert_eq!(world.sign_in("ann@example.org", "a").await.unwrap().account.display_name, "Ann");
        assert_eq!(world.count(ours).await, 1);
        world.sign_in("ann@example.org", "a").await.unwrap();
    });
}

#[test]
fn keys_are_added_by_their_holder_named_and_removed_but_never_the_last_way_in() {
    check(|world| async move {
        let (first, second) = (Device::number(1), Device::number(2));
        let session = world.log_in(&first).await;
        let id = session.account.account_id;
        let caller = world.caller(&session).await;
        let refused = world.identity.remove_key(id, first.public()).await;
        assert!(matches!(refused, Err(KeyError::LastWayIn)));

        assert_eq!(world.add_key(id, &caller, &second).await.unwrap().label.as_deref(), Some("Laptop"));
        assert!(matches!(world.add_key(id, &caller, &second).await, Err(KeyError::Known)));
        let opened = world.log_in(&second).await;
        assert_eq!(opened.account.account_id, id);
        let named = world.identity.label_key(id, second.public(), Some("Phone".to_owned())).await.unwrap();
        assert_eq!(named.label.as_deref(), Some("Phone"));
        assert_eq!(world.identity.keys(id).await.unwrap().len(), 2);

        let stranger = world.log_in(&Device::number(3)).await;
        let strangers = world.caller(&stranger).await;
        let taken = world.add_key(stranger.account.account_id, &strangers, &second).await;
        assert!(matches!(taken, Err(KeyError::Taken)));
        let foreign = world.identity.remove_key(stranger.account.account_id, second.public()).await;
        assert!(matches!(foreign, Err(KeyError::NotFound)));

        world.identity.remove_key(id, second.public()).await.unwrap();
        assert!(world.identity.verify_token(&opened.access_token).await.is_err(), "its session has ended");
        let challenge = world.challenge(&second).await;
        let refused = world.answer(&second, &challenge).await;
        assert!(matches!(refused, Err(LoginError::KeyRemoved)), "and it makes no new account");
        assert!(matches!(world.identity.remove_key(id, first.public()).await, Err(KeyError::LastWayIn)));
        world.add_key(id, &caller, &second).await.expect("it may come back");
        assert_eq!(world.log_in(&second).await.account.account_id, id);
    });
}

#[test]
fn of_two_last_ways_in_removed_at_once_one_stays() {
    check(|world| async move {
        let (first, second) = (Device::number(1), Device::number(2));
        let session = world.log_in(&first).await;
        let id = session.account.account_id;
        world.add_key(id, &world.caller(&session).await, &second).await.unwrap();
        let world = Arc::new(world);
        let removals = [first.public(), second.public()].map(|key| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.identity.remove_key(id, key).await.is_ok() })
        });
        let mut removed = 0;
        for removal in removals {
            removed += usize::from(removal.await.unwrap());
        }
        assert_eq!(removed, 1);
    });
}

/// A challenge serves the purpose and the account it was made for, and no other.
#[test]
fn a_challenge_for_one_thing_is_good_for_nothing_else() {
    check(|world| async move {
        let (ann, bob, device) = (Device::number(1), Device::number(2), Device::number(3));
        let (ann, bob) = (world.log_in(&ann).await, world.log_in(&bob).await);
        let (ann_id, bob_id) = (ann.account.account_id, bob.account.account_id);
        let challenge = world
            .identity
            .issue_challenge(device.public(), ORIGIN, Purpose::AddKey, Some(ann_id))
            .await
            .unwrap();
        assert!(challenge.text.starts_with("terrane-add-key/1\n"));
        assert!(challenge.text.ends_with(&format!("account: {ann_id}\n")));
        let signature = device.sign(&challenge.text);
        let add =
            |account_id, nonce| world.identity.add_key(account_id, device.public(), nonce, &signature, None);
        let not_open = |outcome: Result<OwnKey, KeyError>| {
            matches!(outcome, Err(KeyError::Login(LoginError::ChallengeNotOpen)))
        };
        assert!(not_open(add(bob_id, challenge.nonce).await), "for another account");
        let refused = world.answer(&device, &challenge).await;
        assert!(matches!(refused, Err(LoginError::ChallengeNotOpen)), "to sign in");
        let login = world.challenge(&device).await;
        assert!(not_open(add(ann_id, login.nonce).await), "of a login");
        add(ann_id, challenge.nonce).await.unwrap();
        assert!(not_open(add(ann_id, challenge.nonce).await), "twice");
    });
}

#[test]
fn sessions_are_listed_and_end_at_once() {
    check(|world| async move {
        let device = Device::number(1);
        let challenge = world.challenge(&device).await;
        let agent = Some("Mozilla/5.0 (canary)".to_owned());
        let signature = device.sign(&challenge.text);
        let first = world
            .identity
            .answer(device.public(), challenge.nonce, &signature, Wishes::default(), agent)
            .await
            .unwrap();
        let second = world.log_in(&device).await;
        let id = first.account.account_id;
        let (first_caller, second_caller) = (world.caller(&first).await, world.caller(&second).await);
        let listed = world.identity.sessions(id).await.unwrap();
        assert_eq!(listed.len(), 2);
        let of_first = listed.iter().find(|it| it.row.session_id == first_caller.session_id).unwrap();
        assert_eq!(of_first.user_agent.as_deref(), Some("Mozilla/5.0 (canary)"));
        assert_eq!(of_first.row.public_key, Some(*device.public().as_bytes()));
        let plain = "select count(*) from sessions where cast(user_agent as text) like '%canary%'";
        assert_eq!(world.count(plain).await, 0);

        let stranger = world.log_in(&Device::number(2)).await.account.account_id;
        assert!(!world.identity.end_session(stranger, first_caller.session_id).await.unwrap());
        assert!(world.identity.end_session(id, first_caller.session_id).await.unwrap());
        assert!(matches!(world.identity.verify_token(&first.access_token).await, Err(TokenFault::Invalid)));
        assert!(world.identity.refresh(first.refresh_token).await.is_err());
        let third = world.log_in(&device).await;
        assert_eq!(world.identity.end_other_sessions(id, second_caller.session_id).await.unwrap(), 1);
        assert!(world.identity.verify_token(&third.access_token).await.is_err());
        world.identity.logout(second.refresh_token).await.unwrap();
        assert!(world.identity.verify_token(&second.access_token).await.is_err());
    });
}

#[test]
fn more_sessions_than_there_may_be_end_the_oldest() {
    check(|world| async move {
        let device = Device::number(1);
        let oldest = world.log_in(&device).await;
        for _ in 0..SESSIONS_PER_ACCOUNT_MAX {
            world.clock.advance_us(SECOND_US);
            world.log_in(&device).await;
        }
        let open = world.identity.sessions(oldest.account.account_id).await.unwrap();
        assert_eq!(open.len() as i64, SESSIONS_PER_ACCOUNT_MAX);
        assert!(world.identity.verify_token(&oldest.access_token).await.is_err());
    });
}

#[test]
fn an_open_socket_learns_that_its_session_has_ended() {
    check(|world| async move {
        let session = world.log_in(&Device::number(1)).await;
        let caller = world.caller(&session).await;
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let identity = Arc::clone(&world.identity);
        let work = tokio::spawn(async move { identity.work(stopping).await });
        let mut watch = world.identity.watch(caller.session_id);
        let quiet = tokio::time::timeout(std::time::Duration::from_millis(50), watch.ended()).await;
        assert!(quiet.is_err(), "not before it ends");
        world.identity.end_session(caller.account_id, caller.session_id).await.unwrap();
        watch.ended().await;
        stop.send_replace(true);
        work.await.unwrap();
    });
}

#[test]
fn another_node_refuses_an_ended_session_within_five_seconds() {
    check(|world| async move {
        let tokens = AccessTokens::new(Uuid::from_u128(1), &SigningKey::from_secret([9; 32]));
        let elsewhere = Identity::new(Deps::for_test(
            world.store.clone(),
            world.clock.clone(),
            tokens,
            world.vault.clone(),
        ));
        let session = world.log_in(&Device::number(1)).await;
        let caller = elsewhere.verify_token(&session.access_token).await.unwrap();
        world.identity.end_session(caller.account_id, caller.session_id).await.unwrap();
        let began = std::time::Instant::now();
        while elsewhere.verify_token(&session.access_token).await.is_ok() {
            assert!(began.elapsed() <= BELIEVED_FOR + std::time::Duration::from_secs(1));
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    });
}

#[test]
fn staff_suspend_ban_and_restore_and_it_counts_at_once() {
    check(|world| async move {
        let device = Device::number(1);
        let session = world.log_in(&device).await;
        let id = session.account.account_id;
        world.caller(&session).await;
        let now_us = START_US_FOR_STAFF;
        let until_us = now_us + 60 * MINUTE_US;
        world.store.serializable(move |tx| staff::suspend(tx, id, until_us, now_us)).await.unwrap();
        world.identity.standing_changed(id);
        let refused = world.identity.verify_token(&session.access_token).await;
        assert!(matches!(refused, Err(TokenFault::Suspended { until_us: Some(it) }) if it == until_us));
        let challenge = world.challenge(&device).await;
        assert!(matches!(world.answer(&device, &challenge).await, Err(LoginError::Suspended { .. })));
        let refused = world.identity.refresh(session.refresh_token.clone()).await;
        assert!(matches!(refused, Err(RefreshError::Suspended { .. })));
        world.clock.advance_us(60 * MINUTE_US);
        let session = world.identity.refresh(session.refresh_token).await.expect("it has ended by itself");

        world.store.serializable(move |tx| staff::ban(tx, id, now_us)).await.unwrap();
        world.identity.standing_changed(id);
        assert!(world.identity.verify_token(&session.access_token).await.is_err());
        assert!(matches!(
            world.identity.refresh(session.refresh_token).await,
            Err(RefreshError::Suspended { until_us: None })
        ));
        let before = world.store.serializable(move |tx| staff::restore(tx, id, now_us)).await.unwrap();
        assert_eq!(before, AccountState::Banned);
        world.identity.standing_changed(id);
        world.log_in(&device).await;
    });
}

#[test]
fn roles_come_from_the_database_and_the_last_admin_stays() {
    check(|world| async move {
        let session = world.log_in(&Device::number(1)).await;
        let id = session.account.account_id;
        assert_eq!(world.caller(&session).await.role, Role::Player);
        world.give_role(id, Role::Admin).await;
        assert_eq!(world.caller(&session).await.role, Role::Admin, "with the token it had before");
        let now_us = START_US_FOR_STAFF;
        let refuse = async |act: fn(&mut store::Tx<'_>, Uuid, i64) -> Result<(), StaffError>| {
            let refused = world.store.serializable(move |tx| act(tx, id, now_us)).await;
            assert!(matches!(refused, Err(StaffError::LastAdmin)), "{refused:?}");
        };
        refuse(|tx, id, now_us| staff::set_role(tx, id, Role::Player, now_us).map(drop)).await;
        refuse(|tx, id, now_us| staff::ban(tx, id, now_us).map(drop)).await;
        refuse(|tx, id, now_us| staff::suspend(tx, id, now_us + 1, now_us).map(drop)).await;
        let other = world.log_in(&Device::number(2)).await.account.account_id;
        world.give_role(other, Role::Admin).await;
        world.give_role(id, Role::Player).await;
        assert_eq!(world.caller(&session).await.role, Role::Player);
        let nobody = world.store.serializable(move |tx| staff::ban(tx, Uuid::nil(), now_us)).await;
        assert!(matches!(nobody, Err(StaffError::NoSuchAccount)));
    });
}

#[test]
fn nobody_may_look_like_staff() {
    check(|world| async move {
        let staff = world.log_in(&Device::number(1)).await.account.account_id;
        world.identity.change_profile(staff, Some("Robin".to_owned()), None).await.unwrap();
        let player = world.log_in(&Device::number(2)).await.account.account_id;
        world.identity.change_profile(player, Some("R0bin".to_owned()), None).await.unwrap();
        world.give_role(staff, Role::Moderator).await;
        // Cyrillic, a zero, spaces, another case.
        for alike in ["Robin", "R\u{43E}bin", "R0BIN", "R o b i n", "Rob1n"] {
            let refused = world.identity.change_profile(player, Some(alike.to_owned()), None).await;
            assert!(matches!(refused, Err(ProfileError::NameReserved)), "{alike}");
            let refused = world.register("x@example.org", Some(alike)).await;
            assert!(matches!(refused, Err(EmailError::Login(LoginError::NameReserved))), "{alike}");
        }
        world.identity.change_profile(staff, Some("Robin ".trim().to_owned()), None).await.unwrap();
        world.identity.change_profile(player, Some("Robina".to_owned()), None).await.unwrap();
        world.give_role(staff, Role::Player).await;
        world.identity.change_profile(player, Some("Robin".to_owned()), None).await.unwrap();
    });
}

#[test]
fn people_are_found_by_the_beginning_of_their_name() {
    check(|world| async move {
        for (number, name) in [(1, "Ann"), (2, "anna"), (3, "Änne"), (4, "Bob"), (5, "ANNA")] {
            let id = world.log_in(&Device::number(number)).await.account.account_id;
            world.identity.change_profile(id, Some(name.to_owned()), None).await.unwrap();
        }
        let find = async |search: Search| {
            world.store.read(move |tx| staff::find(tx, &search, START_US_FOR_STAFF)).await.unwrap()
        };
        let names = |people: &[staff::Person]| -> Vec<String> {
            people.iter().map(|it| it.account.display_name.clone()).collect()
        };
        let prefix =
            |text: &str| Search { name_prefix: Some(text.to_owned()), limit: 10, ..Search::default() };
        assert_eq!(names(&find(prefix("AN")).await).len(), 3);
        assert_eq!(names(&find(prefix("än")).await), ["Änne"]);
        let first = find(Search { limit: 2, ..Search::default() }).await;
        let last = first.last().unwrap();
        let after = Some((staff::search_key_of(&last.account.display_name), last.account.account_id));
        let rest = find(Search { after, limit: 10, ..Search::default() }).await;
        assert_eq!(first.len() + rest.len(), 5);
        assert!(rest.iter().all(|it| !first.contains(it)));
        let id = rest[0].account.account_id;
        world.give_role(id, Role::Developer).await;
        let staff = find(Search { role: Some(Role::Developer), limit: 10, ..Search::default() }).await;
        assert_eq!(staff.len(), 1);
        let none = find(Search { state: Some("banned".to_owned()), limit: 10, ..Search::default() }).await;
        assert_eq!(none, []);
        let by_name = world.store.read(|tx| staff::by_name(tx, "Bob")).await.unwrap();
        assert_eq!(names(&by_name), ["Bob"]);
    });
}

#[test]
fn an_api_key_stands_for_its_account_within_its_scopes_and_time() {
    check(|world| async move {
        let session = world.log_in(&Device::number(1)).await;
        let id = session.account.account_id;
        let wish =
            |scopes: &[Scope]| NewApiKey { name: "Watcher".to_owned(), scopes: scopes.to_vec(), days: 1 };
        let (key, secret) =
            world.identity.make_api_key(id, Role::Player, wish(&[Scope::Trade, Scope::Read])).await.unwrap();
        assert!(secret.starts_with(API_KEY_PREFIX));
        let caller = world.identity.verify_token(&secret).await.unwrap();
        assert_eq!((caller.account_id, caller.session_id), (id, key.api_key_id));
        assert!(
            caller.scopes.has(Scope::Trade) && !caller.scopes.has(Scope::Land) && !caller.scopes.is_person()
        );
        assert!(caller.require_fresh(0).is_err());
        let listed = world.identity.api_keys(id).await.unwrap();
        assert_eq!(listed[0].scopes, [Scope::Read, Scope::Trade]);
        assert!(listed[0].last_used_us.is_some());

        let staff = world.identity.make_api_key(id, Role::Player, wish(&[Scope::Staff])).await;
        assert!(matches!(staff, Err(ApiKeyError::ScopeNotYours)));
        for wrong in
            ["trn_", "trn_AAAA", &secret[..46], &format!("{secret}A"), &secret.replace("trn_", "trn-")]
        {
            assert!(matches!(world.identity.verify_token(wrong).await, Err(TokenFault::Invalid)), "{wrong}");
        }
        let stranger = world.log_in(&Device::number(2)).await.account.account_id;
        assert!(!world.identity.end_api_key(stranger, key.api_key_id).await.unwrap());
        world.clock.advance_us(24 * 3600 * SECOND_US);
        assert!(matches!(world.identity.verify_token(&secret).await, Err(TokenFault::Expired)));

        let (key, secret) =
            world.identity.make_api_key(id, Role::Player, wish(&[Scope::Read])).await.unwrap();
        world.identity.verify_token(&secret).await.unwrap();
        assert!(world.identity.end_api_key(id, key.api_key_id).await.unwrap());
        assert!(matches!(world.identity.verify_token(&secret).await, Err(TokenFault::Invalid)), "at once");
        for _ in 0..API_KEYS_PER_ACCOUNT_MAX {
            world.identity.make_api_key(id, Role::Player, wish(&[Scope::Read])).await.unwrap();
        }
        let refused = world.identity.make_api_key(id, Role::Player, wish(&[Scope::Read])).await;
        assert!(matches!(refused, Err(ApiKeyError::TooMany)));
    });
}

#[test]
fn settings_follow_the_account_and_decide_what_others_see() {
    check(|world| async move {
        let id = world.log_in(&Device::number(1)).await.account.account_id;
        assert_eq!(world.identity.settings(id).await.unwrap(), Settings::default());
        assert_eq!(world.identity.public_profile(id).await.unwrap().unwrap().last_seen_us, None);
        let settings =
            Settings { language: Some("bn".to_owned()), shows_last_seen: true, ..Settings::default() };
        world.identity.change_settings(id, settings.clone()).await.unwrap();
        assert_eq!(world.identity.settings(id).await.unwrap(), settings);
        let seen = world.identity.public_profile(id).await.unwrap().unwrap();
        assert_eq!(seen.last_seen_us.unwrap() % (3600 * SECOND_US), 0);
        assert_eq!(world.identity.public_profile(Uuid::nil()).await.unwrap(), None);
    });
}
