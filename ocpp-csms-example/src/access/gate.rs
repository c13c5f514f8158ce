//! Finds out who makes a request, and whether it was meant to be made.

use std::net::{IpAddr, SocketAddr};

use axum::body::{self, Body};
use axum::extract::{ConnectInfo, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method, StatusCode, Uri, header};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use subtle::ConstantTimeEq as _;

use super::account::{self, Begun, Secret};
use super::people::Hashing;
use super::{AccessError, Actor, ApiToken, Scopes, Throttle, Who, operators};
use crate::proxy::came_by_tls;
use crate::server::Csms;
use crate::store::StoreError;

/// The cookie of a session where there is no TLS.
const PLAIN_COOKIE: &str = "ocpp-csms-session";
/// The cookie of a session under TLS: a browser takes and sends it in no other way.
const SECURE_COOKIE: &str = "__Host-ocpp-csms-session";
/// Where a script says that a request comes from one of our pages.
const CSRF_HEADER: &str = "x-csrf-token";
/// Where a form says it.
const CSRF_FIELD: &str = "csrf";
/// Bytes of a form.
const MAX_FORM: usize = 256 * 1024;

/// Why a request is not answered before it is known who makes it.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It brought a bearer token that is not one.
    #[error("the bearer token is wrong, expired or revoked: have an admin make another one")]
    Token,
    /// It would change something, and does not show that it was meant to.
    #[error(
        "the request does not come from a page of this session: load the page again, and send its token in the header x-csrf-token or the \
         field csrf"
    )]
    Csrf,
    /// Another site's page made it.
    #[error("the request comes from a page of another site: make it from a page of this one")]
    OtherSite,
    /// The form is too large to be read.
    #[error("the form is longer than 256 KiB, or broke off: send less")]
    Form,
    /// The database failed.
    #[error("the database failed; the log of the server says how")]
    Store(#[from] StoreError),
}

impl Refused {
    /// The status of HTTP that says so.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::Csrf | Self::OtherSite => StatusCode::FORBIDDEN,
            Self::Form => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Who may come in, and by what.
#[derive(Debug)]
pub(crate) struct Gate {
    installation: ApiToken,
    pub(super) hashing: Hashing,
    pub(super) throttle: Throttle,
}

impl Gate {
    pub(crate) fn new(installation: ApiToken) -> Self {
        Self { installation, hashing: Hashing::default(), throttle: Throttle::default() }
    }

    /// What is kept of the password of somebody.
    ///
    /// # Errors
    /// When it cannot be hashed.
    pub(crate) async fn hash_password(&self, password: &str) -> Result<String, AccessError> {
        self.hashing.hash(password).await
    }

