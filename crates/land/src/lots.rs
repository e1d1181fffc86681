//! Lists of lots as clients send them.

use api::{Problem, kinds};
use cell::CellId;

use crate::rules::Refusal;

/// The lots that some tokens name: at least one, at most `count_max`, each once, none inside another and all of the lot
/// level. The number is looked at before anything else. `field` is what the list is called in the body.
pub(crate) fn parse(
    field: &str,
    tokens: &[String],
    lot_level: u8,
    count_max: usize,
) -> Result<Vec<CellId>, Problem> {
    if tokens.len() > count_max {
        return Err(Refusal::TooManyCells { count: tokens.len(), max: count_max }.into());
    }
    if tokens.is_empty() {
        return Err(Problem::from(kinds::INVALID_BODY).at(format!("#/{field}"), "must name at least one lot"));
    }
    let cells: Vec<CellId> = tokens
        .iter()
        .enumerate()
        .map(|(index, token)| {
            let pointer = format!("#/{field}/{index}");
            CellId::parse_token(token)
                .map_err(|fault| Problem::from(kinds::INVALID_BODY).at(pointer, fault.to_string()))
        })
        .collect::<Result<_, _>>()?;
    check_overlap(&cells)?;
    match cells.iter().position(|it| it.level() != lot_level) {
        Some(index) => Err(Problem::from(kinds::INVALID_BODY)
            .at(format!("#/{field}/{index}"), format!("must be a cell of level {lot_level}"))),
        None => Ok(cells),
    }
}

fn check_overlap(cells: &[CellId]) -> Result<(), Refusal> {
    // A cell comes before all that is inside it, and nothing else comes between.
    let mut sorted = cells.to_vec();
    sorted.sort_unstable_by_key(|it| (it.range_min(), it.level()));
    let mut outer = sorted[0];
    for cell in sorted.into_iter().skip(1) {
        if cell == outer {
            return Err(Refusal::DuplicateCell { cell });
        }
        if outer.contains(cell) {
            return Err(Refusal::Overlapping { inner: cell, outer });
        }
        outer = cell;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_of_a_list_has_its_name() {
        let lot = CellId::from_face(4).range_min().parent(15);
        let [next, above, below] = [lot.next().unwrap(), lot.parent(13), lot.children().unwrap()[2]];
        let check = |cells: &[CellId], code: &str| {
            let tokens: Vec<String> = cells.iter().map(|it| it.token()).collect();
            let parsed = parse("cells", &tokens, 15, 3);
            assert_eq!(parsed.as_ref().err().map_or("", Problem::code), code, "{cells:?}");
        };
        check(&[next, lot], "");
        check(&[], "invalid_body");
        check(&[lot, next, lot], "duplicate_cells");
        check(&[next, above], "overlapping_cells");
        check(&[below, lot], "overlapping_cells");
        check(&[lot, below.range_min()], "overlapping_cells");
        check(&[above], "invalid_body");
        check(&[next.next().unwrap(), below], "invalid_body");
        check(&[lot, lot, lot, lot], "too_many_cells");
        let refused = parse("cells", &["4be64c3c".to_owned(), "zz".to_owned()], 15, 3).unwrap_err();
        assert_eq!(refused.errors()[0].pointer.as_deref(), Some("#/cells/1"));
    }
}
