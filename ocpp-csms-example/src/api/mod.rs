//! The REST interface: `/api/v1`, described at `/api/openapi.json`, browsable at `/api/docs`.
//!
//! Every operation names the one scope that it needs, and is closed to whoever does not have it ([`crate::access::Scope`]); every error is
//! a problem document (RFC 9457).

mod audit;
mod auth;
mod body;
mod calls;
mod driver;
mod drivers;
mod event_subscriptions;
mod events;
mod faults;
mod firmware;
mod health;
mod invoices;
mod logs;
mod message_log;
mod number;
mod onboarding;
mod operations;
mod operators;
mod payments;
mod problem;
mod raw;
mod reports;
mod reservations;
mod rollouts;
mod security_events;
mod session;
mod sites;
mod statements;
mod station_data;
mod stations;

mod tariffs;
mod tokens;
mod transactions;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header;
use axum::middleware;
use axum::routing::get;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

pub use number::Number;
pub use problem::Problem;
pub(crate) use stations::{StationPut, carry_out, change as change_station};

use crate::server::Csms;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "ocpp-csms",
        description = "Stations, their transactions, the tokens that drivers present, and any OCPP call to a station. \
            Moments are RFC 3339 in UTC, energy is in Wh, money in whole units of its currency."
    ),
    modifiers(&BearerToken),
    components(schemas(Problem))
)]
struct Description;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "An API token: OCPP_CSMS_API_TOKEN, the one that was shown at the first start, or one that an admin made. Instead of \
                 it the cookie of a session is taken, with its token in x-csrf-token where something is changed.",
            ))
            .build();
        openapi.components.get_or_insert_default().add_security_scheme(auth::SCHEME, SecurityScheme::Http(scheme));
    }
}

/// The answer to a path that does not exist. A station that knocks there has a wrong URL, which its operator should see.
pub(crate) async fn not_found(request: Request) -> Problem {
    let path = request.uri().path();
    if request.headers().contains_key(header::UPGRADE) {
        tracing::warn!(path, "a WebSocket at a wrong URL: stations connect to /ocpp/{{station}}");
    }
    Problem::not_found(format!("there is nothing at {path:?}"))
}

