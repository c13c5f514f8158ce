//! What a request needs before it is answered.

use axum::Router;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::handler::Handler;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodFilter, on};

use super::{Actor, Refused, Scope, entrance};
use crate::server::Csms;
use crate::web::Page;

/// What a request needs to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: everybody is answered.
    Nothing,
    /// Somebody who signed in, whoever it is.
    SignedIn,
    /// Somebody with this scope.
    Scope(Scope),
}

impl Needs {
    /// Whether this actor is answered.
    #[must_use]
    pub fn allow(self, actor: &Actor) -> bool {
        match self {
            Self::Nothing => true,
            Self::SignedIn => actor.csrf.is_some(),
            Self::Scope(scope) => actor.may(scope),
        }
    }
}

/// A page: its method, its path, and who is answered.
pub type PageRule = (Method, &'static str, Needs);

/// Pages, each with what it needs: none can be added without saying so.
#[derive(Debug)]
pub(crate) struct Pages {
    csms: Csms,
    router: Router<Csms>,
    rules: Vec<PageRule>,
}

impl Pages {
    pub(crate) fn new(csms: &Csms) -> Self {
        Self { csms: csms.clone(), router: Router::new(), rules: Vec::new() }
    }

    /// Adds a page. An answer to `GET` is given to `HEAD` as well.
    pub(crate) fn page<H, T>(mut self, method: Method, path: &'static str, needs: Needs, handler: H) -> Self
    where
        H: Handler<T, Csms>,
        T: 'static,
    {
        // A method without a filter of its own is a fault of the program that the first start shows.
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        let guard = middleware::from_fn_with_state((self.csms.clone(), needs), guard);
        self.router = self.router.route(path, on(filter, handler).layer(guard));
        self.rules.push((method, path, needs));
        self
    }

    /// Adds the pages of another part.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.rules.extend(other.rules);
        self
    }

    /// The router, and what its pages need.
    pub(crate) fn into_parts(self) -> (Router, Vec<PageRule>) {
        (self.router.with_state(self.csms), self.rules)
    }
}

async fn guard(State((csms, needs)): State<(Csms, Needs)>, request: Request, next: Next) -> Response {
    let (mut request, actor) = match csms.gate().identify(&csms, request).await {
        Ok(identified) => identified,
        Err(refused) => return refused.into_response(),
    };
    if !needs.allow(&actor) {
        return turn_away(request, actor, needs).await;
    }
    request.extensions_mut().insert(actor);
    next.run(request).await
}

/// Who is not signed in is sent to sign in, and back afterwards.
async fn turn_away(mut request: Request, actor: Actor, needs: Needs) -> Response {
    if !actor.is_anonymous() {
        if actor.driver().is_some() && request.uri().path() == "/" {
            return Redirect::to("/driver").into_response();
        }
        request.extensions_mut().insert(actor);
        let (mut parts, _) = request.into_parts();
        return match Page::from_request_parts(&mut parts, &()).await {
            Ok(page) => entrance::forbidden(&page, needs),
            Err(never) => match never {},
        };
    }
    let by_htmx = request.headers().contains_key("hx-request");
    let target = match request.uri().path_and_query() {
        Some(path) if request.method() == Method::GET && !by_htmx => path.as_str(),
        _ => "/",
    };
    let encoded = percent_encoding::utf8_percent_encode(target, percent_encoding::NON_ALPHANUMERIC);
    let place = format!("/sign-in?then={encoded}");
    if by_htmx {
        // htmx follows a redirection itself and would put the whole page into a part of this one.
        return (StatusCode::UNAUTHORIZED, [("hx-redirect", place)]).into_response();
    }
    let mut response = Redirect::to(&place).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status(), format!("{self}\n")).into_response()
    }
}
