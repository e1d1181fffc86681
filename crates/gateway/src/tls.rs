//! TLS 1.3 by rustls and aws-lc, with certificate files that may change while we run.
//!
//! ACME clients write new files every few weeks and expect servers to take them up. So both files are read again and
//! again; what has changed and is good is used for the next handshake, what is not good is said once and the former
//! goes on. Versions below 1.3 are off: every browser of the last six years speaks it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use api::{SharedClock, timestamp};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;
use tracing::{error, info, warn};
use x509_cert::der::Decode as _;

use crate::server;

/// Protocols that are offered within TLS, the better one first.
const ALPN: [&[u8]; 2] = [H2, b"http/1.1"];

/// HTTP/2 in the language of ALPN.
pub(crate) const H2: &[u8] = b"h2";

/// How long a client may take to agree on keys.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// How often the files are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);

/// So long before a certificate ends somebody should know.
const SOON_US: i64 = 7 * 86_400 * 1_000_000;

/// How often they are told.
const WARNING_INTERVAL_US: i64 = 86_400 * 1_000_000;

/// Where certificate and key are, both in PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The certificate of this server first, then those that lead to a root.
    pub certificate: PathBuf,
    /// Its private key: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

/// Why certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that is not there, or not for us.
    #[error("{} cannot be read ({cause}): name the right file in http.{setting}, readable by this user", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Its setting.
        setting: &'static str,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file holds something else.
    #[error("{} holds no {what} in PEM ({cause}): http.{setting} must name one", path.display())]
    NotPem {
        /// Which.
        path: PathBuf,
        /// Its setting.
        setting: &'static str,
        /// What should be there.
        what: &'static str,
        /// What was found.
        cause: String,
    },
    /// The two do not belong together.
    #[error(
        "the key {} is not that of the first certificate in {}: name the pair that was made together, with the \
         server's own certificate first",
        files.key.display(), files.certificate.display()
    )]
    Mismatch {
        /// Both.
        files: TlsFiles,
    },
    /// No browser would take it.
    #[error("the certificate {} has expired on {at}: renew it", path.display())]
    Expired {
        /// Which.
        path: PathBuf,
        /// Since when.
        at: String,
    },
    /// No browser would take it yet.
    #[error("the certificate {} is valid from {at} only: is the clock of this machine right?", path.display())]
    NotYet {
        /// Which.
        path: PathBuf,
        /// From when.
        at: String,
    },
    /// rustls does not take it.
    #[error("{} and {} cannot be used: {cause}", files.certificate.display(), files.key.display())]
    Unusable {
        /// Both.
        files: TlsFiles,
        /// What rustls says.
        cause: rustls::Error,
    },
}

/// Encrypts what comes to one listener.
pub struct Tls {
    files: TlsFiles,
    clock: SharedClock,
    acceptor: TlsAcceptor,
    current: Arc<Current>,
}

/// What the next handshake uses.
#[derive(Debug)]
struct Current(RwLock<Loaded>);

#[derive(Clone, Debug)]
struct Loaded {
    certified: Arc<CertifiedKey>,
    expires_at_us: i64,
    fingerprint: [u8; 32],
}

impl Tls {
    /// Reads both files and refuses what browsers would refuse.
    pub fn open(files: TlsFiles, clock: SharedClock) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let loaded = load(&files, &provider, clock.now_us())?;
        metrics::gauge!("terrane_tls_certificate_expires_at").set((loaded.expires_at_us / 1_000_000) as f64);
        let current = Arc::new(Current(RwLock::new(loaded)));
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Current>::clone(&current);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("the provider has cipher suites of TLS 1.3")
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
        Ok(Self { files, clock, acceptor: TlsAcceptor::from(Arc::new(config)), current })
    }

    /// Agrees on keys with a client; `None` if it does not come to that.
    pub(crate) async fn accept(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let handshake = tokio::time::timeout(HANDSHAKE_TIME_MAX, self.acceptor.accept(stream)).await;
        let result = match &handshake {
            Ok(Ok(_)) => "ok",
            Ok(Err(_)) => "failed",
            Err(_) => "slow",
        };
        metrics::counter!("terrane_tls_handshakes_total", "result" => result).increment(1);
        handshake.ok()?.ok()
    }

    /// Reads the files again. Gives whether they are others than those in use and now used; an error leaves the former.
    pub fn look_again(&self) -> Result<bool, TlsError> {
        let before = self.current.get();
        if fingerprint(&self.files)? == before.fingerprint {
            return Ok(false);
        }
        let loaded = load(&self.files, &aws_lc_rs::default_provider(), self.clock.now_us())?;
        metrics::gauge!("terrane_tls_certificate_expires_at").set((loaded.expires_at_us / 1_000_000) as f64);
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }

    /// Gives the certificate in use to others who encrypt.
    pub(crate) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        Arc::<Current>::clone(&self.current)
    }

    /// When the certificate in use ends, microseconds since 1970.
    pub fn expires_at_us(&self) -> i64 {
        self.current.get().expires_at_us
    }
}

