//! Operations at random: mostly such as make sense, some that cannot be.

use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IteratorRandom as _;
use uuid::Uuid;
use wallet::{HoldKind, HoldRequest};

use super::Model;

const WALLETS: u128 = 12;
const DEEDS: u32 = 8;
const AMOUNT_MAX: i64 = 200;
const PLANETS_OWN: [AccountRef; 5] =
    [AccountRef::Treasury, AccountRef::Fees, AccountRef::Tax, AccountRef::LandOffice, AccountRef::Mint];

/// One thing to be done with the books.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Post(Vec<Posting>),
    Hold(HoldRequest),
    Change { hold_id: Uuid, amount: Amount },
    Void { hold_id: Uuid },
    PostHold { hold_id: Uuid, posting: Posting },
    Expire,
    Reverse { posting_client_id: String, client_id: String },
    Seal,
}

impl Operation {
    pub(crate) fn random(random: &mut StdRng, model: &Model, now_us: i64) -> Self {
        let known_hold = |random: &mut StdRng| match model.hold_ids.len() {
            // One of the last: those of long ago are settled.
            count @ 1.. if random.random_range(0..20) > 0 => {
                model.hold_ids[count - 1 - random.random_range(0..count.min(60))]
            }
            _ => Uuid::from_u128(random.random()),
        };
        match random.random_range(0..100) {
            0..50 => {
                let count = if random.random_range(0..3) == 0 { random.random_range(2..20) } else { 1 };
                Self::Post((0..count).map(|_| posting(random, model)).collect())
            }
            50..66 => Self::Hold(HoldRequest {
                hold_id: Uuid::from_u128(random.random()),
                account_id: Uuid::from_u128(random.random_range(1..=WALLETS)),
                asset: currency(random),
                amount: amount(random, AMOUNT_MAX),
                kind: HoldKind::Bid,
                reference: "auction".to_owned(),
                expires_at_us: (random.random_range(0..2) == 0)
                    .then(|| now_us + random.random_range(0..20_000_000)),
            }),
            66..72 => Self::Change { hold_id: known_hold(random), amount: amount(random, 2 * AMOUNT_MAX) },
            72..80 => Self::Void { hold_id: known_hold(random) },
            80..90 => Self::PostHold { hold_id: known_hold(random), posting: posting(random, model) },
            90..94 => Self::Expire,
            94..98 => match model.booked.len() {
                0 => Self::Seal,
                count => {
                    // One in four again, of those that are taken back already.
                    let again = model.reversed.iter().choose(random).filter(|_| random.random_ratio(1, 4));
                    let recent = &model.booked[count - 1 - random.random_range(0..count.min(40))];
                    Self::Reverse {
                        posting_client_id: again.unwrap_or(recent).clone(),
                        client_id: client_id(random, model),
                    }
                }
            },
            _ => Self::Seal,
        }
    }
}

fn amount(random: &mut StdRng, most: i64) -> Amount {
    Amount::try_from_minor(random.random_range(1..=most)).expect("a small amount")
}

fn currency(random: &mut StdRng) -> AssetId {
    let gem = || AssetId::try_currency("gem").expect("a code");
    if random.random_range(0..4) == 0 { gem() } else { AssetId::coin() }
}

/// Mostly a new one; sometimes one that was used.
fn client_id(random: &mut StdRng, model: &Model) -> String {
    match model.booked.len() {
        count @ 1.. if random.random_range(0..25) == 0 => model.booked[random.random_range(0..count)].clone(),
        _ => format!("{:032x}", random.random::<u128>()),
    }
}

fn account(random: &mut StdRng) -> AccountRef {
    match random.random_range(0..8) {
        0 => PLANETS_OWN[random.random_range(0..PLANETS_OWN.len())],
        _ => AccountRef::Wallet(Uuid::from_u128(random.random_range(1..=WALLETS))),
    }
}

fn posting(random: &mut StdRng, model: &Model) -> Posting {
    loop {
        let mut builder = Posting::of(PostingKind::Sale, client_id(random, model), "model");
        for _ in 0..random.random_range(1..4) {
            let (asset, amount) = match random.random_range(0..5) {
                0 => {
                    let token = format!("{:x}", random.random_range(1..=DEEDS));
                    let one = Amount::try_from_minor(1).expect("one");
                    (AssetId::try_deed(&token).expect("a token"), one)
                }
                _ => (currency(random), amount(random, AMOUNT_MAX)),
            };
            // What is given must come into the world first.
            let issuer = match asset.kind() {
                ledger::AssetKind::Currency => AccountRef::Mint,
                ledger::AssetKind::Deed => AccountRef::LandOffice,
            };
            let from = if random.random_range(0..6) == 0 { issuer } else { account(random) };
            builder = builder.transfer(from, account(random), &asset, amount);
        }
        // One that gives to its own giver is none.
        if let Ok(posting) = builder.finish() {
            return posting;
        }
    }
}
