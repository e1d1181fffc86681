//! The description of the routes says what they answer.

use serde_json::Value;
use store::testing::TestDatabase;

use crate::world::{World, migrations};

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_described_with_all_its_answers() {
    let database = TestDatabase::sqlite();
    let world = World::new(database.open(&migrations()).await);
    let (_, document) = land::routes(world.land).split_for_parts();
    let document = serde_json::to_value(document).unwrap();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let name = format!("{method} {path}");
            assert!(operation["summary"].is_string() && operation["operationId"].is_string(), "{name}");
            // Maps are for everybody.
            let is_public = ["tiles.json", "{file}", "lands.geojson"].iter().any(|it| path.ends_with(it));
            let security = if is_public { Value::Null } else { serde_json::json!([{"bearer": []}]) };
            assert_eq!(operation["security"], security, "{name}");
            for parameter in operation["parameters"].as_array().unwrap_or(&Vec::new()) {
                assert!(parameter["description"].is_string(), "{name}: {parameter}");
            }
            let answers = operation["responses"].as_object().unwrap();
            // What every route may answer (500, 503) is described once for all, by the gateway.
            assert_eq!(answers.contains_key("401"), !is_public, "{name}");
            for (status, answer) in answers.iter().filter(|(status, _)| status.starts_with(['4', '5'])) {
                let schema = &answer["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{name}: {status}");
                assert!(
                    answer["description"].as_str().unwrap().contains('`'),
                    "{name}: {status} names no code"
                );
            }
            operations.push(name);
        }
    }
    operations.sort();
    assert_eq!(
        operations,
        [
            "get /api/v1/lands",
            "get /api/v1/lands.geojson",
            "get /api/v1/lands/free",
            "get /api/v1/lands/gifts",
            "get /api/v1/lands/mine",
            "get /api/v1/lands/tiles.json",
            "get /api/v1/lands/tiles/{z}/{x}/{file}",
            "get /api/v1/lands/{token}",
            "get /api/v1/lands/{token}/titles",
            "patch /api/v1/lands/{token}",
            "post /api/v1/lands/claims",
            "post /api/v1/lands/gifts/{id}/accept",
            "post /api/v1/lands/gifts/{id}/cancel",
            "post /api/v1/lands/gifts/{id}/decline",
            "post /api/v1/lands/{token}/abandon",
            "post /api/v1/lands/{token}/claim",
            "post /api/v1/lands/{token}/gift",
            "post /api/v1/lands/{token}/merge",
            "post /api/v1/lands/{token}/split",
        ]
    );
    let claim = &document["paths"]["/api/v1/lands/{token}/claim"]["post"];
    for code in
        ["not_a_lot", "lot_unclaimable", "not_in_world", "lot_too_far", "lot_taken", "insufficient_funds"]
    {
        let names =
            |it: &Value| it["description"].as_str().is_some_and(|text| text.contains(&format!("`{code}`")));
        assert!(claim["responses"].as_object().unwrap().values().any(names), "{code}");
    }
}
