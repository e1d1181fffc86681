//! What the world outside relies on: routes, their document, headers.

use std::path::Path;

use serde_json::Value;

use crate::support::{Account, Server, run};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

async fn get(server: &Server, path: &str) -> reqwest::Response {
    reqwest::get(format!("{}{path}", server.url())).await.unwrap()
}

/// Every change of the interface shows in a file that is reviewed.
#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let server = Server::start();
    let served = run(async { get(&server, "/api/openapi.json").await.text().await.unwrap() });
    if std::env::var_os("TERRANE_TEST_UPDATE").is_some() {
        std::fs::write(DOCUMENT, &served).unwrap();
    }
    let committed = std::fs::read_to_string(Path::new(DOCUMENT)).unwrap_or_default();
    assert!(
        served == committed,
        "docs/openapi.json is not what the server describes. If the change is meant, run\n  \
         TERRANE_TEST_UPDATE=1 cargo test -p terrane --test system interface\nand commit the file."
    );
}

#[test]
fn every_route_of_the_document_is_there() {
    let server = Server::start();
    run(async {
        let document: Value = get(&server, "/api/openapi.json").await.json().await.unwrap();
        let paths = document["paths"].as_object().unwrap();
        for wanted in [
            "/api/v1/auth/challenge",
            "/api/v1/auth/verify",
            "/api/v1/auth/refresh",
            "/api/v1/auth/logout",
            "/api/v1/users/me",
            "/api/v1/planet",
            "/api/v1/lands",
            "/api/v1/lands/mine",
            "/api/v1/lands/{token}",
            "/api/v1/lands/{token}/claim",
            "/api/v1/wallet",
            "/api/v1/wallet/postings",
            "/.well-known/jwks.json",
            "/health",
            "/health/live",
            "/health/ready",
            "/ws",
        ] {
            assert!(paths.contains_key(wanted), "{wanted} is not described");
        }
        // A way back from a provider leads on to a page.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        for (path, item) in paths {
            for (method, operation) in item.as_object().unwrap() {
                let url = format!("{}{}", server.url(), path.replace("{token}", "4be64c3c"));
                let method: reqwest::Method = method.to_uppercase().parse().unwrap();
                let status = client.request(method.clone(), url).send().await.unwrap().status().as_u16();
                let listed = operation["responses"].as_object().unwrap();
                assert!(
                    listed.contains_key(&status.to_string()),
                    "{method} {path} answers {status}, which is not listed"
                );
            }
        }
    });
}

#[test]
fn the_policy_lets_our_page_in_and_nothing_else() {
    let server = Server::start();
    run(async {
        let page = get(&server, "/").await;
        assert_eq!(page.status(), 200);
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert_eq!(
            policy,
            "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; \
             img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
        );
        let html = page.text().await.unwrap();
        // What the policy would forbid must not be there in the first place.
        for forbidden in ["<script>", " onload=", " onclick=", "javascript:", "<style", " style="] {
            assert!(!html.contains(forbidden), "the page holds {forbidden}");
        }
        // Every file it names is there.
        for reference in html.split("=\"/").skip(1).filter_map(|rest| rest.split('"').next()) {
            let file = get(&server, &format!("/{reference}")).await;
            assert_eq!(file.status(), 200, "/{reference}");
        }
    });
}

#[test]
fn health_keys_and_metrics_are_public_where_they_should_be() {
    let server = Server::start();
    run(async {
        let account = Account::new(&server).await;
        let mut player = account.enter(&server).await;
        player.frame().await;
        for path in ["/health/live", "/health/ready", "/health"] {
            assert_eq!(get(&server, path).await.status(), 200, "{path}");
        }
        let keys: Value = get(&server, "/.well-known/jwks.json").await.json().await.unwrap();
        assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
        assert!(keys["keys"][0].get("d").is_none(), "the private half stays home");
        // Metrics have a listener of their own.
        assert_eq!(get(&server, "/metrics").await.status(), 404);
        let line = server.lines().iter().find(|line| line.contains("metrics at")).unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        assert!(text.lines().any(|line| line == "terrane_sockets 1"), "{text}");
    });
}
