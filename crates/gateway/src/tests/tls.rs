//! TLS with real sockets and certificates made for the test.

use api::ManualClock;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, SupportedProtocolVersion};

use crate::{Tls, TlsError, TlsFiles};

use super::*;

const NAME: &str = "planet.example";

/// 2027-01-15, when the tests' clocks stand.
const NOW: i64 = NOW_US;

/// Files in a folder of their own.
struct Files {
    folder: TempDir,
    clock: Arc<ManualClock>,
}

/// A certificate that is its own root.
struct Made {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

fn make(from_year: i32, to_year: i32) -> Made {
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, NAME);
    params.not_before = date_time_ymd(from_year, 1, 1);
    params.not_after = date_time_ymd(to_year, 1, 1);
    let key = KeyPair::generate().unwrap();
    Made { certificate: params.self_signed(&key).unwrap(), key }
}

impl Files {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: Arc::new(ManualClock::at(NOW)) }
    }

    fn names(&self) -> TlsFiles {
        let at = |name| self.folder.path().join(name);
        TlsFiles { certificate: at("fullchain.pem"), key: at("privkey.pem") }
    }

    fn write(&self, made: &Made) {
        self.write_texts(&made.certificate.pem(), &made.key.serialize_pem());
    }

    fn write_texts(&self, certificate: &str, key: &str) {
        std::fs::write(self.names().certificate, certificate).unwrap();
        std::fs::write(self.names().key, key).unwrap();
    }

    fn open(&self) -> Result<Tls, TlsError> {
        Tls::open(self.names(), Arc::clone(&self.clock) as api::SharedClock)
    }
}

struct Listening {
    address: SocketAddr,
    tls: Arc<Tls>,
    _world: World,
    stop: watch::Sender<bool>,
}

async fn listen(files: &Files, idle_time_max: Duration) -> Listening {
    let world = World::with(plain(), Limiter::off(), layers::REQUEST_TIME_MAX).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tls = Arc::new(files.open().unwrap());
    let (stop, stopping) = watch::channel(false);
    let limits = Limits { idle_time_max, ..Limits::new(50, 65_536) };
    tokio::spawn(server::serve(listener, Some(Arc::clone(&tls)), world.app.clone().into(), limits, stopping));
    Listening { address, tls, _world: world, stop }
}

const LONG: Duration = Duration::from_mins(1);

/// Trusts exactly this certificate.
async fn connect(
    address: SocketAddr,
    trusted: &Made,
    alpn: &[&[u8]],
    version: &'static SupportedProtocolVersion,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.certificate.der().clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|it| it.to_vec()).collect();
    config.time_provider = Arc::new(At(NOW));
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(NAME).unwrap(), stream).await
}

/// The clock of a client that stands where ours does.
#[derive(Debug)]
struct At(i64);

impl rustls::time_provider::TimeProvider for At {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        let since = Duration::from_micros(u64::try_from(self.0).ok()?);
        Some(rustls::pki_types::UnixTime::since_unix_epoch(since))
    }
}

const TLS13: &SupportedProtocolVersion = &rustls::version::TLS13;

