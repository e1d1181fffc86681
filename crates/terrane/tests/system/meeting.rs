//! Two strangers arrive, see each other and talk.

use glam::DVec3;
use wire::{ClientMessage, Say, ServerMessage, WhoIs};

use crate::support::{Account, Server, run};

#[test]
fn two_strangers_meet_at_once() {
    let server = Server::start();
    run(async {
        let (ann, bob) = (Account::new(&server).await, Account::new(&server).await);
        let mut ann_there = ann.enter(&server).await;
        let mut bob_there = bob.enter(&server).await;
        let (ann_body, bob_body) = (ann_there.welcome.entity_id, bob_there.welcome.entity_id);
        ann_there.until_seen(bob_body).await;
        bob_there.until_seen(ann_body).await;

        // A few metres apart, not inside each other.
        let apart_m = ann_there.seen.position.distance(bob_there.seen.position);
        assert!((0.3..30.0).contains(&apart_m), "{apart_m} m");

        // They learn each other's names,
        bob_there.send(&ClientMessage::WhoIs(WhoIs { entity_ids: vec![ann_body] })).await;
        let name = bob_there.until("a name", |message| match message {
            ServerMessage::People(people) => Some(people.people[0].display_name.clone()),
            _ => None,
        });
        assert_eq!(name.await, ann.display_name);

        // and hear each other.
        ann_there.send(&ClientMessage::Say(Say { text: "hello there".into() })).await;
        let heard = bob_there.until("what was said", |message| match message {
            ServerMessage::Said(said) => Some((said.entity_id, said.text.clone())),
            _ => None,
        });
        assert_eq!(heard.await, (ann_body, "hello there".to_owned()));
    });
}

#[test]
fn one_who_walks_moves_and_one_who_stands_does_not() {
    let server = Server::start();
    run(async {
        let account = Account::new(&server).await;
        let mut player = account.enter(&server).await;
        player.frame().await;
        let start = player.seen.position;
        for _ in 0..5 {
            player.frame().await;
        }
        assert!(player.seen.position.distance(start) < 0.01, "nobody pushed");
        player.walk(45, start.cross(DVec3::Z)).await;
        let walked_m = player.seen.position.distance(start);
        // One and a half seconds at walking pace, wherever the ground leads.
        assert!((1.0..8.0).contains(&walked_m), "{walked_m} m");
    });
}

#[test]
fn a_new_name_is_shown_to_those_who_are_there() {
    let server = Server::start();
    run(async {
        let (ann, bob) = (Account::new(&server).await, Account::new(&server).await);
        let ann_there = ann.enter(&server).await;
        let mut bob_there = bob.enter(&server).await;
        bob_there.until_seen(ann_there.welcome.entity_id).await;
        ann.patch("users/me", serde_json::json!({"display_name": "Ann of the Shore"})).await.unwrap();
        let name = bob_there.until("the new name", |message| match message {
            ServerMessage::People(people) => people
                .people
                .iter()
                .find(|person| person.display_name == "Ann of the Shore")
                .map(|person| person.account_id.clone()),
            _ => None,
        });
        assert_eq!(name.await, ann.id);
    });
}
