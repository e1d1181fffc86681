//! Traces of a person in texts that others keep: where an answer or an event names them by id, their name beside it.

use serde_json::Value;
use uuid::Uuid;

/// Members that hold what somebody wrote or is called; so do those that end in `_name`.
const NAMES: [&str; 4] = ["name", "display_name", "message", "description"];

/// Replaces names and words in every object that holds the person's id as a value, itself or in an object within it;
/// `None` if there was nothing.
pub fn without_names(text: &str, account_id: Uuid) -> Option<String> {
    let id = account_id.to_string();
    if !text.contains(&id) {
        return None;
    }
    let mut value: Value = serde_json::from_str(text).ok()?;
    walk(&mut value, &id).then(|| value.to_string())
}

fn walk(value: &mut Value, id: &str) -> bool {
    match value {
        Value::Array(items) => items.iter_mut().fold(false, |changed, it| walk(it, id) | changed),
        Value::Object(members) => {
            let names_them = |it: &Value| it.as_str() == Some(id);
            let is_about = members
                .values()
                .any(|it| names_them(it) || it.as_object().is_some_and(|part| part.values().any(names_them)));
            let mut changed = false;
            for (name, member) in members.iter_mut() {
                let is_name = NAMES.contains(&name.as_str()) || name.ends_with("_name");
                if is_about && is_name && member.is_string() {
                    *member = Value::from("[erased]");
                    changed = true;
                } else {
                    changed |= walk(member, id);
                }
            }
            changed
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beside_the_id_go_and_all_else_stays() {
        let ann = Uuid::from_u128(7);
        let text = format!(
            r#"{{"items":[{{"owner":{{"account_id":"{ann}","display_name":"Ann"}},"message":"Hello"}},{{"account_id":"x","name":"Bob"}}]}}"#
        );
        let scrubbed = without_names(&text, ann).unwrap();
        assert!(!scrubbed.contains("Ann") && !scrubbed.contains("Hello") && scrubbed.contains("Bob"));
        assert_eq!(without_names(&scrubbed, Uuid::from_u128(8)), None);
        assert_eq!(without_names("not JSON", ann), None);
    }
}
