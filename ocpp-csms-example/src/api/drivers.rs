//! The accounts of drivers.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use super::body::{Json, Path, Query};
use super::operators::{LinkView, set_up_url};
use super::tokens::limit;
use crate::access::{AccessError, Actor, Payment, drivers};
use crate::server::Csms;
use crate::store::Driver;

/// A driver's account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DriverView {
    /// Its id.
    id: String,
    /// The e-mail address or telephone number that it signs in with.
    login: String,
    /// What the driver wants to be called.
    name: String,
    /// How what its tokens charge is paid, unless a token says otherwise.
    payment: Payment,
    /// Whether it may neither sign in nor charge.
    disabled: bool,
    /// Whether a password was chosen yet.
    has_password: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When it last signed in.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sign_in_at: Option<Timestamp>,
    /// Its tokens; only when one driver is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<Vec<String>>,
    /// The link by which a password is chosen, once and within seven days. Shown only when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    set_up_url: Option<String>,
}

impl From<Driver> for DriverView {
    fn from(driver: Driver) -> Self {
        let Driver { id, login, name, password_hash, disabled, payment, created_at, updated_at, last_sign_in_at } =
            driver;
        let has_password = password_hash.is_some();
        let (tokens, set_up_url) = (None, None);
        Self {
            id,
            login,
            name,
            payment,
            disabled,
            has_password,
            created_at,
            updated_at,
            last_sign_in_at,
            tokens,
            set_up_url,
        }
    }
}

/// Which drivers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only those whose login or name contains this.
    search: Option<String>,
    /// Go on after this login, the last of the part before.
    after: Option<String>,
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// A new driver.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDriver {
    /// E-mail address, or telephone number with its country (`+250…`).
    login: String,
    /// What the driver wants to be called, 1 to 80 characters.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// How what its tokens charge is paid.
    payment: Payment,
}

/// What is changed of a driver. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DriverChange {
    /// E-mail address or telephone number.
    login: Option<String>,
    /// What the driver wants to be called.
    name: Option<String>,
    /// How what its tokens charge is paid.
    payment: Option<Payment>,
    /// Whether it may neither sign in nor charge. All its sessions at the portal end.
    disabled: Option<bool>,
}

/// An invitation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInvitation {
    /// How the driver who follows it pays.
    payment: Payment,
}

/// Drivers, in the order of their logins.
#[utoipa::path(get, path = "/api/v1/drivers", tag = "access", operation_id = "list_drivers", params(Which),
    security(("bearer" = ["view"])), responses((status = 200, body = Vec<DriverView>)))]
pub(super) async fn list(
    State(csms): State<Csms>,
    Query(which): Query<Which>,
) -> Result<axum::Json<Vec<DriverView>>, Problem> {
    let drivers = csms.store().drivers(which.search.as_deref(), which.after.as_deref(), limit(which.limit)?).await?;
    Ok(axum::Json(drivers.into_iter().map(DriverView::from).collect()))
}

/// Makes an account, with an app token. The answer holds the link by which the driver chooses a password.
#[utoipa::path(post, path = "/api/v1/drivers", tag = "access", operation_id = "create_driver", security(("bearer" = ["operate"])),
    request_body = NewDriver,
    responses((status = 201, body = DriverView), (status = 400, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn create(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Json(new): Json<NewDriver>,
) -> Result<(StatusCode, axum::Json<DriverView>), Problem> {
    let (driver, link) = drivers::create(&csms, &actor, &new.login, &new.name, new.payment).await?;
    let view = view(&csms, driver).await?;
    Ok((StatusCode::CREATED, axum::Json(DriverView { set_up_url: Some(set_up_url(&csms, &link)), ..view })))
}

/// One driver, with its tokens.
#[utoipa::path(get, path = "/api/v1/drivers/{id}", tag = "access", operation_id = "get_driver", security(("bearer" = ["view"])),
    responses((status = 200, body = DriverView), (status = 404, body = Problem)))]
pub(super) async fn get(State(csms): State<Csms>, Path(id): Path<String>) -> Result<axum::Json<DriverView>, Problem> {
    let driver = csms.store().driver(&id).await?.ok_or(AccessError::Unknown("driver", id))?;
    Ok(axum::Json(view(&csms, driver).await?))
}

/// Changes a driver.
#[utoipa::path(patch, path = "/api/v1/drivers/{id}", tag = "access", operation_id = "change_driver",
    security(("bearer" = ["operate"])), request_body = DriverChange,
    responses((status = 200, body = DriverView), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn change(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(change): Json<DriverChange>,
) -> Result<axum::Json<DriverView>, Problem> {
    let DriverChange { login, name, payment, disabled } = change;
    let change = drivers::DriverChange { login, name, payment, disabled };
    let driver = drivers::change(&csms, &actor, &id, change).await?;
    Ok(axum::Json(view(&csms, driver).await?))
}

/// Makes a new link by which a driver chooses a password. Those made before do not work any more.
#[utoipa::path(post, path = "/api/v1/drivers/{id}/set-up-link", tag = "access", operation_id = "make_driver_link",
    security(("bearer" = ["operate"])), responses((status = 200, body = LinkView), (status = 404, body = Problem)))]
pub(super) async fn link(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<axum::Json<LinkView>, Problem> {
    let link = drivers::set_up_link(&csms, &actor, &id).await?;
    Ok(axum::Json(LinkView { url: set_up_url(&csms, &link) }))
}

/// Invites a driver: makes a link by which one driver registers.
#[utoipa::path(post, path = "/api/v1/driver-invitations", tag = "access", operation_id = "invite_driver",
    security(("bearer" = ["operate"])), request_body = NewInvitation,
    responses((status = 200, body = LinkView), (status = 400, body = Problem)))]
pub(super) async fn invite(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Json(new): Json<NewInvitation>,
) -> Result<axum::Json<LinkView>, Problem> {
    let link = drivers::invite(&csms, &actor, new.payment).await?;
    Ok(axum::Json(LinkView { url: format!("{}/driver/register?invitation={}", csms.public_url(), link.text()) }))
}

async fn view(csms: &Csms, driver: Driver) -> Result<DriverView, Problem> {
    let tokens = Some(csms.store().tokens_of_driver(&driver.id).await?);
    Ok(DriverView { tokens, ..driver.into() })
}
