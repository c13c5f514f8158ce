//! Who may use which operation: read from the description of the interface, so that what is described is what is done.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::Value;
use utoipa::openapi::OpenApi;

use super::Problem;
use crate::access::{Needs, Refused, Scope};
use crate::server::Csms;

/// The name of the security scheme in the description.
pub(super) const SCHEME: &str = "bearer";

/// What each operation needs.
#[derive(Debug)]
pub(super) struct Rules(HashMap<(Method, String), Needs>);

impl Rules {
    /// Reads them from the description. An operation that does not name exactly one scope, or say that it needs none, is left out: nobody
    /// is answered there.
    pub(super) fn of(description: &OpenApi) -> Self {
        let written = serde_json::to_value(description).unwrap_or_default();
        let mut rules = HashMap::new();
        for (path, item) in written["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let Ok(method) = method.to_ascii_uppercase().parse::<Method>() else { continue };
                match needs(&operation["security"]) {
                    Some(needs) => {
                        rules.insert((method, path.clone()), needs);
                    }
                    None => tracing::error!(%method, path, "the description does not say who may use this: nobody may"),
                }
            }
        }
        Self(rules)
    }

    fn needs(&self, method: &Method, path: &str) -> Option<Needs> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.0.get(&(method.clone(), path.to_owned())).copied()
    }
}

/// `[{}]` needs nothing, `[{"bearer": ["view"]}]` needs that scope; all else is a mistake.
fn needs(security: &Value) -> Option<Needs> {
    let [requirement] = &security.as_array()?[..] else { return None };
    let requirement = requirement.as_object()?;
    if requirement.is_empty() {
        return Some(Needs::Nothing);
    }
    let [scope] = &requirement.get(SCHEME)?.as_array()?[..] else { return None };
    (requirement.len() == 1).then_some(())?;
    Some(Needs::Scope(scope.as_str()?.parse::<Scope>().ok()?))
}

/// Finds out who asks, and lets them pass if they may.
pub(super) async fn guard(
    State((csms, rules)): State<(Csms, Arc<Rules>)>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (mut request, actor) = csms.gate().identify(&csms, request).await?;
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let Some(needs) = rules.needs(request.method(), path) else {
        tracing::error!(method = %request.method(), path, "refused: the description does not say who may use this");
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "nobody may use this: its description names no scope; report it",
        ));
    };
    if !needs.allow(&actor) {
        return Err(match needs {
            Needs::Scope(scope) if !actor.is_anonymous() => Problem::new(
                StatusCode::FORBIDDEN,
                format!("this needs the scope {scope}, which {} does not have: ask an admin for it", actor.name()),
            ),
            _ => Problem::new(
                StatusCode::UNAUTHORIZED,
                "sign in, or send an API token in the header Authorization: Bearer …; the first one is OCPP_CSMS_API_TOKEN, or was \
                 shown at the first start",
            ),
        });
    }
    request.extensions_mut().insert(actor);
    Ok(next.run(request).await)
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Store(error) => error.into(),
            refused => Self::new(refused.status(), refused.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_operation_needs_exactly_one_scope_or_says_that_it_needs_none() {
        assert_eq!(needs(&json!([{}])), Some(Needs::Nothing));
        assert_eq!(needs(&json!([{"bearer": ["operate"]}])), Some(Needs::Scope(Scope::Operate)));
        for mistake in [
            json!(null),
            json!([]),
            json!([{"bearer": []}]),
            json!([{"bearer": ["view", "operate"]}]),
            json!([{"bearer": ["everything"]}]),
            json!([{"cookie": ["view"]}]),
            json!([{"bearer": ["view"], "cookie": []}]),
            json!([{"bearer": ["view"]}, {}]),
        ] {
            assert_eq!(needs(&mistake), None, "{mistake}");
        }
    }
}
