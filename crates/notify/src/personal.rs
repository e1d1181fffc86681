//! What notices and webhooks keep about persons.

use privacy::{Archive, Erased, Form, Listing, PersonalData, without_names};
use store::{Tx, params};
use uuid::Uuid;

/// Rows that are read at once.
const PAGE: i64 = 200;

store::statements! {
    ENDPOINTS = "select endpoint_id, url, description, kinds, created_at, is_enabled, disabled_reason \
                 from webhook_endpoints where account_id = $1 order by endpoint_id limit $2 offset $3";
    DELIVERIES = "select d.delivery_id, d.endpoint_id, d.kind, d.state, d.created_at, d.finished_at, d.answer_status \
                  from webhook_deliveries d join webhook_endpoints e on e.endpoint_id = d.endpoint_id \
                  where e.account_id = $1 order by d.delivery_id limit $2 offset $3";
    NOTICES = "select event_id, kind, at, data, is_read from notices where account_id = $1 \
               order by event_position limit $2 offset $3";
    FORGET_DELIVERIES = "delete from webhook_deliveries where endpoint_id in \
                         (select endpoint_id from webhook_endpoints where account_id = $1)";
    FORGET_ENDPOINTS = "delete from webhook_endpoints where account_id = $1";
    FORGET_NOTICES = "delete from notices where account_id = $1";
    /// Notices of others that name somebody.
    NAMING = "select account_id, event_position, data from notices \
              where (account_id, event_position) > ($1, $2) and data like $3 \
              order by account_id, event_position limit $4";
    REWRITE = "update notices set data = $3 where account_id = $1 and event_position = $2";
    /// Deliveries to others that name somebody. Those that wait are signed when they are sent.
    NAMING_DELIVERIES = "select delivery_id, body from webhook_deliveries where delivery_id > $1 and body like $2 \
                         order by delivery_id limit $3";
    REWRITE_DELIVERY = "update webhook_deliveries set body = $2 where delivery_id = $1";
}

const LISTINGS: &[Listing] = &[
    Listing {
        file: "webhooks",
        kind: "endpoint",
        sql: ENDPOINTS,
        columns: &[
            ("endpoint_id", Form::Id),
            ("url", Form::Text),
            ("description", Form::Text),
            ("kinds", Form::Text),
            ("created_at", Form::Time),
            ("is_enabled", Form::Flag),
            ("disabled_reason", Form::Text),
        ],
    },
    Listing {
        file: "webhooks",
        kind: "delivery",
        sql: DELIVERIES,
        columns: &[
            ("delivery_id", Form::Id),
            ("endpoint_id", Form::Id),
            ("event", Form::Text),
            ("state", Form::Text),
            ("created_at", Form::Time),
            ("finished_at", Form::Time),
            ("answer_status", Form::Number),
        ],
    },
    Listing {
        file: "notices",
        kind: "notice",
        sql: NOTICES,
        columns: &[
            ("notice_id", Form::Id),
            ("event", Form::Text),
            ("at", Form::Time),
            ("data", Form::Json),
            ("is_read", Form::Flag),
        ],
    },
];

/// Notices, webhook endpoints and what was sent to them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Personal;

impl PersonalData for Personal {
    fn domain(&self) -> &'static str {
        "notify"
    }

    fn export(&self, tx: &mut Tx<'_>, account_id: Uuid, out: &mut Archive) -> Result<(), store::Error> {
        out.leave_out("secrets of webhooks", "a secret; it was shown once");
        LISTINGS.iter().try_for_each(|it| out.list(tx, account_id, it))
    }

    fn erase(&self, tx: &mut Tx<'_>, account_id: Uuid, _: i64) -> Result<Erased, store::Error> {
        tx.execute(FORGET_DELIVERIES, params![account_id])?;
        tx.execute(FORGET_ENDPOINTS, params![account_id])?;
        tx.execute(FORGET_NOTICES, params![account_id])?;
        let naming = format!("%{account_id}%");
        let (mut after_account, mut after_position) = (Uuid::nil(), i64::MIN);
        loop {
            let rows = tx.query(NAMING, params![after_account, after_position, &naming, PAGE])?;
            for row in &rows {
                (after_account, after_position) = (row.get(0)?, row.get(1)?);
                if let Some(data) = without_names(&row.get::<String>(2)?, account_id) {
                    tx.execute(REWRITE, params![after_account, after_position, data])?;
                }
            }
            if (rows.len() as i64) < PAGE {
                break;
            }
        }
        let mut after = Uuid::nil();
        loop {
            let rows = tx.query(NAMING_DELIVERIES, params![after, &naming, PAGE])?;
            for row in &rows {
                after = row.get(0)?;
                if let Some(body) = without_names(&row.get::<String>(1)?, account_id) {
                    tx.execute(REWRITE_DELIVERY, params![after, body])?;
                }
            }
            if (rows.len() as i64) < PAGE {
                return Ok(Erased::Done);
            }
        }
    }
}
