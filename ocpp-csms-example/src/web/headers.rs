//! What every answer to a browser says about how it may be used.

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::proxy::came_by_tls;

/// Everything comes from this server, nothing is written into the pages to be run, and no other page frames one.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);
const NO_SNIFFING: HeaderValue = HeaderValue::from_static("nosniff");
const REFERRER: HeaderValue = HeaderValue::from_static("same-origin");
const NO_FRAMES: HeaderValue = HeaderValue::from_static("DENY");
/// Half a year: who has come by TLS once does not come without any more.
const BY_TLS: HeaderValue = HeaderValue::from_static("max-age=15552000");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Puts them on every answer. What a page shows is for whoever is signed in, so nobody keeps it.
pub(crate) async fn protect(request: Request, next: Next) -> Response {
    // The browser of the REST interface comes from a crate, with a style of its own in the page.
    let foreign = request.uri().path().starts_with("/api/docs");
    let came_by_tls = came_by_tls(request.extensions());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFFING);
    headers.insert(header::REFERRER_POLICY, REFERRER);
    if came_by_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, BY_TLS);
    }
    if !foreign {
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(CONTENT_SECURITY_POLICY);
        headers.insert(header::X_FRAME_OPTIONS, NO_FRAMES);
        headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    }
    response
}