/// Looks at the files again and again, until `stop` turns true.
pub(crate) async fn keep_fresh(tls: Arc<Tls>, mut stop: watch::Receiver<bool>) {
    let mut interval = tokio::time::interval(LOOK_INTERVAL);
    let mut said = String::new();
    let mut warned_at_us = i64::MIN;
    loop {
        tokio::select! {
            () = server::stopped(&mut stop) => return,
            _ = interval.tick() => {}
        }
        let looking = Arc::clone(&tls);
        let Ok(looked) = tokio::task::spawn_blocking(move || looking.look_again()).await else { continue };
        match looked {
            Ok(is_new) => {
                if is_new {
                    info!(expires_at = %timestamp(tls.expires_at_us()), "the certificate was renewed");
                }
                said.clear();
            }
            // Between the writing of one file and of the other this is as it should be, so it is said once.
            Err(error) if error.to_string() != said => {
                error!(%error, "the new certificate is not used, the former one is");
                said = error.to_string();
            }
            Err(_) => {}
        }
        let (now_us, expires_at_us) = (tls.clock.now_us(), tls.expires_at_us());
        if expires_at_us - now_us < SOON_US && now_us.saturating_sub(warned_at_us) > WARNING_INTERVAL_US {
            warn!(expires_at = %timestamp(expires_at_us), "the certificate ends soon: renew it");
            warned_at_us = now_us;
        }
    }
}

impl Current {
    fn get(&self) -> Loaded {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // Whatever name was asked for: `Host` is checked later, by people who can say what is wrong.
        Some(self.get().certified)
    }
}

fn read(path: &Path, setting: &'static str) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|cause| TlsError::Unreadable { path: path.to_owned(), setting, cause })
}

fn read_both(files: &TlsFiles) -> Result<(Vec<u8>, Vec<u8>), TlsError> {
    Ok((read(&files.certificate, CERTIFICATE_SETTING)?, read(&files.key, KEY_SETTING)?))
}

const CERTIFICATE_SETTING: &str = "tls_certificate";
const KEY_SETTING: &str = "tls_key";

fn fingerprint(files: &TlsFiles) -> Result<[u8; 32], TlsError> {
    read_both(files).map(|(certificate, key)| fingerprint_of(&certificate, &key))
}

fn fingerprint_of(certificate: &[u8], key: &[u8]) -> [u8; 32] {
    let hash = Sha256::new().chain_update((certificate.len() as u64).to_le_bytes());
    hash.chain_update(certificate).chain_update(key).finalize().into()
}

fn load(files: &TlsFiles, provider: &CryptoProvider, now_us: i64) -> Result<Loaded, TlsError> {
    let (certificate_text, key_text) = read_both(files)?;
    let not_pem = |path: &PathBuf, setting, what, cause: &dyn fmt::Display| TlsError::NotPem {
        path: path.clone(),
        setting,
        what,
        cause: cause.to_string(),
    };
    let no_certificate =
        |cause: &dyn fmt::Display| not_pem(&files.certificate, CERTIFICATE_SETTING, "certificate", cause);
    let chain: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(&certificate_text).collect();
    let chain = chain.map_err(|cause| no_certificate(&cause))?;
    let first = chain.first().ok_or_else(|| no_certificate(&"nothing between BEGIN and END"))?;
    let (begins_at_us, expires_at_us) = validity_us(first).map_err(|cause| no_certificate(&cause))?;
    let key = PrivateKeyDer::from_pem_slice(&key_text)
        .map_err(|cause| not_pem(&files.key, KEY_SETTING, "private key", &cause))?;
    let certified = CertifiedKey::from_der(chain, key, provider).map_err(|cause| match cause {
        rustls::Error::InconsistentKeys(_) => TlsError::Mismatch { files: files.clone() },
        cause => TlsError::Unusable { files: files.clone(), cause },
    })?;
    let path = files.certificate.clone();
    if now_us >= expires_at_us {
        return Err(TlsError::Expired { path, at: timestamp(expires_at_us).to_string() });
    }
    if now_us < begins_at_us {
        return Err(TlsError::NotYet { path, at: timestamp(begins_at_us).to_string() });
    }
    let fingerprint = fingerprint_of(&certificate_text, &key_text);
    Ok(Loaded { certified: Arc::new(certified), expires_at_us, fingerprint })
}

/// From when to when, microseconds since 1970.
fn validity_us(certificate: &CertificateDer<'_>) -> Result<(i64, i64), x509_cert::der::Error> {
    let certificate = x509_cert::Certificate::from_der(certificate)?;
    let validity = certificate.tbs_certificate().validity();
    let us =
        |time: &x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_micros()).unwrap_or(i64::MAX);
    Ok((us(&validity.not_before), us(&validity.not_after)))
}
