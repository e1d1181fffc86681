//! The statement as a table for other programs (RFC 4180).

use std::fmt::Write as _;

use api::{Caller, Problem, ValidQuery};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use store::{Store, params};
use utoipa::IntoParams;
use uuid::Uuid;

use super::statement::StatementLine;
use super::{Deps, asset_named, read_for};
use crate::Economy;

/// Lines read and sent at a time.
const CHUNK_LINES: i64 = 1000;
const HEADINGS: &str =
    "number,posted_at,kind,reference,amount,balance,counterparty_id,message,posting_id\r\n";

store::statements! {
    /// How many legs a balance has.
    LEG_COUNT = "select leg_count from balances where ledger_account_id = $1 and asset_id = $2";
    /// A stretch of a balance's legs, oldest first.
    OLDEST = "select l.leg_number, l.posting_id, p.posted_at, p.kind, p.reference, l.amount, l.balance_after, \
              t.from_account_id, t.to_account_id, t.message \
              from legs l join postings p on p.posting_id = l.posting_id \
              left join transfers t on t.posting_id = l.posting_id \
              where l.ledger_account_id = $1 and l.asset_id = $2 and l.leg_number > $3 and l.leg_number <= $4 \
              order by l.leg_number";
}

/// Which statement.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CsvParams {
    /// A currency's code, or `deed:<token>`; `coin` if absent.
    asset: Option<String>,
    /// A group whose officer you are; your own wallet if absent.
    as_group: Option<Uuid>,
}

/// Every change of one balance, oldest first, as CSV
///
/// Amounts are decimal numbers with a point. A text that a spreadsheet would take for a formula begins with an
/// apostrophe.
#[utoipa::path(get, path = "/api/v1/wallet/statement.csv", operation_id = "wallet_statement_csv", tag = "wallet",
    security(("bearer" = [])),
    params(CsvParams),
    responses(
        (status = 200, description = "The whole statement", body = String, content_type = "text/csv"),
        (status = 400, description = "`invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You do not act for that group (`no_authority`)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`unknown_asset`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn statement_csv(
    State(deps): State<Deps>,
    caller: Caller,
    ValidQuery(asked): ValidQuery<CsvParams>,
) -> Result<Response, Problem> {
    let asset = asset_named(asked.asset.as_deref())?;
    let name = asset.to_string();
    let (owner_id, end) = read_for(&deps, caller, asked.as_group, move |tx, owner_id| {
        let count = tx.query_opt(LEG_COUNT, params![owner_id, name.as_str()])?;
        Ok((owner_id, count.map_or(Ok(0), |row| row.get(0))?))
    })
    .await?;
    let scale = Economy::embedded().scale_of(&asset);
    let file = format!("attachment; filename=\"statement-{}.csv\"", asset.as_str().replace(':', "-"));
    let statement = Statement { store: deps.store, owner_id, asset: asset.to_string(), scale, after: 0, end };
    // Lines never change once they are there: reading them piece by piece gives what stood at the beginning.
    let pieces = stream::try_unfold((statement, true), |(mut statement, is_first)| async move {
        if is_first {
            return Ok(Some((Bytes::from_static(HEADINGS.as_bytes()), (statement, false))));
        }
        let piece = statement.next().await?;
        Ok::<_, store::Error>(piece.map(|it| (Bytes::from(it), (statement, false))))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, file),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// What is still to be sent.
struct Statement {
    store: Store,
    owner_id: Uuid,
    asset: String,
    scale: u8,
    after: i64,
    end: i64,
}

impl Statement {
    async fn next(&mut self) -> Result<Option<String>, store::Error> {
        if self.after >= self.end {
            return Ok(None);
        }
        let (owner_id, asset) = (self.owner_id, self.asset.clone());
        let (after, to) = (self.after, self.end.min(self.after + CHUNK_LINES));
        let lines: Vec<StatementLine> = self
            .store
            .read(move |tx| {
                let rows = tx.query(OLDEST, params![owner_id, &asset, after, to])?;
                rows.iter().map(|row| StatementLine::from_row(row, owner_id)).collect::<Result<_, _>>()
            })
            .await?;
        self.after = to;
        let mut text = String::new();
        for line in &lines {
            write_line(&mut text, line, self.scale);
        }
        Ok(Some(text))
    }
}

fn write_line(out: &mut String, line: &StatementLine, scale: u8) {
    let StatementLine { number, posted_at, kind, posting_id, .. } = line;
    let (amount, balance) = (decimal(line.amount_minor, scale), decimal(line.balance_minor, scale));
    let reference = cell(&line.reference);
    let counterparty = line.counterparty_id.map(|it| it.to_string()).unwrap_or_default();
    let message = cell(line.message.as_deref().unwrap_or_default());
    // Writing to a text cannot fail.
    let _ = write!(
        out,
        "{number},{posted_at},{kind},{reference},{amount},{balance},{counterparty},{message},{posting_id}\r\n"
    );
}

/// `-1234` with two places: `-12.34`.
fn decimal(minor: i64, scale: u8) -> String {
    let places = usize::from(scale);
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

/// A text in quotes if it needs them, and never one that a spreadsheet would run as a formula.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_decimal_numbers() {
        let cases = [(0, 2, "0.00"), (5, 2, "0.05"), (-5, 2, "-0.05"), (-1234, 2, "-12.34"), (7, 0, "7")];
        for (minor, scale, text) in cases {
            assert_eq!(decimal(minor, scale), text);
        }
        assert_eq!(decimal(i64::MIN, 3), "-9223372036854775.808");
    }

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_is_no_formula() {
        let cases = [
            ("plain", "plain"),
            ("a, b", "\"a, b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "'=1+1"),
            ("-2,5", "\"'-2,5\""),
            ("", ""),
        ];
        for (text, written) in cases {
            assert_eq!(cell(text), written);
        }
    }
}
