//! What the tests of the books share.
#![allow(dead_code, reason = "each test uses its part")]

use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
use store::Store;
use uuid::Uuid;
use wallet::{HoldKind, HoldRequest, PostError, Posted, Report};

pub(crate) const NOW_US: i64 = 1_763_715_600_000_000;

pub(crate) fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub(crate) fn wallet_of(n: u128) -> AccountRef {
    AccountRef::Wallet(id(n))
}

pub(crate) fn minor(minor: i64) -> Amount {
    Amount::try_from_minor(minor).expect("an amount in range")
}

pub(crate) fn deed(token: &str) -> AssetId {
    AssetId::try_deed(token).expect("a token")
}

pub(crate) fn coins(client_id: &str, from: AccountRef, to: AccountRef, amount: i64) -> Posting {
    Posting::of(PostingKind::Transfer, client_id, "test")
        .transfer(from, to, &AssetId::coin(), minor(amount))
        .finish()
        .expect("a transfer is balanced")
}

pub(crate) async fn post(store: &Store, posting: &Posting) -> Result<Posted, PostError> {
    let posting = posting.clone();
    store.locked(move |tx| wallet::post(tx, &posting, NOW_US)).await
}

pub(crate) async fn balance(store: &Store, account: AccountRef) -> i64 {
    store
        .read(move |tx| wallet::balance(tx, account, &AssetId::coin()))
        .await
        .expect("it can be read")
        .minor()
}

pub(crate) async fn available(store: &Store, account: AccountRef) -> i64 {
    store
        .read(move |tx| wallet::available(tx, account, &AssetId::coin()))
        .await
        .expect("it can be read")
        .minor()
}

pub(crate) fn bid(hold: u128, account: u128, amount: i64, expires_at_us: Option<i64>) -> HoldRequest {
    HoldRequest {
        hold_id: id(hold),
        account_id: id(account),
        asset: AssetId::coin(),
        amount: minor(amount),
        kind: HoldKind::Bid,
        reference: "auction:1".to_owned(),
        expires_at_us,
    }
}

pub(crate) async fn seal_all(store: &Store) {
    while store.locked(|tx| wallet::seal(tx, 100)).await.expect("it is sealed") == 100 {}
}

pub(crate) async fn report(store: &Store) -> Report {
    store.read(wallet::verify).await.expect("it can be read")
}

pub(crate) async fn assert_sound(store: &Store) {
    let report = report(store).await;
    assert!(report.is_sound(), "{:?}", report.faults);
    assert!(report.sums.values().all(|it| *it == 0), "{:?}", report.sums);
}
