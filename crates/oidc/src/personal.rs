//! What is kept about persons at providers.

use privacy::{Archive, Erased, Form, Listing, PersonalData};
use store::Tx;
use uuid::Uuid;

use crate::rows;

const LISTINGS: &[Listing] = &[Listing {
    file: "credentials",
    kind: "provider",
    sql: rows::EXPORTED,
    columns: &[
        ("identity_id", Form::Id),
        ("issuer", Form::Text),
        ("subject", Form::Text),
        ("linked_at", Form::Time),
        ("last_used_at", Form::Time),
    ],
}];

/// Identities at providers, and logins under way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Personal;

impl PersonalData for Personal {
    fn domain(&self) -> &'static str {
        "oidc"
    }

    fn export(&self, tx: &mut Tx<'_>, account_id: Uuid, out: &mut Archive) -> Result<(), store::Error> {
        LISTINGS.iter().try_for_each(|it| out.list(tx, account_id, it))
    }

    fn erase(&self, tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<Erased, store::Error> {
        rows::erase(tx, account_id, now_us)?;
        Ok(Erased::Done)
    }
}
