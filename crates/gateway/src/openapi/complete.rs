//! What holds for every operation, written once into the served document: the answers and headers of the layers around
//! all routes, limits of everything that has none of its own, descriptions, whom a server is for.
//!
//! Limits are loose: what a route checks more closely it says itself, and no route takes a text that is longer, or a
//! number beyond its format.

use serde_json::{Map, Value, json};

use crate::BODY_BYTES_MAX;

/// Items of a page; see `api::page_limit`.
const PAGE_ITEMS_MAX: u64 = 100;
/// Nothing that is listed at once is longer.
const ITEMS_MAX: u64 = 65_536;
/// Texts are at most so long that a body can hold a few of them.
const TEXT_LENGTH_MAX: u64 = BODY_BYTES_MAX as u64 / 4;

/// Completes the document.
pub(crate) fn complete(document: &mut Value) {
    let info = object(&mut document["info"]);
    info.insert("contact".to_owned(), json!({"name": "The operator of this planet"}));
    for server in array(document.get_mut("servers")) {
        server["description"] = json!("This planet, in production");
        server["x-internal"] = json!(false);
    }
    object(&mut document["components"]).insert("headers".to_owned(), headers());
    for (path, item) in object(&mut document["paths"]) {
        for (method, operation) in object(item) {
            if method != "parameters" {
                complete_operation(path, method, operation);
            }
        }
    }
    refer(document);
    for (name, schema) in object(&mut document["components"]["schemas"]) {
        limit(schema, name);
    }
}

/// Lists repeat the whole schema of what they hold: they refer to it instead, so that it has one name everywhere.
fn refer(document: &mut Value) {
    let named: Vec<(String, Value)> = document["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, schema)| {
            schema.get("properties").is_some_and(|it| it.as_object().is_some_and(|it| it.len() > 1))
        })
        .map(|(name, schema)| (name.clone(), schema.clone()))
        .collect();
    for (name, schema) in object(&mut document["components"]["schemas"]) {
        refer_below(schema, name, &named, true);
    }
    refer_below(&mut document["paths"], "", &named, false);
}

fn refer_below(value: &mut Value, within: &str, named: &[(String, Value)], is_top: bool) {
    if !is_top && value.get("properties").is_some() {
        let same = named.iter().find(|(name, schema)| name != within && schema == value);
        if let Some((name, _)) = same {
            *value = json!({"$ref": format!("#/components/schemas/{name}")});
            return;
        }
    }
    match value {
        Value::Object(members) => {
            members
                .iter_mut()
                .filter(|(key, _)| *key != "example")
                .for_each(|(_, it)| refer_below(it, within, named, false));
        }
        Value::Array(items) => items.iter_mut().for_each(|it| refer_below(it, within, named, false)),
        _ => {}
    }
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    value.as_object_mut().expect("it was made one")
}

fn array(value: Option<&mut Value>) -> &mut [Value] {
    value.and_then(Value::as_array_mut).map_or(&mut [], |it| it.as_mut_slice())
}

/// Headers of answers, named by the operations.
fn headers() -> Value {
    let text = |description: &str, max: u32, pattern: &str, example: &str| {
        json!({
            "description": description,
            "schema": {"type": "string", "maxLength": max, "pattern": pattern},
            "example": example,
        })
    };
    json!({
        "RateLimit-Policy": text(
            "The limits that were counted: name, quota `q`, window `w` in seconds. Absent on files that may be kept.",
            1024, "^[ -~]*$", "\"account\";q=100;w=60"),
        "RateLimit": text(
            "What is left: name, remaining `r`, seconds `t` until the quota is whole again.",
            1024, "^[ -~]*$", "\"account\";r=97;t=2"),
        "Access-Control-Allow-Origin": text(
            "The origin that asks, if it is one of `http.cors_origins`; absent otherwise.",
            255, "^[!-~]*$", "https://maps.example.org"),
        "Retry-After": {
            "description": "Ask again after so many seconds.",
            "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 2_147_483_647},
            "example": 2,
        },
        "X-Request-Id": text(
            "Names this request in the server's log; quote it when something is wrong.",
            128, "^[!-~]*$", "019aa5c3-1f00-7000-8000-000000000001"),
        "ETag": text("Names this very content, for `If-None-Match`.", 256, "^(W/)?\"[!-~]*\"$", "\"5dc9da79a70659a9\""),
        "Idempotency-Replayed": text(
            "`true` if this is the answer to an earlier request with the same key, and nothing was done now.",
            4, "^true$", "true"),
    })
}

