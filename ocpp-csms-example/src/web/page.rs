//! What every page knows: the language, who looks at it, where it is.

use std::borrow::Borrow;
use std::convert::Infallible;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum_extra::extract::CookieJar;

use super::{Flash, Language, assets, flash, texts};
use crate::access::{Actor, Scope};
use crate::store::StoreError;

/// The cookies of what somebody chose for this browser.
pub(super) const LANGUAGE_COOKIE: &str = "language";
pub(super) const THEME_COOKIE: &str = "theme";

/// What every page knows. Taken from the request; every template has one, called `page`.
#[derive(Debug, Clone)]
pub struct Page {
    language: Language,
    theme: &'static str,
    path: String,
    actor: Option<Actor>,
    flash: Option<Flash>,
}

/// A group of the navigation.
#[derive(Debug)]
pub struct Group {
    /// The key of its name.
    pub name: &'static str,
    /// What is in it.
    pub links: Vec<Link>,
}

/// A page in the navigation.
#[derive(Debug)]
pub struct Link {
    /// The key of its name.
    pub name: &'static str,
    /// Its path.
    pub path: &'static str,
    /// Whether this is where one is.
    pub here: bool,
}

/// A group of pages by the key of its name, with the key of the name, the path and the scope of each.
type Section = (&'static str, &'static [(&'static str, &'static str, Scope)]);

/// The pages of operators: group, then key of the name, path and scope of each.
const NAVIGATION: &[Section] = &[
    (
        "frame.group_operation",
        &[
            ("frame.dashboard", "/", Scope::View),
            ("frame.stations", "/stations", Scope::View),
            ("frame.sessions", "/sessions", Scope::View),
            ("frame.faults", "/faults", Scope::View),
            ("frame.sites", "/sites", Scope::View),
            ("frame.energy", "/energy", Scope::View),
        ],
    ),
    ("frame.group_people", &[("frame.drivers", "/drivers", Scope::View), ("frame.tokens", "/tokens", Scope::View)]),
    (
        "frame.group_money",
        &[
            ("frame.tariffs", "/tariffs", Scope::View),
            ("frame.plans", "/plans", Scope::View),
            ("frame.payments", "/payments", Scope::View),
            ("frame.invoices", "/invoices", Scope::View),
            ("frame.ledger", "/ledger", Scope::Account),
            ("frame.reports", "/reports", Scope::View),
        ],
    ),
    (
        "frame.group_upkeep",
        &[
            ("frame.maintenance", "/maintenance", Scope::View),
            ("frame.firmware", "/firmware", Scope::View),
            ("frame.explorer", "/explorer", Scope::Operate),
        ],
    ),
    (
        "frame.group_system",
        &[
            ("frame.audit", "/audit", Scope::Administer),
            ("frame.settings", "/settings", Scope::Administer),
            ("frame.notifications", "/notifications", Scope::Administer),
            ("frame.api", "/api/docs/", Scope::View),
        ],
    ),
];

impl Page {
    /// A page of nobody, in English.
    #[cfg(test)]
    pub(super) fn of_tests() -> Self {
        Self { language: Language::English, theme: "auto", path: "/".to_owned(), actor: None, flash: None }
    }

