//! The description of the routes says what they answer.

use store::testing::TestDatabase;

use crate::world::{World, migrations};

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_described_with_all_its_answers() {
    let database = TestDatabase::sqlite();
    let world = World::new(database.open(&migrations()).await);
    let (_, document) = market::routes(world.market).split_for_parts();
    let document = serde_json::to_value(document).unwrap();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let name = format!("{method} {path}");
            assert!(operation["summary"].is_string() && operation["operationId"].is_string(), "{name}");
            // The terms are the same for everybody.
            let is_open = path.ends_with("/terms");
            let security =
                if is_open { serde_json::Value::Null } else { serde_json::json!([{"bearer": []}]) };
            assert_eq!(operation["security"], security, "{name}");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            for parameter in &parameters {
                assert!(parameter["description"].is_string(), "{name}: {parameter}");
            }
            let needs_key = parameters.iter().any(|it| it["name"] == "Idempotency-Key");
            assert_eq!(needs_key, method != "get" && !path.contains("/watch"), "{name}");
            let answers = operation["responses"].as_object().unwrap();
            for status in (!is_open).then_some(&"401").into_iter().chain(needs_key.then_some(&"429")) {
                assert!(answers.contains_key(*status), "{name}: {status}");
            }
            for (status, answer) in answers.iter().filter(|(status, _)| status.starts_with(['4', '5'])) {
                let schema = &answer["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{name}: {status}");
                assert!(
                    answer["description"].as_str().unwrap().contains('`'),
                    "{name}: {status} names no code"
                );
            }
        }
    }
}
