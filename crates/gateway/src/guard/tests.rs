//! The guard over routes of its own, and the table against the document.

use std::collections::{BTreeMap, BTreeSet};

use api::{Role, Scopes, TokenFault, TokenVerifier, Verification, Verifier};
use axum::body::Body;
use axum::extract::Extension;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use serde_json::Value;
use tower::ServiceExt as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::*;

/// Operations of tests, beside those of the program.
pub(crate) const OPERATIONS: &[table::Entry] = &[
    ("test_public", Permission::Public, None),
    ("test_read", Permission::SignedIn, Some(Scope::Read)),
    ("test_person", Permission::SignedIn, None),
    ("test_land", Permission::SignedIn, Some(Scope::Land)),
    ("test_staff", Permission::LandFreeze, Some(Scope::Staff)),
    ("test_admin", Permission::PeopleRoles, None),
    ("test_panic", Permission::Public, None),
    ("test_sleep", Permission::Public, None),
    ("test_long", Permission::Public, None),
    ("test_long_post", Permission::Public, None),
    ("test_twice", Permission::Public, None),
    ("test_twice", Permission::SignedIn, None),
];

/// Whose token is `ROLE` or `ROLE:SCOPE+SCOPE`.
struct Named;

impl TokenVerifier for Named {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(async move {
            if token == "suspended" {
                return Err(TokenFault::Suspended { until_us: None });
            }
            let (role, scopes) = token.split_once(':').map_or((token, None), |(role, it)| (role, Some(it)));
            let role = Role::parse(role).ok_or(TokenFault::Invalid)?;
            let scopes = scopes.map_or(Scopes::PERSON, |it| it.split('+').filter_map(Scope::parse).collect());
            Ok(Caller { role, scopes, ..Caller::player(Uuid::from_u128(1)) })
        })
    }
}

macro_rules! operation {
    ($name:ident, $path:literal) => {
        #[utoipa::path(get, path = $path, operation_id = stringify!($name), responses((status = 200, description = "ok")))]
        async fn $name() -> &'static str {
            "reached"
        }
    };
}
operation!(test_public, "/public");
operation!(test_read, "/read");
operation!(test_person, "/person");
operation!(test_land, "/land/{token}");
operation!(test_staff, "/staff");
operation!(test_admin, "/admin");
operation!(test_unlisted, "/unlisted");
operation!(test_twice, "/twice");

fn app() -> axum::Router {
    let (routes, document) = OpenApiRouter::<()>::new()
        .routes(routes!(test_public))
        .routes(routes!(test_read))
        .routes(routes!(test_person))
        .routes(routes!(test_land))
        .routes(routes!(test_staff))
        .routes(routes!(test_admin))
        .split_for_parts();
    let guard = Arc::new(Guard::of(&document).unwrap());
    let verifier: Verifier = Arc::new(Named);
    routes
        // Not in the document: there, but never reached.
        .route("/hidden", get(async || "reached"))
        .route("/public", axum::routing::post(async || "reached"))
        .fallback(api::not_found)
        .layer(from_fn_with_state(guard, guard_layer))
        .layer(Extension(verifier))
}

async fn ask(method: Method, path: &str, token: &str) -> (StatusCode, String, Value) {
    let mut request = axum::http::Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let answer = app().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = answer.status();
    let allow = answer.headers().get(header::ALLOW).map_or("", |it| it.to_str().unwrap()).to_owned();
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, allow, serde_json::from_slice(&body).unwrap_or_default())
}

async fn check(token: &str, path: &str, status: u16, code: &str) {
    for method in [Method::GET, Method::HEAD] {
        let (found, _, body) = ask(method.clone(), path, token).await;
        assert_eq!(found.as_u16(), status, "{token} {method} {path}");
        if method == Method::GET {
            assert_eq!(body["code"].as_str().unwrap_or_default(), code, "{token} {path}");
        }
    }
}