    /// A text in the language of the page.
    pub fn t<'a>(&self, key: &'a str) -> &'a str {
        texts::text(self.language, key)
    }

    /// A text with one blank filled in.
    pub fn with(&self, key: &str, name: &str, value: impl ToString) -> String {
        self.fill(key, [(name, value.to_string())])
    }

    /// A text with blanks filled in.
    pub fn fill<'a>(&self, key: &str, values: impl IntoIterator<Item = impl Borrow<(&'a str, String)>>) -> String {
        texts::filled(self.language, key, values)
    }

    /// What the pages call a word of the standard or of this program, such as a state: the text `{area_and_prefix}{word}`
    /// in lower case, or the word itself where there is none.
    pub fn word<'a>(&self, prefix: &str, word: &'a str) -> std::borrow::Cow<'a, str> {
        let key = format!("{prefix}{}", word.to_ascii_lowercase().replace(['-', ' ', '.'], "_"));
        if texts::exists(&key) { self.t(&key).to_owned().into() } else { word.into() }
    }

    /// The language.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// All languages, to choose from.
    #[must_use]
    pub fn languages(&self) -> [Language; 5] {
        Language::ALL
    }

    /// `auto`, `light` or `dark`.
    #[must_use]
    pub fn theme(&self) -> &'static str {
        self.theme
    }

    /// Where the page is.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The address of a file of the program.
    #[must_use]
    pub fn asset(&self, name: &str) -> String {
        assets::asset(name)
    }

    /// What forms have to carry in the hidden field `csrf`, and htmx in the header `x-csrf-token`.
    #[must_use]
    pub fn csrf(&self) -> &str {
        self.actor.as_ref().and_then(|actor| actor.csrf.as_deref()).unwrap_or_default()
    }

    /// Who looks at it, if they said who they are.
    #[must_use]
    pub fn actor(&self) -> Option<&Actor> {
        self.actor.as_ref()
    }

    /// Whether who looks at it may do what this scope allows.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.actor.as_ref().is_some_and(|actor| actor.may(scope))
    }

    /// Whether who looks at it may steer stations.
    #[must_use]
    pub fn operates(&self) -> bool {
        self.may(Scope::Operate)
    }

    /// Whether who looks at it may work with money.
    #[must_use]
    pub fn accounts(&self) -> bool {
        self.may(Scope::Account)
    }

    /// Whether who looks at it may decide who may do what.
    #[must_use]
    pub fn administers(&self) -> bool {
        self.may(Scope::Administer)
    }

    /// What came of the form before, if there was one.
    #[must_use]
    pub fn flash(&self) -> Option<&Flash> {
        self.flash.as_ref()
    }

    /// The pages that who looks at it may open, of those for operators.
    #[must_use]
    pub fn navigation(&self) -> Vec<Group> {
        NAVIGATION
            .iter()
            .map(|(name, links)| Group {
                name,
                links: links
                    .iter()
                    .filter(|(_, _, scope)| self.may(*scope))
                    .map(|(name, path, _)| Link { name, path, here: self.is_at(path) })
                    .collect(),
            })
            .filter(|group| !group.links.is_empty())
            .collect()
    }

    fn is_at(&self, path: &str) -> bool {
        match self.path.strip_prefix(path) {
            Some("") => true,
            Some(rest) => path != "/" && rest.starts_with('/'),
            None => false,
        }
    }

    /// The answer with a page.
    pub fn show(&self, template: &impl Template) -> Response {
        self.answer(StatusCode::OK, template)
    }

    /// The answer with a form in which something is wrong.
    pub fn refuse(&self, template: &impl Template) -> Response {
        self.answer(StatusCode::UNPROCESSABLE_ENTITY, template)
    }

    /// The answer with a page and a status.
    pub fn answer(&self, status: StatusCode, template: &impl Template) -> Response {
        match template.render() {
            Ok(html) if self.flash.is_some() => (status, [flash::forget()], Html(html)).into_response(),
            Ok(html) => (status, Html(html)).into_response(),
            Err(error) => self.broken(&error),
        }
    }

    /// The answer where the program fails; the log says why.
    pub fn broken(&self, error: &(dyn std::error::Error + 'static)) -> Response {
        tracing::error!(%error, path = self.path, "a page cannot be made");
        let is_full = error.downcast_ref::<StoreError>().is_some_and(StoreError::is_full);
        let (status, text) = match is_full {
            true => (StatusCode::INSUFFICIENT_STORAGE, "errors.disk_full"),
            false => (StatusCode::INTERNAL_SERVER_ERROR, "frame.failed_text"),
        };
        let page = Notice { page: self, title: self.t("frame.failed_title"), text: self.t(text).to_owned() };
        (status, Html(page.render().unwrap_or_default())).into_response()
    }

    /// The answer where something does not exist or must not be done.
    pub fn notice(&self, status: StatusCode, title: &str, text: impl Into<String>) -> Response {
        self.answer(status, &Notice { page: self, title, text: text.into() })
    }
}

/// A page that only says something.
#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    page: &'a Page,
    title: &'a str,
    text: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let cookies = CookieJar::from_headers(&parts.headers);
        let chosen = cookies.get(LANGUAGE_COOKIE).and_then(|cookie| Language::of_tag(cookie.value()));
        let accepted = || {
            let header = parts.headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
            Language::accepted(header)
        };
        let theme = match cookies.get(THEME_COOKIE).map(|cookie| cookie.value()) {
            Some("light") => "light",
            Some("dark") => "dark",
            _ => "auto",
        };
        Ok(Self {
            language: chosen.or_else(accepted).unwrap_or_default(),
            theme,
            path: parts.uri.path().to_owned(),
            actor: parts.extensions.get::<Actor>().filter(|actor| !actor.is_anonymous()).cloned(),
            flash: cookies.get(flash::COOKIE).and_then(|cookie| Flash::from_cookie(cookie.value())),
        })
    }
}
