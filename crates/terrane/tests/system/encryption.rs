//! A planet that strangers can reach: encrypted, or not started.

use std::fs;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use futures_util::{SinkExt as _, StreamExt as _};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::Message;
use wire::{ClientMessage, Hello, ServerMessage};

use crate::support::{Server, run, terrane, wait_for};

/// Certificate and key of `localhost` in a folder.
struct Files {
    folder: TempDir,
    root: CertificateDer<'static>,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Self::write_to(&folder);
        Self { folder, root }
    }

    fn write_to(folder: &TempDir) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        fs::write(folder.path().join("privkey.pem"), key.serialize_pem()).unwrap();
        fs::write(folder.path().join("fullchain.pem"), certificate.pem()).unwrap();
        certificate.der().clone()
    }

    fn settings(&self) -> String {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        format!(
            "[http]\ntls_certificate = '{}'\ntls_key = '{}'\n",
            path("fullchain.pem"),
            path("privkey.pem")
        )
    }
}

async fn connect(server: &Server, root: &CertificateDer<'static>) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.host()).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

/// One request on a connection of its own; its status and body.
async fn post(server: &Server, root: &CertificateDer<'static>, path: &str, body: &Value) -> (u16, Value) {
    let mut stream = connect(server, root).await.unwrap();
    let body = body.to_string();
    let request = format!(
        "POST /api/v1/{path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        server.host(),
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
}

async fn log_in(server: &Server, root: &CertificateDer<'static>) -> String {
    let key = SigningKey::from_bytes(&rand::random());
    let public_key = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    let (status, challenge) =
        post(server, root, "auth/challenge", &json!({ "public_key": public_key })).await;
    assert_eq!(status, 200, "{challenge}");
    let message = challenge["message"].as_str().unwrap();
    assert!(message.contains(&format!("\norigin: https://{}\n", server.host())), "{message}");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).to_bytes());
    let signed = json!({ "public_key": public_key, "nonce": challenge["nonce"], "signature": signature });
    let (status, session) = post(server, root, "auth/verify", &signed).await;
    assert_eq!(status, 200, "{session}");
    session["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn one_signs_in_and_enters_the_world_over_tls() {
    let files = Files::new();
    let server = Server::start_configured(&files.settings());
    assert!(server.url().starts_with("https://"), "{}", server.url());
    run(async {
        let access_token = log_in(&server, &files.root).await;
        let stream = connect(&server, &files.root).await.unwrap();
        let url = format!("wss://{}/ws", server.host());
        let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.expect("the upgrade");
        let hello = Hello {
            protocol_version: wire::PROTOCOL_VERSION,
            protocol_hash: wire::PROTOCOL_HASH,
            access_token,
            ..Hello::default()
        };
        socket.send(Message::Binary(ClientMessage::Hello(hello).encode().into())).await.unwrap();
        let (mut was_welcomed, mut frames) = (false, 0);
        while frames < 3 {
            let Some(Ok(Message::Binary(bytes))) = socket.next().await else { panic!("it ended") };
            match ServerMessage::decode(&bytes).unwrap() {
                ServerMessage::Welcome(_) => was_welcomed = true,
                ServerMessage::Frame(_) => frames += 1,
                ServerMessage::Bye(bye) => panic!("{bye:?}"),
                _ => {}
            }
        }
        assert!(was_welcomed);
        // Whoever comes in the clear is told nothing.
        let mut bare = TcpStream::connect(server.host()).await.unwrap();
        bare.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        let _ = bare.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    });
}

#[test]
fn a_renewed_certificate_is_served_without_a_restart() {
    let files = Files::new();
    let server = Server::start_configured(&files.settings());
    run(async {
        assert!(connect(&server, &files.root).await.is_ok());
        let renewed = Files::write_to(&files.folder);
        wait_for("the renewed certificate", || async { connect(&server, &renewed).await.ok() }).await;
        assert!(connect(&server, &files.root).await.is_err());
    });
    assert!(server.log().contains("the certificate was renewed"), "{}", server.log());
}

#[test]
fn a_start_that_would_let_others_listen_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let serve = |more: &[&str]| {
        let base = ["serve", "--metrics-listen", "off", "--data", data.to_str().unwrap()];
        terrane(&[&base, more].concat())
    };
    let refused = serve(&["--listen", "0.0.0.0:0"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    for part in ["http.tls_certificate", "http.trusted_proxies", "127.0.0.1"] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    let file = folder.path().join("terrane.toml");
    for (settings, code, parts) in [
        ("[http]\ntls_certificate = 'c.pem'\n", 2, &["belong together"][..]),
        (
            "[http]\ntls_certificate = '/nowhere/c.pem'\ntls_key = '/nowhere/k.pem'\n",
            1,
            &["/nowhere/c.pem", "cannot be read"],
        ),
    ] {
        fs::write(&file, settings).unwrap();
        let refused = serve(&["--listen", "127.0.0.1:0", "--config", file.to_str().unwrap()]);
        assert_eq!(refused.code, Some(code), "{refused:?}");
        for part in parts {
            assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
        }
    }
    assert!(!data.exists(), "nothing was made");
}
