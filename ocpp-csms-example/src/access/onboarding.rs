//! A station is taken in: it is accepted, gets its password, and the codes that drivers scan.

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Path, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fast_qr::convert::Builder as _;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Actor, Needs, NoEntropy, Pages, Scope};
use crate::server::Csms;
use crate::stations::operations::{Administer, OperationRefused};
use crate::store::{Registration, StationChange, StoreError};
use crate::web::{Fields, Page};

/// What stays readable in a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// Stations on one sheet.
const ON_SHEET: u32 = 1000;

/// Why a station was not taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OnboardingError {
    #[error("there is no station {0:?}: it has to connect first, or is entered with PUT /api/v1/stations/{{id}}")]
    Unknown(String),
    #[error("{0}: let it connect first, or enter the password at the station by hand")]
    NotSent(#[from] OperationRefused),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error("the database failed; the log of the server says how")]
    Store(#[from] StoreError),
}

/// What a station is entered with. The password is told once.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) station: String,
    pub(crate) password: String,
    /// Where it connects.
    pub(crate) url: String,
    /// The operation by which the station is being told, if it is.
    pub(crate) operation: Option<String>,
}

/// Accepts a station and makes a password for it: 120 random bits in 20 characters, which every version can hold (A00.FR.205).
///
/// With `send` the station is told over the connection that it has, and the password counts as soon as it has taken it; without, it counts
/// at once, and the station has to be given it by hand.
///
/// # Errors
/// When there is no such station, or it is to be told and cannot be.
pub(crate) async fn accept(csms: &Csms, actor: &Actor, id: &str, send: bool) -> Result<Credentials, OnboardingError> {
    let store = csms.store();
    let before = store.station(id).await?.ok_or_else(|| OnboardingError::Unknown(id.to_owned()))?;
    let password = URL_SAFE_NO_PAD.encode(&super::secret()?[..15]);
    let by_hand = (!send).then(|| csms.password_key().hash(id, password.as_bytes()));
    let change = StationChange {
        registration: Some(Registration::Accepted),
        password_hash: by_hand,
        ..StationChange::default()
    };
    store.put_station(id, &change, Timestamp::now()).await?;
    let after = store.station(id).await?.ok_or_else(|| OnboardingError::Unknown(id.to_owned()))?;
    crate::api::carry_out(csms, &before, &after);
    csms.stations().changed();
    let operation = if send {
        let request = Administer::ChangePassword { password: password.clone() };
        Some(csms.stations().operate(id, request, actor.name()).await?.id)
    } else {
        None
    };
    let how = if send { "password sent" } else { "password made" };
    csms.audit(actor, "station.accepted", id, how).await;
    let url = csms.public_url().replacen("http", "ws", 1);
    let url = format!("{url}/ocpp/{}", utf8_percent_encode(id, SEGMENT));
    Ok(Credentials { station: id.to_owned(), password, url, operation })
}

/// What the code on an outlet leads to: the same for as long as the station has its name.
pub(crate) fn pay_url(csms: &Csms, station: &str, evse: i64) -> String {
    format!("{}{}", csms.public_url(), pay_path(station, evse))
}

/// The path of that.
pub(crate) fn pay_path(station: &str, evse: i64) -> String {
    format!("/pay/{}/{evse}", utf8_percent_encode(station, SEGMENT))
}

/// A QR code as an image.
pub(crate) fn qr_code(text: &str) -> Option<String> {
    // A quarter of it may be dirty or scratched.
    let code = QRBuilder::new(text).ecl(ECL::Q).build().ok()?;
    Some(SvgBuilder::default().margin(4).to_str(&code))
}

/// The EVSEs of a station, as far as it told of them.
pub(crate) fn outlets(csms: &Csms, station: &str) -> Vec<i64> {
    let live = csms.stations().live(station);
    let mut outlets: Vec<i64> = live.connectors.keys().map(|(evse, _)| *evse).filter(|evse| *evse > 0).collect();
    outlets.sort_unstable();
    outlets.dedup();
    outlets
}

/// The pages.
pub(crate) fn pages(csms: &Csms) -> Pages {
    let (view, operate) = (Needs::Scope(Scope::View), Needs::Scope(Scope::Operate));
    Pages::new(csms)
        .page(Method::GET, "/stations/{id}/credentials", operate, credentials_form)
        .page(Method::POST, "/stations/{id}/credentials", operate, make_credentials)
        .page(Method::GET, "/stations/{id}/qr-codes", view, sheet_of_station)
        .page(Method::GET, "/stations/{id}/qr-codes/{code}", view, code)
        .page(Method::GET, "/qr-codes", view, sheet_of_all)
}

