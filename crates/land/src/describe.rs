//! Names and descriptions of land.

use api::text::{self, NameRule};
use api::{Caller, Problem, kinds};
use cell::CellId;
use serde_json::json;
use store::params;

use crate::decide::{changed, happened, may_act};
use crate::parcel;
use crate::rules::Refusal;
use crate::seen::Seen;
use crate::service::LandService;
use crate::view::LotView;

const NAME: NameRule = NameRule { chars_min: 1, chars_max: 40 };
/// Of each line; an empty one separates paragraphs.
const DESCRIPTION_LINE: NameRule = NameRule { chars_min: 0, chars_max: 200 };
const DESCRIPTION_LINES_MAX: usize = 20;
const DESCRIPTION_BYTES_MAX: usize = 4_000;

store::statements! {
    /// Writes what the owner calls and says of a parcel, which has been taken.
    DESCRIBE = "update parcels set name = $2, description = $3 where parcel_id = $1";
}

/// What is to be written; what is `None` stays as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Description {
    name: Option<String>,
    description: Option<String>,
}

impl Description {
    /// Reads what somebody wrote. An empty description takes the old one away; a name there must be.
    pub fn parse(name: Option<&str>, description: Option<&str>) -> Result<Self, Problem> {
        let name = name
            .map(|it| text::parse_name(it, NAME))
            .transpose()
            .map_err(|fault| Problem::from(kinds::INVALID_BODY).at("#/name", fault.to_string()))?;
        let description = description.map(parse_description).transpose()?;
        if name.is_none() && description.is_none() {
            return Err(Problem::from(kinds::INVALID_BODY).at("#", "there is nothing to change"));
        }
        Ok(Self { name, description })
    }
}

fn parse_description(input: &str) -> Result<String, Problem> {
    let refuse = |detail: String| Problem::from(kinds::INVALID_BODY).at("#/description", detail);
    if input.len() > DESCRIPTION_BYTES_MAX {
        return Err(refuse(format!("must have at most {DESCRIPTION_BYTES_MAX} bytes")));
    }
    let lines: Vec<_> = input.trim().lines().collect();
    if lines.len() > DESCRIPTION_LINES_MAX {
        return Err(refuse(format!("must have at most {DESCRIPTION_LINES_MAX} lines")));
    }
    let parsed = lines.into_iter().map(|line| text::parse_name(line, DESCRIPTION_LINE));
    let lines: Vec<_> = parsed.collect::<Result<_, _>>().map_err(|fault| refuse(fault.to_string()))?;
    Ok(lines.join("\n"))
}

impl LandService {
    /// Names and describes a parcel of the caller's, or of a group that the caller acts for.
    pub async fn describe(
        &self,
        caller: Caller,
        lot: CellId,
        wanted: Description,
    ) -> Result<LotView, Problem> {
        let now_us = self.deps.clock.now_us();
        let deps = self.deps.clone();
        let seen = self
            .deps
            .store
            .locked(move |tx| {
                let facts = parcel::take(tx, lot)?.ok_or(Refusal::NotOwner)?;
                if !may_act(tx, &deps, facts.owner_id, caller.account_id)? {
                    return Err(Refusal::NotOwner);
                }
                let name = wanted.name.clone().or(facts.name);
                let description =
                    wanted.description.clone().or(facts.description).filter(|it| !it.is_empty());
                tx.execute(DESCRIBE, params![facts.anchor.to_sql(), name, description])?;
                let seen = Seen::now(tx, &deps, facts.anchor)?;
                events::record(tx, &[happened("land.renamed", &seen, json!({}))], now_us)?;
                Ok(seen)
            })
            .await?;
        self.deps.wake.wake();
        self.tell(changed(&seen));
        Ok(seen.view(self.deps.economy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_have_lines_and_nothing_that_disturbs() {
        let check = |input: &str, expected: Option<&str>| {
            assert_eq!(parse_description(input).ok().as_deref(), expected, "{input:?}");
        };
        check("  Apples\r\n\r\nand   bees. \n", Some("Apples\n\nand bees."));
        check("", Some(""));
        check("a\tb", None);
        check("a\u{202E}b", None);
        check("a\0b", None);
        check(&"x".repeat(201), None);
        check(&"x\n".repeat(21), None);
        check(&"x".repeat(10_000), None);
        check(&vec!["মহুয়া গাছ".to_owned(); 20].join("\n"), Some(&vec!["মহুয\u{9bc}া গাছ"; 20].join("\n")));
    }
}
