//! The welcome of a new player.

use ledger::{AccountRef, Amount, Posting, PostingKind};
use store::Tx;
use uuid::Uuid;

use crate::{Economy, PostError, open_account, post};

/// Opens a newcomer's account and gives them the welcome grant of each currency that has one; again for the same
/// account it changes nothing. To be called in the transaction that makes the account.
pub fn open_for(tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<(), PostError> {
    open_account(tx, account_id, now_us)?;
    let mut grant = Posting::of(PostingKind::WelcomeGrant, format!("welcome_grant:{account_id}"), "");
    let mut is_something = false;
    for currency in Economy::embedded().currencies() {
        if currency.welcome > Amount::ZERO {
            let to = AccountRef::Wallet(account_id);
            grant = grant.transfer(AccountRef::Mint, to, &currency.asset(), currency.welcome);
            is_something = true;
        }
    }
    if !is_something {
        return Ok(());
    }
    let grant = grant.finish().expect("a few currencies, each with two legs of one amount, are balanced");
    match post(tx, &grant, now_us) {
        // Welcomed before, when the grant was another one.
        Ok(_) | Err(PostError::ClientIdTaken) => Ok(()),
        Err(error) => Err(error),
    }
}
