//! How answers look when something is wrong.

use std::sync::Arc;

use api::{
    Caller, FieldFault, Page, PageParams, Problem, ProblemKind, TokenFault, TokenVerifier, ValidJson,
    ValidPath, ValidQuery, Verification, Verifier, kinds, problem_layer,
};
use axum::body::{Body, to_bytes};
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

const NO_TEA: ProblemKind = ProblemKind::new(StatusCode::IM_A_TEAPOT, "no_tea", "There is no tea");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    cups: u8,
    #[serde(default)]
    guests: Vec<Guest>,
}

#[derive(Deserialize)]
struct Guest {
    #[serde(rename = "first/name")]
    name: String,
}

struct Door;

impl TokenVerifier for Door {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(async move {
            match token {
                "good" => Ok(Caller::player(Uuid::from_u128(1))),
                "old" => Err(TokenFault::Expired),
                _ => Err(TokenFault::Invalid),
            }
        })
    }
}

fn router() -> Router {
    let verifier: Verifier = Arc::new(Door);
    let order = async |ValidJson(order): ValidJson<Order>| {
        Json(
            json!({"cups": order.cups, "guests": order.guests.iter().map(|it| it.name.len()).sum::<usize>()}),
        )
    };
    Router::new()
        .route("/order", post(order))
        .route(
            "/page",
            get(async |ValidQuery(page): ValidQuery<PageParams>| Json(json!({"limit": page.limit}))),
        )
        .route("/cup/{number}", get(async |ValidPath(number): ValidPath<u8>| Json(json!({"cup": number}))))
        .route("/me", get(async |caller: Caller| Json(json!({"account": caller.account_id}))))
        .route("/tea", get(async || NO_TEA.detail("come back").fact("kettles", 3).retry_after_s(60)))
        .route("/slow", get(async || (StatusCode::REQUEST_TIMEOUT, "plain words").into_response()))
        .route("/busy", get(async || Problem::from(store::Error::Overloaded)))
        .route("/broken", get(async || Problem::from(store::Error::Damaged { detail: "secret".to_owned() })))
        .fallback(api::not_found)
        .method_not_allowed_fallback(api::method_not_allowed)
        .layer(DefaultBodyLimit::max(200))
        .layer(Extension(verifier))
        .layer(axum::middleware::from_fn(problem_layer))
}

async fn send(request: Request<Body>) -> (StatusCode, HeaderMap, Value) {
    let (parts, body) = router().oneshot(request).await.expect("an answer").into_parts();
    let body = to_bytes(body, 1 << 16).await.expect("a body");
    (parts.status, parts.headers, serde_json::from_slice(&body).expect("JSON"))
}

