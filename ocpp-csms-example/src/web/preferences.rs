//! What somebody chooses for this browser: language and appearance.

use axum::Form;
use axum::http::header;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::Language;
use super::page::{LANGUAGE_COOKIE, THEME_COOKIE};

/// A year.
const KEPT_SECONDS: u32 = 31_536_000;

#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    language: Option<String>,
    theme: Option<String>,
    /// The page where it was chosen.
    back: Option<String>,
}

/// Keeps a choice in cookies. Nothing that could be kept is secret or changes what anybody may do.
pub(super) async fn choose(Form(choice): Form<Choice>) -> Response {
    let mut cookies = Vec::new();
    let mut keep = |name: &str, value: &str| {
        cookies.push((
            header::SET_COOKIE,
            format!("{name}={value}; Path=/; Max-Age={KEPT_SECONDS}; HttpOnly; SameSite=Lax"),
        ));
    };
    if let Some(language) = choice.language.as_deref().and_then(Language::of_tag) {
        keep(LANGUAGE_COOKIE, language.code());
    }
    if let Some(theme @ ("auto" | "light" | "dark")) = choice.theme.as_deref() {
        keep(THEME_COOKIE, theme);
    }
    // Only a path of this server.
    let back = choice.back.filter(|back| {
        back.starts_with('/') && !back.starts_with("//") && !back.contains(|c: char| c == '\\' || c.is_control())
    });
    (AppendHeaders(cookies), Redirect::to(back.as_deref().unwrap_or("/"))).into_response()
}