fn complete_operation(path: &str, method: &str, operation: &mut Value) {
    if operation.get("description").is_none_or(|it| it.as_str().is_none_or(str::is_empty)) {
        let summary = operation["summary"].as_str().unwrap_or_default().to_owned();
        operation["description"] = format!("{summary}.").into();
    }
    let mut is_decision = false;
    for parameter in array(operation.get_mut("parameters")) {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        is_decision |= name == "Idempotency-Key";
        known_parameter(&name, &mut parameter["schema"]);
        limit(&mut parameter["schema"], &name);
    }
    if let Some(body) = operation.get_mut("requestBody") {
        limit_content(body.get_mut("content"));
    }
    let is_health = path.starts_with("/health");
    let known = object(&mut operation["responses"]);
    let mut add = |status: &str, description: &str| add_answer(known, status, description);
    add("429", "`quota_exceeded`");
    add("500", "`internal`");
    if !is_health {
        add("400", "`host_invalid`");
        add("421", "`unknown_host`");
        add("503", "`preparing`, `timeout`, `storage_unavailable`");
    }
    let too_long = || json!({"description": "Address and headers are longer than is read; without a body"});
    known.entry("431").or_insert_with(too_long);
    for (status, answer) in known {
        if answer.get("$ref").is_some() {
            continue;
        }
        answer_headers(path, method, status, is_decision, answer);
        limit_content(answer.get_mut("content"));
    }
}

/// The operation's own reasons first, then those of the layers that it does not know of.
fn add_answer(known: &mut Map<String, Value>, status: &str, description: &str) {
    let Some(answer) = known.get_mut(status) else {
        known.insert(status.to_owned(), problem(description));
        return;
    };
    let said = answer["description"].as_str().unwrap_or_default().to_owned();
    let missing: Vec<&str> = description.split(", ").filter(|it| !said.contains(it)).collect();
    if !missing.is_empty() && answer.get("$ref").is_none() {
        let said = if said.is_empty() { said } else { format!("{said}; ") };
        answer["description"] = format!("{said}{}", missing.join(", ")).into();
    }
}

fn problem(description: &str) -> Value {
    json!({
        "description": description,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    })
}

