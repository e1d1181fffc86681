//! With which certificates WebTransport answers.
//!
//! Where the operator has named a certificate it is used here too, and browsers check it as they check that of the
//! page. Elsewhere we make our own: a browser takes one that nobody has signed if the page names its hash, it is of
//! P-256 and it is good for two weeks at most. Ours is good for thirteen days and used for seven; the next one is made
//! when the present one comes into use, and both hashes are told, so that a page keeps working over the change.

use std::sync::{Arc, PoisonError, RwLock};

use api::SharedClock;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair};
use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};
use wtransport::proto::WEBTRANSPORT_ALPN;

const DAY_US: i64 = 86_400 * 1_000_000;

/// For how long one is used.
const USE_DAYS: i64 = 7;

/// So long before its use it is good already: clocks of others may be late.
const EARLY_DAYS: i64 = 1;

/// For how long one is good; browsers take 14 days at most.
const GOOD_DAYS: i64 = 13;

/// What the next handshake uses.
pub(crate) enum Certificates {
    /// That of the operator, whichever is in use at the moment.
    Configured(Arc<dyn ResolvesServerCert>),
    /// Our own.
    Own(Own),
}

pub(crate) struct Own {
    clock: SharedClock,
    both: RwLock<Both>,
}

#[derive(Clone, Debug)]
struct Both {
    present: Made,
    next: Made,
}

#[derive(Clone, Debug)]
struct Made {
    certified: Arc<CertifiedKey>,
    hash: [u8; 32],
    /// The day of its first use, counted from 1970.
    first_day: i64,
}

impl Certificates {
    /// Ours, beginning today.
    pub(crate) fn own(clock: SharedClock) -> Self {
        let today = clock.now_us().div_euclid(DAY_US);
        let both = Both { present: make(today), next: make(today + USE_DAYS) };
        Self::Own(Own { clock, both: RwLock::new(both) })
    }

    /// SHA-256 of those that a page should take, in base64: the present one and the next; none where browsers check
    /// the certificate as any other.
    pub(crate) fn hashes(&self) -> Vec<String> {
        match self {
            Self::Configured(_) => vec![],
            Self::Own(own) => {
                let both = own.now();
                [both.present, both.next].iter().map(|made| STANDARD.encode(made.hash)).collect()
            }
        }
    }

    /// How QUIC is encrypted with them.
    pub(crate) fn tls(self: &Arc<Self>) -> ServerConfig {
        let resolver: Arc<dyn ResolvesServerCert> = match &**self {
            Self::Configured(resolver) => Arc::clone(resolver),
            Self::Own(_) => Arc::<Self>::clone(self),
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("the provider has cipher suites of TLS 1.3")
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![WEBTRANSPORT_ALPN.to_vec()];
        config
    }
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").field("hashes", &self.hashes()).finish()
    }
}

impl Own {
    /// Both, after a change if it is time for one.
    fn now(&self) -> Both {
        let today = self.clock.now_us().div_euclid(DAY_US);
        {
            let both = self.both.read().unwrap_or_else(PoisonError::into_inner);
            if today < both.next.first_day {
                return both.clone();
            }
        }
        let mut both = self.both.write().unwrap_or_else(PoisonError::into_inner);
        if today >= both.next.first_day {
            // Who slept through more than a week begins anew.
            let is_late = today >= both.next.first_day + USE_DAYS;
            let present = if is_late { make(today) } else { both.next.clone() };
            let next = make(present.first_day + USE_DAYS);
            *both = Both { present, next };
        }
        both.clone()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match self {
            Self::Configured(resolver) => resolver.resolve(hello),
            Self::Own(own) => Some(own.now().present.certified),
        }
    }
}

/// A certificate for use from `first_day` on.
fn make(first_day: i64) -> Made {
    let key = KeyPair::generate().expect("aws-lc makes keys of P-256");
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a plain name");
    let begins_s = (first_day - EARLY_DAYS) * 86_400;
    let ends_s = begins_s + GOOD_DAYS * 86_400;
    params.not_before = time(begins_s);
    params.not_after = time(ends_s);
    let certificate = params.self_signed(&key).expect("its own key signs it");
    let hash = Sha256::digest(certificate.der()).into();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let certified =
        CertifiedKey::from_der(vec![certificate.der().clone()], private, &aws_lc_rs::default_provider());
    let certified = Arc::new(certified.expect("the two were made together"));
    Made { certified, hash, first_day }
}

/// The beginning of a day as rcgen takes it.
fn time(unix_s: i64) -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(unix_s).expect("within thousands of years of 1970")
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::{Clock as _, ManualClock};
    use x509_cert::der::Decode as _;

    /// 2026-11-21 21:00 UTC.
    const NOW_US: i64 = 1_795_294_800 * 1_000_000;

    fn validity_s(made: &Made) -> (i64, i64) {
        let certificate = x509_cert::Certificate::from_der(&made.certified.cert[0]).unwrap();
        let validity = certificate.tbs_certificate().validity();
        let seconds = |time: &x509_cert::time::Time| time.to_unix_duration().as_secs() as i64;
        (seconds(&validity.not_before), seconds(&validity.not_after))
    }

    fn both(certificates: &Certificates) -> Both {
        let Certificates::Own(own) = certificates else { panic!("ours") };
        own.now()
    }

    #[test]
    fn browsers_would_take_ours_on_every_day_of_its_use() {
        let clock = Arc::new(ManualClock::at(NOW_US));
        let certificates = Certificates::own(clock.clone());
        for _ in 0..40 {
            let now_s = clock.now_us() / 1_000_000;
            let present = both(&certificates).present;
            let (begins_s, ends_s) = validity_s(&present);
            assert!(ends_s - begins_s <= 14 * 86_400);
            assert!(begins_s <= now_s - 3_600 && now_s + 5 * 86_400 <= ends_s, "{begins_s} {now_s} {ends_s}");
            let der = &present.certified.cert[0];
            assert_eq!(present.hash, <[u8; 32]>::from(Sha256::digest(der)));
            // id-ecPublicKey on P-256.
            let p256 = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
            assert!(der.windows(p256.len()).any(|window| window == p256));
            clock.advance_us(DAY_US);
        }
    }

    #[test]
    fn a_page_that_knows_two_hashes_gets_in_for_a_week_at_least() {
        let clock = Arc::new(ManualClock::at(NOW_US));
        let certificates = Certificates::own(clock.clone());
        let mut known = certificates.hashes();
        for day in 0..60 {
            let used = STANDARD.encode(both(&certificates).present.hash);
            assert!(known.contains(&used), "day {day}");
            if day % 7 == 6 {
                known = certificates.hashes();
                assert_eq!(known.len(), 2);
            }
            clock.advance_us(DAY_US);
        }
    }

    #[test]
    fn a_server_that_slept_for_a_month_answers_with_a_good_one() {
        let clock = Arc::new(ManualClock::at(NOW_US));
        let certificates = Certificates::own(clock.clone());
        let before = certificates.hashes();
        clock.advance_us(30 * DAY_US);
        let (begins_s, ends_s) = validity_s(&both(&certificates).present);
        let now_s = clock.now_us() / 1_000_000;
        assert!(begins_s < now_s && now_s < ends_s);
        assert!(certificates.hashes().iter().all(|hash| !before.contains(hash)));
    }
}