    /// Who makes this request: the holder of a bearer token, of a session, or anybody.
    ///
    /// What would change something has to come from a page of ours: a browser sends the cookie whoever made the page.
    pub(crate) async fn identify(&self, csms: &Csms, request: Request) -> Result<(Request, Actor), Refused> {
        let address = address(&request);
        if let Some(token) = bearer(request.headers()) {
            let (who, scopes) = if self.installation.matches(token) {
                (Who::Installation, Scopes::of_operators())
            } else {
                operators::holder(csms, token).await?.ok_or(Refused::Token)?
            };
            return Ok((request, Actor { who, scopes, address, csrf: None }));
        }
        let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        if changes && is_from_elsewhere(request.headers(), request.uri()) {
            return Err(Refused::OtherSite);
        }
        let actor = match session_of(csms, request.extensions(), request.headers()) {
            Some(secret) => account::resume(csms, &secret, address).await?,
            None => None,
        };
        let Some(actor) = actor else { return Ok((request, Actor::anonymous(address))) };
        let Some(csrf) = actor.csrf.clone().filter(|_| changes) else { return Ok((request, actor)) };
        if let Some(sent) = request.headers().get(CSRF_HEADER) {
            return if is_same(sent.as_bytes(), &csrf) { Ok((request, actor)) } else { Err(Refused::Csrf) };
        }
        let (parts, body) = request.into_parts();
        if !is_form(&parts) {
            return Err(Refused::Csrf);
        }
        let form = body::to_bytes(body, MAX_FORM).await.map_err(|_| Refused::Form)?;
        let sent = field(&form, CSRF_FIELD);
        if sent.is_some_and(|sent| is_same(sent.as_bytes(), &csrf)) {
            Ok((Request::from_parts(parts, Body::from(form)), actor))
        } else {
            Err(Refused::Csrf)
        }
    }
}

/// The cookie of a session that was begun.
pub(crate) fn cookie(csms: &Csms, parts: &Parts, begun: &Begun) -> Cookie<'static> {
    let secure = is_secure(csms, &parts.extensions);
    let name = if secure { SECURE_COOKIE } else { PLAIN_COOKIE };
    let longest = begun.kind.longest().unsigned_abs();
    Cookie::build((name, begun.secret.text().to_owned()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(secure)
        .max_age(longest.try_into().unwrap_or_default())
        .build()
}

/// The cookies that take the place of a session's, so that a browser forgets it.
pub(crate) fn forget() -> [Cookie<'static>; 2] {
    [(PLAIN_COOKIE, false), (SECURE_COOKIE, true)].map(|(name, secure)| {
        let mut cookie =
            Cookie::build((name, "")).path("/").http_only(true).same_site(SameSite::Lax).secure(secure).build();
        cookie.make_removal();
        cookie
    })
}

/// The secret of the session that a request belongs to. Where cookies are for TLS, one that is not counts for nothing: whoever can answer
/// for this host without TLS could have put a session of their own there.
pub(crate) fn session_of(csms: &Csms, extensions: &Extensions, headers: &HeaderMap) -> Option<Secret> {
    let cookies = CookieJar::from_headers(headers);
    let name = if is_secure(csms, extensions) { SECURE_COOKIE } else { PLAIN_COOKIE };
    Some(Secret::presented(cookies.get(name)?.value()))
}

/// Whether cookies are for TLS only: the request came so, or people reach this server in no other way.
fn is_secure(csms: &Csms, extensions: &Extensions) -> bool {
    came_by_tls(extensions) || csms.public_url().starts_with("https://")
}

/// Where a request came from.
fn address(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(remote)| remote.ip().to_canonical())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether a browser says that the page which makes this request is not ours. What is no browser says nothing of the kind.
fn is_from_elsewhere(headers: &HeaderMap, uri: &Uri) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text("origin") else { return false };
    let host = text("host").or_else(|| uri.authority().map(|authority| authority.as_str()));
    origin.split_once("://").map(|(_, authority)| authority) != host
}

fn is_form(parts: &Parts) -> bool {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// A field of a form. What it may hold here needs no decoding: the token has none of the characters that are encoded.
fn field<'a>(form: &'a [u8], name: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(form).ok()?;
    text.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
}

fn is_same(sent: &[u8], csrf: &str) -> bool {
    sent.ct_eq(csrf.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elsewhere(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        is_from_elsewhere(&headers, &Uri::from_static("/"))
    }

    #[test]
    fn a_browser_tells_which_page_makes_a_request() {
        assert!(!elsewhere(&[("host", "csms:8180")]));
        assert!(!elsewhere(&[("host", "csms:8180"), ("origin", "http://csms:8180")]));
        assert!(elsewhere(&[("host", "csms:8180"), ("origin", "http://csms")]));
        assert!(elsewhere(&[("host", "csms:8180"), ("origin", "null")]));
        assert!(elsewhere(&[("host", "csms:8180"), ("origin", "https://evil.example")]));
        assert!(!elsewhere(&[("sec-fetch-site", "same-origin")]));
        assert!(elsewhere(&[("sec-fetch-site", "same-site"), ("host", "a"), ("origin", "http://a")]));
        assert!(elsewhere(&[("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn a_field_of_a_form_is_found_by_its_whole_name() {
        assert_eq!(field(b"name=ada&csrf=abc-_&x=1", "csrf"), Some("abc-_"));
        assert_eq!(field(b"xcsrf=abc", "csrf"), None);
        assert_eq!(field(b"csrf", "csrf"), None);
    }
}