fn answer_headers(path: &str, method: &str, status: &str, is_decision: bool, answer: &mut Value) {
    let mut names = vec!["X-Request-Id", "Access-Control-Allow-Origin"];
    if !status.starts_with('5') {
        names.extend(["RateLimit-Policy", "RateLimit"]);
    }
    if matches!(status, "429" | "503") {
        names.push("Retry-After");
    }
    let may_be_kept = ["/planet/{planet_hash}/", "/chunks/", "/lands/tiles/", "/lands/geojson"];
    if method == "get" && status.starts_with('2') && may_be_kept.iter().any(|it| path.contains(it)) {
        names.push("ETag");
    }
    if is_decision && status.starts_with('2') {
        names.push("Idempotency-Replayed");
    }
    let known = object(&mut answer["headers"]);
    for name in names {
        if !known.keys().any(|it| it.eq_ignore_ascii_case(name)) {
            known.insert(name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
        }
    }
    for (_, header) in known.iter_mut() {
        if let Some(schema) = header.get_mut("schema") {
            limit(schema, "");
        }
    }
}

fn limit_content(content: Option<&mut Value>) {
    if let Some(content) = content.and_then(Value::as_object_mut) {
        for media in content.values_mut() {
            if let Some(schema) = media.get_mut("schema") {
                limit(schema, "");
            }
        }
    }
}

/// One word means one thing in all addresses and headers.
fn known_parameter(name: &str, schema: &mut Value) {
    if schema.get("pattern").is_some() || schema.get("enum").is_some() || schema.get("format").is_some() {
        return;
    }
    let (max, pattern) = match name {
        "Idempotency-Key" => (66, r#"^"?[!#-\[\]-~]+"?$"#),
        "Last-Event-ID" => (64, "^[!-~]+$"),
        "provider_id" => (64, "^[!-.0-~]+$"),
        "key_id" => (43, "^[A-Za-z0-9_-]{43}$"),
        "cursor" => (1024, "^[A-Za-z0-9_-]*$"),
        "token" => (24, "^[0-9A-Fa-f]{1,16}([.][a-z]{1,7})?$"),
        "planet_hash" => (64, "^[0-9A-Fa-f]{64}$"),
        "currency" => (32, "^[a-z][a-z0-9_]*$"),
        "layer" | "biome" | "front" => (64, "^[a-z_,]*$"),
        "file" => (64, "^[A-Za-z0-9_.@-]+$"),
        "cell" => (16, "^[0-9A-Fa-f]{1,16}$"),
        // Numbers with commas in between.
        "near" | "bbox" => (200, "^[-+0-9.eE, ]+$"),
        "asset" => (64, "^[a-z0-9_:]+$"),
        _ => return,
    };
    let Some(schema) = schema.as_object_mut().filter(|it| it.contains_key("type")) else { return };
    schema.entry("maxLength").or_insert(max.into());
    schema.insert("pattern".to_owned(), pattern.into());
}

/// Limits of a schema and of all below it that have none of their own. `name` is what it is called where it stands.
fn limit(schema: &mut Value, name: &str) {
    let Some(it) = schema.as_object_mut() else { return };
    let is = |kind: &str| match it.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(some)) => some.iter().any(|one| one == kind),
        _ => false,
    };
    let is_listed = it.contains_key("enum") || it.contains_key("const");
    let (is_text, is_whole, is_list) = (is("string") && !is_listed, is("integer") && !is_listed, is("array"));
    if is_text {
        let max = match it.get("format").and_then(Value::as_str) {
            Some("uuid") => 36,
            Some("date-time") => 40,
            _ => TEXT_LENGTH_MAX,
        };
        it.entry("maxLength").or_insert(max.into());
    }
    if is_whole {
        let is_short = it.get("format").and_then(Value::as_str).is_none_or(|it| it == "int32");
        it.entry("format").or_insert("int32".into());
        if !it.contains_key("exclusiveMinimum") {
            it.entry("minimum").or_insert(if is_short { i64::from(i32::MIN) } else { i64::MIN }.into());
        }
        if !it.contains_key("exclusiveMaximum") {
            let of_unsigned = it.get("minimum").and_then(Value::as_i64).is_some_and(|it| it >= 0);
            let max = match (is_short, of_unsigned) {
                (true, true) => i64::from(u32::MAX),
                (true, false) => i64::from(i32::MAX),
                (false, _) => i64::MAX,
            };
            it.entry("maximum").or_insert(max.into());
        }
    }
    if is_list {
        let max = if name == "items" { PAGE_ITEMS_MAX } else { ITEMS_MAX };
        it.entry("maxItems").or_insert(max.into());
    }
    for key in ["items", "additionalProperties", "propertyNames", "not"] {
        if let Some(below) = it.get_mut(key) {
            limit(below, "");
        }
    }
    if let Some(properties) = it.get_mut("properties").and_then(Value::as_object_mut) {
        let is_page = properties.contains_key("next_cursor");
        for (name, below) in properties {
            limit(below, if is_page { name } else { "" });
        }
    }
    for key in ["oneOf", "anyOf", "allOf", "prefixItems"] {
        for below in array(it.get_mut(key)).iter_mut() {
            limit(below, name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed() -> Value {
        let mut document = json!({
            "info": {}, "servers": [{"url": "/"}],
            "paths": {"/api/v1/things/{token}": {"post": {
                "summary": "Make a thing",
                "parameters": [
                    {"name": "Idempotency-Key", "schema": {"type": "string"}},
                    {"name": "token", "schema": {"type": "string"}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {
                    "name": {"type": ["string", "null"]},
                    "count": {"type": "integer", "format": "int64", "minimum": 0},
                    "small": {"type": "integer", "format": "int32", "minimum": 0},
                    "kind": {"type": "string", "enum": ["a"]},
                    "cells": {"type": "array", "maxItems": 5, "items": {"type": "string", "format": "uuid"}},
                }}}}},
                "responses": {
                    "201": {"description": "Made"},
                    "429": {"description": "`too_many_decisions`"},
                },
            }}},
            "components": {"schemas": {
                "Page": {"type": "object", "properties": {"next_cursor": {"type": "string"}, "items": {
                    "type": "array", "items": {
                    "type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "boolean"}}}}}},
                "Thing": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "boolean"}}},
            }},
        });
        complete(&mut document);
        document
    }

    #[test]
    fn every_answer_names_its_headers_and_the_layers_answers_are_there() {
        let document = completed();
        let operation = &document["paths"]["/api/v1/things/{token}"]["post"];
        assert_eq!(operation["description"], "Make a thing.");
        let answers = &operation["responses"];
        assert_eq!(answers["429"]["description"], "`too_many_decisions`; `quota_exceeded`");
        assert_eq!(answers["421"]["description"], "`unknown_host`");
        for (status, expected) in [
            (
                "201",
                vec![
                    "Access-Control-Allow-Origin",
                    "Idempotency-Replayed",
                    "RateLimit",
                    "RateLimit-Policy",
                    "X-Request-Id",
                ],
            ),
            (
                "429",
                vec![
                    "Access-Control-Allow-Origin",
                    "RateLimit",
                    "RateLimit-Policy",
                    "Retry-After",
                    "X-Request-Id",
                ],
            ),
            ("500", vec!["Access-Control-Allow-Origin", "X-Request-Id"]),
            ("503", vec!["Access-Control-Allow-Origin", "Retry-After", "X-Request-Id"]),
        ] {
            let mut names: Vec<_> = answers[status]["headers"].as_object().unwrap().keys().collect();
            names.sort();
            assert_eq!(names, expected, "{status}");
            for name in names {
                assert!(document["components"]["headers"][name].is_object(), "{name}");
            }
        }
    }

    #[test]
    fn what_has_no_limit_gets_one_and_what_has_one_keeps_it() {
        let document = completed();
        let operation = &document["paths"]["/api/v1/things/{token}"]["post"];
        assert_eq!(operation["parameters"][0]["schema"]["maxLength"], 66);
        assert_eq!(operation["parameters"][1]["schema"]["pattern"], "^[0-9A-Fa-f]{1,16}([.][a-z]{1,7})?$");
        let body = &operation["requestBody"]["content"]["application/json"]["schema"]["properties"];
        assert_eq!(body["name"]["maxLength"], TEXT_LENGTH_MAX);
        assert_eq!((&body["count"]["minimum"], &body["count"]["maximum"]), (&json!(0), &json!(i64::MAX)));
        assert_eq!(body["small"]["maximum"], u32::MAX);
        assert_eq!(body["kind"].get("maxLength"), None);
        assert_eq!(
            (&body["cells"]["maxItems"], &body["cells"]["items"]["maxLength"]),
            (&json!(5), &json!(36))
        );
        let page = &document["components"]["schemas"]["Page"]["properties"]["items"];
        assert_eq!(page["maxItems"], 100);
        assert_eq!(page["items"], json!({"$ref": "#/components/schemas/Thing"}));
        assert_eq!(
            document["components"]["schemas"]["Thing"]["properties"]["a"]["maxLength"],
            TEXT_LENGTH_MAX
        );
    }
}