async fn get_path(path: &str) -> (StatusCode, HeaderMap, Value) {
    send(Request::get(path).header("x-request-id", "r-1").body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn a_problem_has_the_standard_form_and_the_id_of_its_request() {
    let (status, headers, body) = get_path("/tea").await;
    assert_eq!(status, StatusCode::IM_A_TEAPOT);
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["retry-after"], "60");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(
        body,
        json!({
            "type": "urn:problem-type:terrane:no_tea",
            "title": "There is no tea",
            "status": 418,
            "code": "no_tea",
            "detail": "come back",
            "request_id": "r-1",
            "kettles": 3,
        })
    );
}

#[tokio::test]
async fn every_error_is_a_problem_whoever_made_it() {
    for (path, status, code) in [
        ("/nowhere", 404, "not_found"),
        ("/order", 405, "method_not_allowed"),
        ("/slow", 408, "request_timeout"),
        ("/busy", 503, "storage_unavailable"),
        ("/broken", 500, "internal"),
        ("/cup/300", 400, "invalid_path"),
        ("/page?limit=x", 400, "invalid_query"),
        ("/page?size=1", 400, "invalid_query"),
    ] {
        let (got, headers, body) = get_path(path).await;
        assert_eq!((got.as_u16(), &body["code"]), (status, &json!(code)), "{path}");
        assert_eq!(headers["content-type"], "application/problem+json", "{path}");
        assert_eq!((&body["status"], &body["request_id"]), (&json!(status), &json!("r-1")), "{path}");
        assert!(!body.to_string().contains("secret"), "{path}: {body}");
    }
    let (_, headers, _) = get_path("/busy").await;
    assert!(headers.contains_key("retry-after"));
    let (_, headers, _) = get_path("/order").await;
    assert_eq!(headers["allow"], "POST");
}

#[tokio::test]
async fn a_body_is_refused_for_what_is_wrong_with_it() {
    let long = format!("{{\"cups\": 1, \"guests\": [{}]}}", "{},".repeat(100));
    for (kind, body, status, code, pointer) in [
        ("application/json", "{\"cups\": 2}", 200, "", None),
        ("application/json; charset=utf-8", "{\"cups\": 2}", 200, "", None),
        ("text/plain", "{\"cups\": 2}", 415, "unsupported_media_type", None),
        ("", "{\"cups\": 2}", 415, "unsupported_media_type", None),
        ("application/json", "{\"cups\": 2", 400, "malformed_json", None),
        ("application/json", "{\"cups\": 2} {}", 400, "malformed_json", None),
        ("application/json", "{\"cups\": 256}", 422, "invalid_body", Some("#/cups")),
        ("application/json", "{}", 422, "invalid_body", Some("#")),
        ("application/json", "{\"cups\": 1, \"milk\": 1}", 422, "invalid_body", Some("#/milk")),
        (
            "application/json",
            "{\"cups\": 1, \"guests\": [{\"first/name\": \"a\"}, {\"first/name\": 1}]}",
            422,
            "invalid_body",
            Some("#/guests/1/first~1name"),
        ),
        ("application/json", &long, 413, "body_too_large", None),
    ] {
        let request = Request::post("/order").header("content-type", kind).body(Body::from(body.to_owned()));
        let (got, _, answer) = send(request.unwrap()).await;
        assert_eq!(got.as_u16(), status, "{body}: {answer}");
        assert_eq!(answer["code"].as_str().unwrap_or_default(), code, "{body}");
        assert_eq!(answer["errors"][0]["pointer"].as_str(), pointer, "{body}: {answer}");
        let detail = answer["errors"][0]["detail"].as_str().unwrap_or_default();
        assert!(!detail.contains(" at line "), "{detail}");
    }
}

#[tokio::test]
async fn a_caller_is_who_the_token_says() {
    for (header, status, code, challenge) in [
        (Some("Bearer good"), 200, "", None),
        (Some("bearer good"), 200, "", None),
        (None, 401, "token_missing", Some("Bearer")),
        (Some("Basic good"), 401, "token_missing", Some("Bearer")),
        (Some("Bearer"), 401, "token_missing", Some("Bearer")),
        (Some("Bearer forged"), 401, "token_invalid", Some("Bearer error=\"invalid_token\"")),
        (
            Some("Bearer old"),
            401,
            "token_expired",
            Some("Bearer error=\"invalid_token\", error_description=\"the token has expired\""),
        ),
    ] {
        let request = Request::get("/me");
        let request = header.into_iter().fold(request, |it, value| it.header("authorization", value));
        let (got, headers, body) = send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((got.as_u16(), body["code"].as_str().unwrap_or_default()), (status, code), "{header:?}");
        let asked = headers.get("www-authenticate").map(|it| it.to_str().unwrap());
        assert_eq!(asked, challenge, "{header:?}");
    }
}

#[test]
fn faults_of_the_input_stand_in_the_problem() {
    let problem = Problem::from(kinds::INVALID_BODY).at("#/name", "too long").parameter("limit", "too large");
    let fault = |detail: &str, pointer: Option<&str>, parameter: Option<&str>| FieldFault {
        detail: detail.to_owned(),
        pointer: pointer.map(str::to_owned),
        parameter: parameter.map(str::to_owned),
    };
    let expected = [fault("too long", Some("#/name"), None), fault("too large", None, Some("limit"))];
    assert_eq!(problem.errors(), expected);
    let text = serde_json::to_string(&problem).unwrap();
    assert_eq!(serde_json::from_str::<Problem>(&text).unwrap(), problem);
}

#[test]
fn a_page_has_a_cursor_only_if_there_is_more() {
    let cursor_of = |last: &i32| last.to_string();
    let page = |count| Page::from_surplus((1..=count).collect(), 3, cursor_of);
    assert_eq!(page(0), Page { items: vec![], next_cursor: None });
    assert_eq!(page(3), Page { items: vec![1, 2, 3], next_cursor: None });
    assert_eq!(page(4), Page { items: vec![1, 2, 3], next_cursor: Some("3".to_owned()) });
    assert_eq!(api::page_limit(None).unwrap(), 50);
    for (asked, is_good) in [(0, false), (1, true), (100, true), (101, false)] {
        assert_eq!(api::page_limit(Some(asked)).is_ok(), is_good, "{asked}");
    }
    let key = [1u8, 2, 255];
    assert_eq!(api::cursor::decode::<3>(&api::cursor::encode(&key)).unwrap(), key);
    for bad in ["", "AQL", "AQL/", "AQL_AA", "=", "é"] {
        assert_eq!(api::cursor::decode::<3>(bad).unwrap_err().code(), "invalid_cursor", "{bad:?}");
    }
}

/// Serde would take a list for an object, its values in the order of the members.
#[tokio::test]
async fn a_list_is_no_object() {
    for body in ["[1, []]", " [null, null]", "[]"] {
        let request = Request::post("/order").header("content-type", "application/json");
        let (status, _, answer) = send(request.body(Body::from(body)).expect("a request")).await;
        assert_eq!((status.as_u16(), &answer["code"]), (422, &json!("invalid_body")), "{body}");
        assert_eq!(answer["errors"][0]["pointer"], "#");
    }
}