async fn get(stream: &mut (impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin), path: &str) -> String {
    let asked = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(LONG, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn http_1_and_2_are_spoken_within_tls_1_3_and_nothing_older_or_plain() {
    let (files, made) = (Files::new(), make(2026, 2028));
    files.write(&made);
    let planet = listen(&files, LONG).await;

    let mut http1 = connect(planet.address, &made, &[b"http/1.1"], TLS13).await.unwrap();
    assert_eq!(http1.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let answer = get(&mut http1, "/api/v1/planet").await.to_ascii_lowercase();
    assert!(
        answer.starts_with("http/1.1 200")
            && answer.contains("\r\nstrict-transport-security: max-age=31536000\r\n"),
        "{answer}"
    );
    // Old tools say nothing about what they speak.
    let mut silent = connect(planet.address, &made, &[], TLS13).await.unwrap();
    assert!(get(&mut silent, "/health/live").await.starts_with("HTTP/1.1 200"));

    let http2 = connect(planet.address, &made, &[b"h2", b"http/1.1"], TLS13).await.unwrap();
    assert_eq!(http2.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (client, connection) = h2::client::handshake(http2).await.unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    for (host, status) in [("localhost", 200), ("evil.example", 421)] {
        let asked = Request::get(format!("https://{host}/api/v1/planet")).body(()).unwrap();
        let (answer, _) = client.send_request(asked, true).unwrap();
        assert_eq!(timeout(LONG, answer).await.unwrap().unwrap().status(), status, "{host}");
    }

    let old = connect(planet.address, &made, &[], &rustls::version::TLS12).await.unwrap_err();
    assert!(old.to_string().contains("ProtocolVersion"), "{old}");
    let mut bare = TcpStream::connect(planet.address).await.unwrap();
    bare.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = timeout(LONG, bare.read_to_end(&mut answer)).await.unwrap();
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn a_program_without_a_page_signs_in_for_https() {
    let (files, made) = (Files::new(), make(2026, 2028));
    files.write(&made);
    let planet = listen(&files, LONG).await;
    let mut stream = connect(planet.address, &made, &[], TLS13).await.unwrap();
    let body = r#"{"public_key":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let asked = format!(
        "POST /api/v1/auth/challenge HTTP/1.1\r\nHost: localhost:8443\r\nContent-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(LONG, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.contains(r"\norigin: https://localhost:8443\n"), "{answer}");
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_up_and_a_broken_one_is_not() {
    let (files, first, second) = (Files::new(), make(2026, 2028), make(2026, 2029));
    files.write(&first);
    let planet = listen(&files, LONG).await;
    let is_served = async |made: &Made| connect(planet.address, made, &[], TLS13).await.is_ok();
    assert!(is_served(&first).await && !is_served(&second).await);
    assert!(!planet.tls.look_again().unwrap(), "nothing has changed");

    // An ACME client has written one file and not yet the other.
    std::fs::write(files.names().certificate, second.certificate.pem()).unwrap();
    assert!(matches!(planet.tls.look_again(), Err(TlsError::Mismatch { .. })));
    assert!(is_served(&first).await);
    files.write(&second);
    assert!(planet.tls.look_again().unwrap());
    assert!(is_served(&second).await && !is_served(&first).await);

    for (certificate, key) in [("", ""), ("nonsense", "nonsense")] {
        files.write_texts(certificate, key);
        assert!(planet.tls.look_again().is_err());
    }
    files.write(&make(2025, 2026));
    assert!(matches!(planet.tls.look_again(), Err(TlsError::Expired { .. })));
    std::fs::remove_file(files.names().key).unwrap();
    assert!(matches!(planet.tls.look_again(), Err(TlsError::Unreadable { .. })));
    assert!(is_served(&second).await, "the last good one goes on");
}

#[test]
fn files_that_cannot_be_used_are_named_with_what_to_do() {
    let (files, good) = (Files::new(), make(2026, 2028));
    let (certificate, key) = (good.certificate.pem(), good.key.serialize_pem());
    let said = |files: &Files| files.open().map(|_| ()).unwrap_err().to_string();
    let check = |said: String, parts: &[&str]| {
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in {said:?}");
        }
    };
    check(said(&files), &["fullchain.pem", "cannot be read", "http.tls_certificate"]);
    std::fs::write(files.names().certificate, &certificate).unwrap();
    check(said(&files), &["privkey.pem", "cannot be read", "http.tls_key"]);
    files.write_texts("nonsense", &key);
    check(said(&files), &["fullchain.pem", "no certificate in PEM"]);
    files.write_texts(&key, &key);
    check(said(&files), &["fullchain.pem", "no certificate in PEM"]);
    files.write_texts(&certificate, &certificate);
    check(said(&files), &["privkey.pem", "no private key in PEM"]);
    files.write_texts(&certificate[..certificate.len() / 2], &key);
    check(said(&files), &["fullchain.pem", "no certificate in PEM"]);
    files.write_texts(&certificate, &make(2026, 2028).key.serialize_pem());
    check(said(&files), &["privkey.pem", "is not that of", "fullchain.pem"]);
    files.write(&make(2020, 2026));
    check(said(&files), &["fullchain.pem", "has expired on 2026-01-01", "renew it"]);
    files.write(&make(2028, 2029));
    check(said(&files), &["fullchain.pem", "valid from 2028-01-01", "clock"]);
    files.write_texts(&certificate, &key);
    assert!(files.open().is_ok());
}

#[tokio::test]
async fn a_connection_of_http_2_where_nothing_happens_is_ended() {
    let (files, made) = (Files::new(), make(2026, 2028));
    files.write(&made);
    let planet = listen(&files, Duration::from_millis(300)).await;
    let stream = connect(planet.address, &made, &[b"h2"], TLS13).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    let ended = tokio::spawn(connection);
    // It answers every ping by itself, and still has to go.
    timeout(LONG, ended).await.expect("it ends").unwrap().unwrap();
    drop(client);
}

#[tokio::test]
async fn a_handshake_that_never_comes_ends_with_the_server() {
    let (files, made) = (Files::new(), make(2026, 2028));
    files.write(&made);
    let planet = listen(&files, LONG).await;
    let mut silent = TcpStream::connect(planet.address).await.unwrap();
    planet.stop.send(true).unwrap();
    let mut rest = Vec::new();
    let _ = timeout(LONG, silent.read_to_end(&mut rest)).await.expect("it is not waited for");
}