/// All routes of the interface, its description, and the health of the server.
pub(crate) fn routes(csms: Csms) -> Router {
    let (api, description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(stations::list))
        .routes(routes!(stations::get, stations::put))
        .routes(routes!(stations::messages))
        .routes(routes!(security_events::list))
        .routes(routes!(calls::call))
        .routes(routes!(events::stream))
        .routes(routes!(faults::list))
        .routes(routes!(faults::get))
        .routes(routes!(faults::acknowledge))
        .routes(routes!(faults::close))
        .routes(routes!(event_subscriptions::list, event_subscriptions::post))
        .routes(routes!(event_subscriptions::patch, event_subscriptions::delete))
        .routes(routes!(event_subscriptions::deliveries))
        .routes(routes!(operations::operate))
        .routes(routes!(operations::administer))
        .routes(routes!(operations::list))
        .routes(routes!(operations::get, operations::cancel))
        .routes(routes!(station_data::list_actions))
        .routes(routes!(station_data::configuration))
        .routes(routes!(station_data::charging_profiles))
        .routes(routes!(station_data::display_messages))
        .routes(routes!(station_data::local_list))
        .routes(routes!(station_data::certificates))
        .routes(routes!(station_data::monitors))
        .routes(routes!(transactions::list))
        .routes(routes!(transactions::meter_values))
        .routes(routes!(reservations::list))
        .routes(routes!(sites::list))
        .routes(routes!(sites::get, sites::put, sites::delete))
        .routes(routes!(sites::live))
        .routes(routes!(sites::prices, sites::import_prices))
        .routes(routes!(sites::signals))
        .routes(routes!(sites::signal, sites::put_signal, sites::delete_signal))
        .routes(routes!(sites::put_target))
        .routes(routes!(payments::top_up))
        .routes(routes!(payments::balance))
        .routes(routes!(payments::start_prepaid))
        .routes(routes!(payments::prepaid))
        .routes(routes!(payments::list))
        .routes(routes!(payments::get))
        .routes(routes!(payments::refunds, payments::refund))
        .routes(routes!(payments::bills))
        .routes(routes!(payments::bill))
        .routes(routes!(payments::refund_bill))
        .routes(routes!(payments::accounts))
        .routes(routes!(payments::entries))
        .routes(routes!(payments::check))
        .routes(routes!(payments::webhook))
        .routes(routes!(invoices::list, invoices::post))
        .routes(routes!(invoices::get))
        .routes(routes!(invoices::plans))
        .routes(routes!(invoices::put_plan))
        .routes(routes!(invoices::subscription, invoices::subscribe, invoices::unsubscribe))
        .routes(routes!(tariffs::list))
        .routes(routes!(tariffs::get, tariffs::put, tariffs::delete))
        .routes(routes!(tariffs::versions))
        .routes(routes!(tariffs::make_default))
        .routes(routes!(tariffs::preview))
        .routes(routes!(tariffs::assignments))
        .routes(routes!(tariffs::assign, tariffs::unassign))
        .routes(routes!(session::get, session::sign_in, session::sign_out))
        .routes(routes!(session::change_password))
        .routes(routes!(session::set_up))
        .routes(routes!(session::register))
        .routes(routes!(operators::list, operators::create))
        .routes(routes!(operators::get, operators::change))
        .routes(routes!(operators::link))
        .routes(routes!(operators::list_tokens, operators::create_token))
        .routes(routes!(operators::revoke_token))
        .routes(routes!(drivers::list, drivers::create))
        .routes(routes!(drivers::get, drivers::change))
        .routes(routes!(drivers::link))
        .routes(routes!(drivers::invite))
        .routes(routes!(driver::get))
        .routes(routes!(driver::sessions, driver::start))
        .routes(routes!(driver::block))
        .routes(routes!(driver::balance))
        .routes(routes!(driver::payments))
        .routes(routes!(driver::top_up))
        .routes(routes!(driver::prepaid))
        .routes(routes!(driver::stop))
        .routes(routes!(statements::own))
        .routes(routes!(statements::of_driver))
        .routes(routes!(statements::invoice))
        .routes(routes!(onboarding::credentials))
        .routes(routes!(onboarding::qr_code))
        .routes(routes!(audit::list))
        .routes(routes!(audit::export))
        .routes(routes!(tokens::list))
        .routes(routes!(tokens::get, tokens::put, tokens::delete))
        .routes(routes!(logs::request))
        .routes(routes!(logs::list))
        .routes(routes!(logs::get, logs::delete))
        .routes(routes!(logs::text))
        .routes(routes!(logs::file))
        .routes(routes!(message_log::search))
        // An image is as large as its own limit allows, in a form as well.
        .routes(routes!(firmware::list, firmware::upload).layer::<_, Infallible>(DefaultBodyLimit::disable()))
        .routes(routes!(firmware::get, firmware::delete))
        .routes(routes!(firmware::sign))
        .routes(routes!(firmware::root))
        .routes(routes!(firmware::install_root))
        .routes(routes!(rollouts::list, rollouts::plan))
        .routes(routes!(rollouts::get))
        .routes(routes!(rollouts::direct))
        .routes(routes!(rollouts::direct_station))
        .routes(routes!(reports::days))
        .routes(routes!(reports::utilisation))
        .routes(routes!(reports::consumption))
        .routes(routes!(reports::trends))
        .routes(routes!(reports::power))
        .routes(routes!(reports::file))
        .routes(routes!(reports::put_zone))
        .split_for_parts();
    let rules = Arc::new(auth::Rules::of(&description));
    api.layer(middleware::from_fn_with_state((csms.clone(), rules), auth::guard))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .with_state(csms)
        .merge(SwaggerUi::new("/api/docs").url("/api/openapi.json", description))
}
