//! A message that is shown once, on the page that follows a form.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The cookie that carries it to the next page.
pub(super) const COOKIE: &str = "flash";

/// What came of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash {
    /// Whether it went well.
    pub good: bool,
    /// In the language of who reads it.
    pub text: String,
}

impl Flash {
    /// It went well.
    pub fn good(text: impl Into<String>) -> Self {
        Self { good: true, text: text.into() }
    }

    /// It did not, and why.
    pub fn bad(text: impl Into<String>) -> Self {
        Self { good: false, text: text.into() }
    }

    pub(super) fn from_cookie(value: &str) -> Option<Self> {
        let (kind, text) = value.split_once('.')?;
        let text = percent_decode_str(text).decode_utf8().ok()?.into_owned();
        match kind {
            "good" => Some(Self { good: true, text }),
            "bad" => Some(Self { good: false, text }),
            _ => None,
        }
    }

    fn to_cookie(&self) -> String {
        // A cookie has at most 4096 bytes.
        let text: String = self.text.chars().take(300).collect();
        let kind = if self.good { "good" } else { "bad" };
        format!("{kind}.{}", utf8_percent_encode(&text, NON_ALPHANUMERIC))
    }

    /// Leads the browser to another page, which shows this.
    pub fn at(self, path: &str) -> Response {
        let cookie = format!("{COOKIE}={}; Path=/; Max-Age=60; HttpOnly; SameSite=Lax", self.to_cookie());
        ([(header::SET_COOKIE, cookie)], Redirect::to(path)).into_response()
    }

    /// The same for a form that htmx sent, which would put the page into a part of this one.
    pub(super) fn by_htmx(self, path: &'static str) -> Response {
        let mut response = self.at(path);
        *response.status_mut() = StatusCode::OK;
        response.headers_mut().insert("hx-redirect", HeaderValue::from_static(path));
        response
    }
}

/// The header that forgets it.
pub(super) fn forget() -> (HeaderName, &'static str) {
    (header::SET_COOKIE, "flash=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_survives_the_way_through_a_cookie() {
        let flash = Flash::good("ਸਟੇਸ਼ਨ; \"CS=1\", ok.");
        assert_eq!(Flash::from_cookie(&flash.to_cookie()), Some(flash));
        assert_eq!(Flash::from_cookie("odd.x"), None);
        assert_eq!(Flash::from_cookie(""), None);
    }
}
