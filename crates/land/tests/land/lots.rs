//! Naming lots and finding them.

use crate::world::{Answer, World, account, migrations};
use serde_json::{Value, json};
use store::testing::for_each_engine;

fn on_each(test: impl AsyncFn(World)) {
    for_each_engine(&migrations(), async |store| test(World::new(store)).await);
}

fn tokens(page: &Answer) -> Vec<String> {
    let items = page.body["items"].as_array().unwrap_or_else(|| panic!("no page: {}", page.body));
    items.iter().map(|it| it["token"].as_str().expect("a token").to_owned()).collect()
}

#[test]
fn only_the_owner_names_a_lot() {
    on_each(async |world| {
        let lots = world.free_lots();
        let token = lots[0].token();
        world.settler(1, lots[0]).await;
        world.claim(1, &token, "a").await;
        let mut events = world.land.subscribe();
        let named = world.rename(1, &token, r#"{"name": "  Ann's \u0067arden "}"#).await;
        assert_eq!((named.status.as_u16(), &named.body["name"]), (200, &json!("Ann's garden")));
        assert_eq!(events.try_recv().unwrap().name.as_deref(), Some("Ann's garden"));
        assert_eq!(world.get(2, &format!("/api/v1/lands/{token}")).await.body["name"], json!("Ann's garden"));

        let mine = r#"{"name": "mine now"}"#;
        assert_eq!(world.rename(2, &token, mine).await.outcome(), (403, "not_owner"));
        assert_eq!(world.rename(1, &lots[1].token(), mine).await.outcome(), (403, "not_owner"), "nobody's");
        assert_eq!(world.rename(1, "zz", mine).await.outcome(), (404, "not_a_lot"));
        assert!(events.try_recv().is_err());
    });
}

#[test]
fn a_name_that_cannot_be_is_refused_where_it_stands() {
    on_each(async |world| {
        let lot = world.free_lots()[0];
        world.settler(1, lot).await;
        world.claim(1, &lot.token(), "a").await;
        let long = json!({"name": "x".repeat(41)}).to_string();
        for (body, outcome, pointer) in [
            (r#"{"name": ""}"#, (422, "invalid_body"), Some("#/name")),
            (r#"{"name": "\u202Eevil"}"#, (422, "invalid_body"), Some("#/name")),
            (r#"{"name": "two\nlines"}"#, (422, "invalid_body"), Some("#/name")),
            (&long, (422, "invalid_body"), Some("#/name")),
            (r#"{"name": 5}"#, (422, "invalid_body"), Some("#/name")),
            (r#"{"name": "a", "owner": "me"}"#, (422, "invalid_body"), Some("#/owner")),
            ("{}", (422, "invalid_body"), Some("#")),
            ("[]", (422, "invalid_body"), Some("#")),
            ("{", (400, "malformed_json"), None),
            (r#"{"name": "a"} x"#, (400, "malformed_json"), None),
            ("", (400, "malformed_json"), None),
        ] {
            let answer = world.rename(1, &lot.token(), body).await;
            assert_eq!(answer.outcome(), outcome, "{body}: {}", answer.body);
            assert_eq!(answer.body["errors"][0]["pointer"].as_str(), pointer, "{body}: {}", answer.body);
        }
        assert_eq!(world.get(1, &format!("/api/v1/lands/{}", lot.token())).await.body["name"], Value::Null);
    });
}

#[test]
fn lots_are_listed_by_place_and_by_owner_in_pages() {
    on_each(async |world| {
        let mut lots = world.free_lots();
        for (index, lot) in lots.iter().enumerate() {
            let owner = 1 + index as u128 % 3;
            world.settler(owner, *lot).await;
            let claimed = world.claim(owner, &lot.token(), &format!("{index}")).await;
            assert_eq!(claimed.status.as_u16(), 201, "{}", claimed.body);
        }
        let owned_by_one: Vec<_> = lots.iter().copied().step_by(3).collect();
        lots.sort();
        let all = |cell: &str| format!("/api/v1/lands?cell={cell}");
        let face = world.get(9, &all(&lots[0].parent(0).token())).await;
        assert_eq!(tokens(&face), lots.iter().map(|it| it.token()).collect::<Vec<_>>());
        assert!(face.body["next_cursor"].is_null());

        // Inside each cell of the level above there are its own lots and no others.
        for parent in lots.iter().map(|it| it.parent(it.level() - 1)) {
            let inside = tokens(&world.get(9, &all(&parent.token())).await);
            let expected = lots.iter().filter(|it| parent.contains(**it));
            assert_eq!(inside, expected.map(|it| it.token()).collect::<Vec<_>>());
        }
        assert_eq!(tokens(&world.get(9, &all(&lots[0].token())).await), [lots[0].token()]);
        assert!(tokens(&world.get(9, &all(&world.sea_lot().token())).await).is_empty());

        let mut path = format!("{}&limit=2", all(&lots[0].parent(0).token()));
        let mut paged = Vec::new();
        loop {
            let page = world.get(9, &path).await;
            paged.extend(tokens(&page));
            let Some(cursor) = page.body["next_cursor"].as_str() else { break };
            path = format!("{}&limit=2&cursor={cursor}", all(&lots[0].parent(0).token()));
        }
        assert_eq!(paged, tokens(&face));

        let mut mine: Vec<_> = owned_by_one.iter().map(|it| it.token()).collect();
        mine.sort_by_key(|it| cell::CellId::parse_token(it).unwrap());
        let listed = world.get(1, "/api/v1/lands/mine").await;
        assert_eq!(tokens(&listed), mine);
        assert_eq!(
            listed.body["items"][0]["owner"],
            json!({"account_id": account(1), "kind": "account", "display_name": "player 1"})
        );
        assert!(tokens(&world.get(9, "/api/v1/lands/mine").await).is_empty());
        let second = world.get(1, "/api/v1/lands/mine?limit=1").await;
        let cursor = second.body["next_cursor"].as_str().unwrap();
        assert_eq!(tokens(&world.get(1, &format!("/api/v1/lands/mine?cursor={cursor}")).await), mine[1..]);
    });
}

#[test]
fn a_bad_question_is_refused() {
    on_each(async |world| {
        let lot = world.free_lots()[0];
        let (lot_token, leaf) = (lot.token(), lot.range_min().token());
        // A cursor of another place: face 5, far from the lot.
        let elsewhere = api::cursor::encode(&cell::CellId::from_face(5).raw().to_be_bytes());
        for (path, outcome) in [
            ("/api/v1/lands".to_owned(), (400, "invalid_query")),
            ("/api/v1/lands?cell=zz".to_owned(), (400, "invalid_query")),
            (format!("/api/v1/lands?cell={leaf}"), (400, "invalid_query")),
            (format!("/api/v1/lands?cell={lot_token}&limit=0"), (400, "invalid_query")),
            (format!("/api/v1/lands?cell={lot_token}&limit=1e3"), (400, "invalid_query")),
            (format!("/api/v1/lands?cell={lot_token}&owner=1"), (400, "invalid_query")),
            (format!("/api/v1/lands?cell={lot_token}&cursor=AAAAAAAAAAA"), (400, "invalid_cursor")),
            (format!("/api/v1/lands?cell={lot_token}&cursor={elsewhere}"), (400, "invalid_cursor")),
            ("/api/v1/lands/mine?cursor=%00".to_owned(), (400, "invalid_cursor")),
            ("/api/v1/lands/%ff".to_owned(), (400, "invalid_path")),
            ("/api/v1/lands/mine%20".to_owned(), (404, "not_a_lot")),
        ] {
            let answer = world.get(1, &path).await;
            assert_eq!(answer.outcome(), outcome, "{path}: {}", answer.body);
        }
    });
}