#[tokio::test]
async fn an_operation_is_reached_by_whom_the_table_names_and_by_no_one_else() {
    for token in ["", "suspended", "nonsense", "player", "admin:read"] {
        check(token, "/public", 200, "").await;
    }
    for path in ["/read", "/person", "/land/4be6", "/staff", "/admin"] {
        check("", path, 401, "token_missing").await;
        check("nonsense", path, 401, "token_invalid").await;
        check("suspended", path, 403, "account_suspended").await;
    }
    for role in ["player", "moderator", "developer", "admin"] {
        for path in ["/read", "/person", "/land/4be6"] {
            check(role, path, 200, "").await;
        }
    }
    for (role, path, may) in [
        ("player", "/staff", false),
        ("moderator", "/staff", true),
        ("developer", "/staff", false),
        ("admin", "/staff", true),
        ("player", "/admin", false),
        ("moderator", "/admin", false),
        ("developer", "/admin", false),
        ("admin", "/admin", true),
    ] {
        let (status, code) = if may { (200, "") } else { (403, "role_required") };
        check(role, path, status, code).await;
    }
}

#[tokio::test]
async fn an_api_key_reaches_what_its_scopes_name_and_nothing_that_is_for_persons() {
    check("player:read", "/read", 200, "").await;
    check("player:land", "/read", 403, "scope_required").await;
    check("player:land", "/land/4be6", 200, "").await;
    check("player:read+trade+staff", "/land/4be6", 403, "scope_required").await;
    check("admin:read+land+trade+staff", "/person", 403, "forbidden_for_keys").await;
    check("admin:read+land+trade+staff", "/admin", 403, "forbidden_for_keys").await;
    check("moderator:staff", "/staff", 200, "").await;
    check("moderator:read", "/staff", 403, "scope_required").await;
    // A scope gives no role.
    check("player:staff", "/staff", 403, "role_required").await;
    check("admin:", "/read", 403, "scope_required").await;
}

#[tokio::test]
async fn what_is_not_in_the_document_is_not_reached() {
    check("admin", "/hidden", 404, "not_found").await;
    check("admin", "/nowhere", 404, "not_found").await;
    for method in [Method::POST, Method::OPTIONS, Method::DELETE] {
        let (status, allow, body) = ask(method, "/public", "admin").await;
        assert_eq!((status.as_u16(), allow.as_str()), (405, "GET,HEAD"));
        assert_eq!(body["code"], "method_not_allowed");
    }
}

#[test]
fn a_document_with_an_operation_that_is_not_listed_once_is_refused() {
    let (_, document) = OpenApiRouter::<()>::new()
        .routes(routes!(test_public))
        .routes(routes!(test_unlisted))
        .split_for_parts();
    let refused = Guard::of(&document).err().expect("it is not listed").to_string();
    assert!(refused.ends_with(": test_unlisted"), "{refused}");
    let (_, document) = OpenApiRouter::<()>::new().routes(routes!(test_twice)).split_for_parts();
    assert!(Guard::of(&document).is_err());
}

#[test]
fn the_document_says_what_the_table_says() {
    let (_, mut document) =
        OpenApiRouter::<()>::new().routes(routes!(test_public)).routes(routes!(test_staff)).split_for_parts();
    describe(&mut document);
    let document = serde_json::to_value(&document).unwrap();
    let (open, staff) = (&document["paths"]["/public"]["get"], &document["paths"]["/staff"]["get"]);
    assert_eq!(open["security"], serde_json::json!([]));
    assert_eq!(open["x-permission"], serde_json::json!({"permission": "public"}));
    assert!(open["responses"].get("401").is_none());
    assert_eq!(staff["security"], serde_json::json!([{"bearer": []}]));
    let wanted = serde_json::json!({"permission": "land_freeze", "api_key_scope": "staff"});
    assert_eq!(staff["x-permission"], wanted);
    assert_eq!(
        staff["responses"]["403"]["description"],
        "`account_suspended`, `role_required`, `scope_required`"
    );
}

/// The document that is served is compared with this file by the test of the interface.
#[test]
fn the_table_and_the_document_name_the_same_operations() {
    let document: Value =
        serde_json::from_str(include_str!("../../../../docs/openapi.json")).expect("it is JSON");
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path}"));
            assert!(described.insert(id.to_owned()), "{id} names two operations");
        }
    }
    let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, permission, scope) in table::OPERATIONS {
        *listed.entry(id).or_default() += 1;
        assert!(*permission != Permission::Public || scope.is_none(), "{id} is public and asks for a scope");
    }
    assert_eq!(listed.values().max(), Some(&1), "{listed:?}");
    let missing: Vec<_> = described.iter().filter(|it| !listed.contains_key(it.as_str())).collect();
    let surplus: Vec<_> = listed.keys().filter(|it| !described.contains(**it)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "missing {missing:?}, surplus {surplus:?}");
}
