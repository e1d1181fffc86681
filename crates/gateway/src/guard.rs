//! The guard: who may call which operation, asked once, before any handler.
//!
//! It looks at the route that matched and the method, finds what the operation asks of its caller in [`table`], and
//! refuses with 401 or 403. What is not in the table is refused whatever it is: a route that nobody listed answers as
//! if it were not there. Handlers decide the rules of their subject and no roles.

mod table;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use api::{Caller, Permission, Problem, Scope, kinds};
use axum::extract::{FromRequestParts as _, MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{OpenApi, RefOr};

use crate::openapi::problem_answer;

/// What one operation asks of its caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Rule {
    permission: Permission,
    /// What an API key needs; `None` for persons only.
    scope: Option<Scope>,
}

/// What every route asks.
pub(crate) struct Guard {
    /// By the template of the path, as the router and the document write it.
    rules: HashMap<String, Vec<(Method, Rule)>>,
}

/// Why nothing may be served: operations that are not in the table, or are in it twice.
#[derive(Debug)]
pub struct Unguarded {
    operations: Vec<String>,
}

impl fmt::Display for Unguarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operations = self.operations.join(", ");
        write!(f, "operations without exactly one entry in the table of permissions: {operations}")
    }
}

impl std::error::Error for Unguarded {}

impl Guard {
    /// A guard for all operations of a document.
    pub(crate) fn of(document: &OpenApi) -> Result<Self, Unguarded> {
        let mut rules: HashMap<String, Vec<(Method, Rule)>> = HashMap::new();
        for path in table::PAGES {
            let rule = Rule { permission: Permission::Public, scope: None };
            rules.insert((*path).to_owned(), vec![(Method::GET, rule)]);
        }
        let mut unguarded = Vec::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in operations(item) {
                match rule_of(operation) {
                    Some(rule) => rules.entry(path.clone()).or_default().push((method, rule)),
                    None => unguarded
                        .push(operation.operation_id.clone().unwrap_or_else(|| format!("{method} {path}"))),
                }
            }
        }
        if unguarded.is_empty() { Ok(Self { rules }) } else { Err(Unguarded { operations: unguarded }) }
    }

    /// What a request must fulfil; a problem if there is no such route or method.
    fn rule(&self, path: &str, method: &Method) -> Result<Rule, Problem> {
        let Some(rules) = self.rules.get(path) else {
            tracing::error!(path, "a route is not in the table of permissions");
            return Err(kinds::NOT_FOUND.into());
        };
        let method = if method == Method::HEAD { &Method::GET } else { method };
        match rules.iter().find(|(it, _)| it == method) {
            Some((_, rule)) => Ok(*rule),
            // Answered here, so that a handler that nobody listed is never reached by another method.
            None => Err(Problem::from(kinds::METHOD_NOT_ALLOWED).header(header::ALLOW, allow(rules))),
        }
    }
}

fn allow(rules: &[(Method, Rule)]) -> HeaderValue {
    let mut names: Vec<&str> = rules.iter().map(|(method, _)| method.as_str()).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.sort_unstable();
    HeaderValue::from_str(&names.join(",")).expect("methods are plain ASCII")
}

fn rule_of(operation: &Operation) -> Option<Rule> {
    let id = operation.operation_id.as_deref()?;
    let mut entries = entries().filter(|(it, ..)| *it == id);
    let (_, permission, scope) = entries.next()?;
    entries.next().is_none().then_some(Rule { permission: *permission, scope: *scope })
}

fn entries() -> impl Iterator<Item = &'static table::Entry> {
    #[cfg(test)]
    return table::OPERATIONS.iter().chain(tests::OPERATIONS);
    #[cfg(not(test))]
    table::OPERATIONS.iter()
}

/// Whether a caller may.
fn check(rule: Rule, caller: &Caller) -> Result<(), Problem> {
    if !caller.role.may(rule.permission) {
        return Err(kinds::ROLE_REQUIRED.into());
    }
    match rule.scope {
        _ if caller.scopes.is_person() => Ok(()),
        None => Err(kinds::FORBIDDEN_FOR_KEYS.into()),
        Some(scope) if caller.scopes.has(scope) => Ok(()),
        Some(scope) => Err(Problem::from(kinds::SCOPE_REQUIRED).fact("scope", scope.name())),
    }
}

/// Middleware, inside the one that hands in the [`api::Verifier`].
pub(crate) async fn guard_layer(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    // Where no route matches the client answers, with a page or with 404.
    let Some(path) = request.extensions().get::<MatchedPath>().cloned() else {
        return next.run(request).await;
    };
    let rule = match guard.rule(path.as_str(), request.method()) {
        Ok(rule) => rule,
        Err(problem) => return problem.into_response(),
    };
    if rule.permission == Permission::Public {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    // The caller stays in the request: handlers do not ask the database again.
    let caller = match Caller::from_request_parts(&mut parts, &()).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    match check(rule, &caller) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => problem.into_response(),
    }
}

/// Writes what the table says into the document: `security`, `x-permission`, and the refusals of the guard.
pub(crate) fn describe(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        for operation in operations_mut(item) {
            let Some(rule) = rule_of(operation) else { continue };
            let mut wanted = serde_json::json!({"permission": rule.permission.name()});
            if rule.permission == Permission::Public {
                operation.security = Some(Vec::new());
            } else {
                operation.security = Some(vec![SecurityRequirement::new("bearer", [] as [&str; 0])]);
                wanted["api_key_scope"] = rule.scope.map(Scope::name).into();
                add_refusals(operation, rule);
            }
            let extensions = operation.extensions.get_or_insert_with(Extensions::default);
            extensions.insert("x-permission".to_owned(), wanted);
        }
    }
}

fn add_refusals(operation: &mut Operation, rule: Rule) {
    let mut codes = vec!["`account_suspended`"];
    if rule.permission.is_for_staff() {
        codes.push("`role_required`");
    }
    codes.push(if rule.scope.is_some() { "`scope_required`" } else { "`forbidden_for_keys`" });
    let forbidden = codes.join(", ");
    let answers = &mut operation.responses.responses;
    let missing = "`token_missing`, `token_invalid`, `token_expired`";
    answers.entry("401".to_owned()).or_insert_with(|| problem_answer(missing).into());
    match answers.entry("403".to_owned()).or_insert_with(|| problem_answer("").into()) {
        RefOr::T(answer) if answer.description.is_empty() => answer.description = forbidden,
        RefOr::T(answer) => answer.description = format!("{}; {forbidden}", answer.description),
        RefOr::Ref(_) => {}
    }
}

fn operations(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    let all = [
        (Method::GET, &item.get),
        (Method::PUT, &item.put),
        (Method::POST, &item.post),
        (Method::DELETE, &item.delete),
        (Method::PATCH, &item.patch),
        (Method::OPTIONS, &item.options),
        (Method::HEAD, &item.head),
        (Method::TRACE, &item.trace),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, options, head, trace, .. } = item;
    [get, put, post, delete, patch, options, head, trace].into_iter().filter_map(Option::as_mut)
}

#[cfg(test)]
pub(crate) mod tests;
