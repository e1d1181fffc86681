//! Tokens that do not open anything.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{ACCESS_TOKEN_LIFE_S, AccessTokens, Bearer, SigningKey};
use reqwest::Client;
use serde_json::{Value, json};
use wire::{ClientMessage, Hello};

use crate::support::{Account, Player, Server, run};

async fn me(server: &Server, token: &str) -> (u16, Value) {
    let request = Client::new().get(format!("{}/api/v1/users/me", server.url())).bearer_auth(token);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[test]
fn a_forged_or_foreign_token_opens_nothing() {
    let (server, other) = (Server::start(), Server::start());
    run(async {
        let account = Account::new(&server).await;
        assert_eq!(me(&server, &account.access_token).await.0, 200);
        // Right on another planet, whose keys are its own.
        let foreign = Account::new(&other).await.access_token;
        let mut parts: Vec<&str> = account.access_token.split('.').collect();
        let unsigned = format!("{}.{}.", parts[0], parts[1]);
        parts[1] = foreign.split('.').nth(1).unwrap();
        for token in [foreign.clone(), parts.join("."), unsigned, "x".to_owned()] {
            let (status, problem) = me(&server, &token).await;
            assert_eq!((status, &problem["code"]), (401, &json!("token_invalid")), "{token}");
            assert!(problem["request_id"].is_string());
        }
    });
}

#[test]
fn a_session_is_refreshed_and_ended() {
    let server = Server::start();
    run(async {
        let account = Account::new(&server).await;
        let refresh = async |token: &str| account.post("auth/refresh", json!({"refresh_token": token})).await;
        let session = refresh(&account.refresh_token).await.unwrap();
        let newest = session["refresh_token"].as_str().unwrap();
        assert_eq!(me(&server, session["access_token"].as_str().unwrap()).await.0, 200);
        account.post("auth/logout", json!({"refresh_token": newest})).await.unwrap();
        for token in [newest, account.refresh_token.as_str(), "AAAA"] {
            assert_eq!(refresh(token).await.unwrap_err().code, "refresh_token_invalid");
        }
    });
}

#[test]
fn a_challenge_is_answered_once_and_rightly() {
    let server = Server::start();
    run(async {
        let account = Account::new(&server).await;
        let codes = async |answers: [Value; 2]| {
            let mut codes = Vec::new();
            for answer in answers {
                codes.push(match account.post("auth/verify", answer).await {
                    Ok(_) => (200, String::new()),
                    Err(error) => (error.status.as_u16(), error.code),
                });
            }
            codes
        };
        let right = account.answer_a_challenge().await;
        let replayed = codes([right.clone(), right]).await;
        assert_eq!(replayed, [(200, String::new()), (401, "challenge_not_open".to_owned())]);
        let right = account.answer_a_challenge().await;
        let mut forged = account.answer_a_challenge().await;
        // Signed by the right key, but another challenge.
        forged["nonce"] = right["nonce"].clone();
        let used_up = codes([forged, right]).await;
        assert_eq!(used_up, [(401, "signature_refused".to_owned()), (401, "challenge_not_open".to_owned())]);
    });
}

#[test]
fn a_spent_refresh_token_ends_the_session_of_whoever_copied_it() {
    let server = Server::start();
    run(async {
        let account = Account::new(&server).await;
        let refresh = async |token: &str| account.post("auth/refresh", json!({"refresh_token": token})).await;
        let text = |session: Value| session["refresh_token"].as_str().unwrap().to_owned();
        let second = text(refresh(&account.refresh_token).await.unwrap());
        let third = text(refresh(&second).await.unwrap());
        assert_eq!(refresh(&account.refresh_token).await.unwrap_err().code, "refresh_token_reused");
        assert_eq!(refresh(&third).await.unwrap_err().code, "refresh_token_invalid");
    });
}

#[test]
fn the_world_is_closed_to_an_expired_token() {
    let server = Server::start();
    run(async {
        let account = Account::new(&server).await;
        let claims = account.access_token.split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        let id =
            |claim: &str| claims[claim].as_str().unwrap().trim_start_matches("urn:uuid:").parse().unwrap();
        // What the server itself would have written a while ago.
        let key = SigningKey::load_or_create(&server.data().join("keys/access_token.jwk"), [0; 32]).unwrap();
        let bearer = Bearer { account_id: id("sub"), session_id: id("sid") };
        let issue = |issued_s| AccessTokens::new(id("iss"), &key).issue(bearer, id("jti"), issued_s);
        let issued_s = claims["iat"].as_i64().unwrap();
        assert_eq!(issue(issued_s), account.access_token);
        let expired = issue(issued_s - ACCESS_TOKEN_LIFE_S);
        assert_eq!(me(&server, &expired).await.1["code"], "token_expired");
        let mut player = Player::connect(&server).await;
        let hello = Hello { access_token: expired, ..account.hello() };
        player.send(&ClientMessage::Hello(hello)).await;
        let bye = player.expect_bye().await;
        assert_eq!((bye.code.as_str(), bye.may_reconnect), ("token_expired", true));
    });
}

#[test]
fn tokens_survive_a_restart() {
    let mut server = Server::start();
    let account = run(Account::new(&server));
    assert_eq!(server.stop(), Some(0));
    server.start_again();
    run(async {
        assert_eq!(me(&server, &account.access_token).await.0, 200, "the signing key is kept");
    });
}