#[derive(Template)]
#[template(path = "access/credentials.html")]
struct CredentialsPage<'a> {
    page: &'a Page,
    id: String,
    fields: Fields,
    error: Option<String>,
    made: Option<Credentials>,
}

#[derive(Template)]
#[template(path = "access/qr_sheet.html")]
struct Sheet<'a> {
    page: &'a Page,
    labels: Vec<Label>,
}

/// What is put on an outlet.
struct Label {
    station: String,
    outlet: i64,
    image: String,
    url: String,
}

async fn credentials_form(page: Page, State(csms): State<Csms>, Path(id): Path<String>) -> Response {
    match csms.store().station(&id).await {
        Ok(Some(station)) => {
            let fields = Fields::default();
            page.show(&CredentialsPage { page: &page, id: station.id, fields, error: None, made: None })
        }
        Ok(None) => unknown(&page, id),
        Err(error) => page.broken(&error),
    }
}

async fn make_credentials(
    page: Page,
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    match accept(&csms, &actor, &id, fields.ticked("send")).await {
        Ok(made) => page.show(&CredentialsPage { page: &page, id, fields, error: None, made: Some(made) }),
        Err(OnboardingError::Unknown(id)) => unknown(&page, id),
        Err(error @ OnboardingError::NotSent(_)) => {
            let error = Some(error.to_string());
            page.refuse(&CredentialsPage { page: &page, id, fields, error, made: None })
        }
        Err(error) => page.broken(&error),
    }
}

fn unknown(page: &Page, id: String) -> Response {
    page.notice(StatusCode::NOT_FOUND, page.t("access.not_possible"), OnboardingError::Unknown(id).to_string())
}

async fn sheet_of_station(page: Page, State(csms): State<Csms>, Path(id): Path<String>) -> Response {
    match csms.store().station(&id).await {
        Ok(Some(station)) => page.show(&Sheet { page: &page, labels: labels(&csms, &station.id) }),
        Ok(None) => unknown(&page, id),
        Err(error) => page.broken(&error),
    }
}

async fn sheet_of_all(page: Page, State(csms): State<Csms>) -> Response {
    match csms.store().stations(None, ON_SHEET).await {
        Ok(stations) => {
            let accepted = stations.iter().filter(|station| station.registration == Registration::Accepted);
            let labels = accepted.flat_map(|station| labels(&csms, &station.id)).collect();
            page.show(&Sheet { page: &page, labels })
        }
        Err(error) => page.broken(&error),
    }
}

fn labels(csms: &Csms, station: &str) -> Vec<Label> {
    let label = |outlet| Label {
        station: station.to_owned(),
        outlet,
        image: format!("/stations/{}/qr-codes/{outlet}.svg", utf8_percent_encode(station, SEGMENT)),
        url: pay_url(csms, station, outlet),
    };
    outlets(csms, station).into_iter().map(label).collect()
}

/// The image of a code: `1.svg` is that of EVSE 1.
async fn code(page: Page, State(csms): State<Csms>, Path((id, code)): Path<(String, String)>) -> Response {
    let outlet = code.strip_suffix(".svg").and_then(|number| number.parse::<i64>().ok()).filter(|number| *number > 0);
    match (csms.store().station(&id).await, outlet) {
        (Ok(Some(station)), Some(outlet)) => match qr_code(&pay_url(&csms, &station.id, outlet)) {
            Some(image) => ([(header::CONTENT_TYPE, "image/svg+xml")], image).into_response(),
            None => page.notice(
                StatusCode::UNPROCESSABLE_ENTITY,
                page.t("access.not_possible"),
                "public_url and the name of the station are too long for a QR code: choose shorter ones",
            ),
        },
        (Ok(_), _) => unknown(&page, id),
        (Err(error), _) => page.broken(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_an_outlet_holds_any_name() {
        assert_eq!(pay_path("CS-1", 2), "/pay/CS-1/2");
        assert_eq!(pay_path("RDAM|1/2 é", 1), "/pay/RDAM%7C1%2F2%20%C3%A9/1");
    }

    #[test]
    fn a_code_is_an_image_that_brings_no_script() {
        let image = qr_code("https://charge.example.org/pay/CS-1/1").unwrap();
        assert!(image.starts_with("<svg ") && !image.contains("script"), "{image}");
        assert_eq!(qr_code(&"x".repeat(5000)), None);
    }
}
