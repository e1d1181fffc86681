//! Tokens that do not open anything.

use reqwest::Client;
use serde_json::{Value, json};

use crate::support::{Account, Server, run};

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
fn tokens_survive_a_restart() {
    let mut server = Server::start();
    let account = run(Account::new(&server));
    assert_eq!(server.stop(), Some(0));
    server.start_again();
    run(async {
        assert_eq!(me(&server, &account.access_token).await.0, 200, "the signing key is kept");
    });
}
