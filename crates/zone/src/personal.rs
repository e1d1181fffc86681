//! What the world keeps about persons: where their body was last.

use privacy::{Archive, Erased, Form, Listing, PersonalData};
use store::{Tx, params};
use uuid::Uuid;

store::statements! {
    BODY = "select px, py, pz, fx, fy, fz, saved_at from bodies where account_id = $1 \
            order by account_id limit $2 offset $3";
    /// Forgets it.
    FORGET = "delete from bodies where account_id = $1";
}

const ROWS: Listing = Listing {
    file: "profile",
    kind: "position",
    sql: BODY,
    columns: &[
        ("x_m", Form::Real),
        ("y_m", Form::Real),
        ("z_m", Form::Real),
        ("facing_x", Form::Real),
        ("facing_y", Form::Real),
        ("facing_z", Form::Real),
        ("saved_at", Form::Time),
    ],
};

/// Positions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Personal;

impl PersonalData for Personal {
    fn domain(&self) -> &'static str {
        "zone"
    }

    fn export(&self, tx: &mut Tx<'_>, account_id: Uuid, out: &mut Archive) -> Result<(), store::Error> {
        out.list(tx, account_id, &ROWS)
    }

    fn erase(&self, tx: &mut Tx<'_>, account_id: Uuid, _: i64) -> Result<Erased, store::Error> {
        tx.execute(FORGET, params![account_id])?;
        Ok(Erased::Done)
    }
}
