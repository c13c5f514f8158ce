//! The files that pages need, all of them in the binary.

use std::sync::LazyLock;

use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

/// One that is asked for by its content never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Any other is asked for again, and answered with 304 as long as it is the same.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

struct Asset {
    name: &'static str,
    kind: &'static str,
    content: &'static [u8],
    /// A digest of the content.
    tag: String,
}

macro_rules! assets {
    ($($name:literal as $kind:literal,)*) => {
        static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| vec![$({
            let content: &'static [u8] = include_bytes!(concat!("../../assets/", $name));
            Asset { name: $name, kind: $kind, content, tag: tag(content) }
        }),*]);
    };
}

assets! {
    "style.css" as "text/css; charset=utf-8",
    "app.js" as "text/javascript; charset=utf-8",
    "chart.js" as "text/javascript; charset=utf-8",
    "explorer.js" as "text/javascript; charset=utf-8",
    "icon.svg" as "image/svg+xml",
    "vendor/htmx.min.js" as "text/javascript; charset=utf-8",
    "vendor/htmx-sse.min.js" as "text/javascript; charset=utf-8",
    "vendor/uplot.min.js" as "text/javascript; charset=utf-8",
    "vendor/uplot.min.css" as "text/css; charset=utf-8",
}

fn tag(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content).iter().take(8).copied().collect::<Vec<_>>())
}

/// The address of a file, which changes with its content.
#[must_use]
pub fn asset(name: &str) -> String {
    match find(name) {
        Some(asset) => format!("/assets/{name}?v={}", asset.tag),
        None => format!("/assets/{name}"),
    }
}

fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

pub(super) async fn serve(Path(name): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let Some(asset) = find(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let tag = format!("\"{}\"", asset.tag);
    let named = query.as_deref().and_then(|query| query.strip_prefix("v=")) == Some(asset.tag.as_str());
    let caching = if named { FOR_EVER } else { ASK_AGAIN };
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().trim_start_matches("W/") == tag);
    let head = [(header::CACHE_CONTROL, caching)];
    if known {
        return (StatusCode::NOT_MODIFIED, head, [(header::ETAG, tag)]).into_response();
    }
    (head, [(header::ETAG, tag)], [(header::CONTENT_TYPE, asset.kind)], asset.content).into_response()
}
