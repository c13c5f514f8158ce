//! The stations: what is known of them, what the operator decides about them, and their OCPP log.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use ocpp_core::transport::SecurityProfile;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::body::{Json, Path, Query};
use super::raw::json_or_text;
use super::tokens::{Part, limit};
use super::{Number, Problem};
use crate::access::Actor;
use crate::server::Csms;
use crate::stations::{LiveSession, LiveStation, check_id};
use crate::store::{Direction, Registration, Station, StationChange, StoredMessage};
use crate::tariffs::amount;

/// Longest password: what 2.1 lets a station keep (`passwordString`, part 2, BasicAuthPassword).
const MAX_PASSWORD: usize = 64;

/// A station.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StationView {
    /// Its identity.
    id: String,
    /// What its boot is answered with.
    registration: Registration,
    /// How it must prove who it is: 0 not at all, 1 by password, 2 by password over TLS, 3 by certificate over TLS. Null:
    /// nobody decided, and the configuration says whether it is let in.
    #[schema(minimum = 0, maximum = 3)]
    security_profile: Option<u8>,
    /// Whether it has a password here.
    has_password: bool,
    /// The name in its certificate, where that is not its identity: its serial number.
    certificate_name: Option<String>,
    /// Whether any token that is not known charges here as well.
    free_vend: bool,
    /// Whether it is connected.
    connected: bool,
    /// The version of OCPP that it speaks, or spoke last.
    #[schema(example = "2.0.1")]
    version: Option<&'static str>,
    /// Who made it, as it said when it booted.
    vendor: Option<String>,
    /// What the maker calls it.
    model: Option<String>,
    /// Its serial number.
    serial_number: Option<String>,
    /// Its firmware.
    firmware_version: Option<String>,
    /// When it became known.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last connected.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_connected_at: Option<Timestamp>,
    /// When it last booted.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_booted_at: Option<Timestamp>,
    /// When its last frame was received; null since the start of the server.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen_at: Option<Timestamp>,
    /// The power that it gives, in W.
    power_w: Number,
    /// Its connectors, as far as it told of them.
    connectors: Vec<ConnectorStatus>,
    /// The transactions that run.
    sessions: Vec<RunningSession>,
}

/// A transaction that runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunningSession {
    /// Its name, unique for the station.
    transaction: String,
    /// The EVSE, as soon as the station has said which.
    evse: Option<i64>,
    /// The connector of the EVSE.
    connector: Option<i64>,
    /// The token that started it.
    token: Option<String>,
    /// When it started, by the station's clock.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// What has been charged, in Wh.
    energy_wh: Number,
    /// The newest power that the station reported, in W.
    power_w: Option<Number>,
    /// The state of charge of the vehicle, in percent.
    soc: Option<Number>,
    /// What it costs so far.
    cost: Number,
    /// The ISO 4217 code of the currency.
    currency: &'static str,
}

impl RunningSession {
    fn new(LiveSession { transaction, soc }: LiveSession) -> Self {
        Self {
            evse: transaction.evse,
            connector: transaction.connector,
            started_at: transaction.started_at,
            energy_wh: Number(transaction.energy_wh()),
            power_w: transaction.power.map(Number),
            soc: soc.map(Number),
            cost: Number(amount(transaction.cost, transaction.currency)),
            currency: transaction.currency.code(),
            token: transaction.token,
            transaction: transaction.id,
        }
    }
}

/// A connector.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectorStatus {
    /// The EVSE, from 1; 0 is the whole station.
    evse: i64,
    /// The connector of the EVSE, from 1; 0 is the whole station.
    connector: i64,
    /// The state in the standard's words, such as `Available`.
    status: String,
    /// The error of 1.6, other than `NoError`.
    error: Option<String>,
    /// Since when, by the station's clock.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

impl StationView {
    fn new(station: Station, live: LiveStation) -> Self {
        let version = live.connection.map(|connection| connection.version).or(station.version);
        let power_w = Number(live.total_power());
        let identity = station.identity;
        let sessions = live.sessions.into_values().map(RunningSession::new).collect();
        let connectors = live
            .connectors
            .into_iter()
            .map(|((evse, connector), view)| ConnectorStatus {
                evse,
                connector,
                status: view.status,
                error: view.error,
                since: view.since,
            })
            .collect();
        Self {
            id: station.id,
            registration: station.registration,
            security_profile: station.security_profile,
            has_password: station.password_hash.is_some(),
            certificate_name: station.certificate_name,
            free_vend: station.free_vend,
            connected: live.connection.is_some(),
            version: version.map(|version| version.number()),
            vendor: identity.as_ref().map(|identity| identity.vendor.clone()),
            model: identity.as_ref().map(|identity| identity.model.clone()),
            serial_number: identity.as_ref().and_then(|identity| identity.serial_number.clone()),
            firmware_version: identity.and_then(|identity| identity.firmware_version),
            created_at: station.created_at,
            last_connected_at: station.last_connected_at,
            last_booted_at: station.last_booted_at,
            last_seen_at: live.last_seen_at,
            power_w,
            connectors,
            sessions,
        }
    }
}

/// What the operator decides about a station. What is left out stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StationPut {
    /// What its boot is answered with. A new station is `accepted`. A station that is rejected is disconnected.
    pub(crate) registration: Option<Registration>,
    /// Its password, 1 to 64 characters (the standard asks for 16 at least). It makes a station of profile 0 one of profile 1,
    /// unless `security_profile` is given, too. Never shown again.
    #[schema(write_only, min_length = 1, max_length = 64)]
    pub(crate) password: Option<String>,
    /// How it must prove who it is: 0 not at all, 1 by password, 2 by password over TLS, 3 by certificate over TLS.
    #[schema(minimum = 0, maximum = 3)]
    pub(crate) security_profile: Option<u8>,
    /// The name in its certificate (profile 3), where that is not its identity: its serial number, 1 to 64 characters. Without one, the
    /// serial number counts that it tells when it boots for the first time after it proved who it is.
    #[schema(min_length = 1, max_length = 64)]
    pub(crate) certificate_name: Option<String>,
    /// Whether any token that is not known charges here as well. What charging costs stays the same.
    pub(crate) free_vend: Option<bool>,
}

/// Stations, in the order of their identities.
#[utoipa::path(get, path = "/api/v1/stations", tag = "stations",
    security(("bearer" = ["view"])), operation_id = "list_stations", params(Part),
    responses((status = 200, body = Vec<StationView>)))]
pub(super) async fn list(
    State(csms): State<Csms>,
    Query(part): Query<Part>,
) -> Result<axum::Json<Vec<StationView>>, Problem> {
    let stations = csms.store().stations(part.after.as_deref(), part.limit()?).await?;
    let views = stations.into_iter().map(|station| {
        let live = csms.stations().live(&station.id);
        StationView::new(station, live)
    });
    Ok(axum::Json(views.collect()))
}

/// One station.
#[utoipa::path(get, path = "/api/v1/stations/{id}", tag = "stations",
    security(("bearer" = ["view"])), operation_id = "get_station",
    params(("id", description = "The station's identity")),
    responses((status = 200, body = StationView), (status = 404, body = Problem)))]
pub(super) async fn get(State(csms): State<Csms>, Path(id): Path<String>) -> Result<axum::Json<StationView>, Problem> {
    let station = csms.store().station(&id).await?.ok_or_else(|| Problem::unknown_station(&id))?;
    let live = csms.stations().live(&id);
    Ok(axum::Json(StationView::new(station, live)))
}

/// Enters a station, or changes it. A change counts at once, for a connected station as well: with another password or a stricter
/// profile it has to connect again.
#[utoipa::path(put, path = "/api/v1/stations/{id}", tag = "stations",
    security(("bearer" = ["operate"])), operation_id = "put_station", request_body = StationPut,
    params(("id", description = "The station's identity, 1 to 48 characters")),
    responses((status = 200, description = "Changed", body = StationView), (status = 201, description = "Entered", body = StationView),
        (status = 400, body = Problem)))]
pub(super) async fn put(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(put): Json<StationPut>,
) -> Result<(StatusCode, axum::Json<StationView>), Problem> {
    let new_password = if put.password.is_some() { ", new password" } else { "" };
    let (created, station) = change(&csms, &id, put).await?;
    let action = if created { "station.created" } else { "station.changed" };
    csms.audit(&actor, action, &id, format!("{}{new_password}", station.registration)).await;
    let live = csms.stations().live(&id);
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, axum::Json(StationView::new(station, live))))
}

/// Enters a station, or changes it; whether it is new, and what it is now.
pub(crate) async fn change(csms: &Csms, id: &str, put: StationPut) -> Result<(bool, Station), Problem> {
    check_id(id).map_err(|error| Problem::bad_request(error.to_string()))?;
    if put.security_profile.is_some_and(|profile| profile > 3) {
        return Err(Problem::bad_request("security_profile is 0, 1, 2 or 3"));
    }
    if let Some(password) = &put.password
        && !(1..=MAX_PASSWORD).contains(&password.chars().count())
    {
        return Err(Problem::bad_request(format!("a password has 1 to {MAX_PASSWORD} characters")));
    }
    if put.certificate_name.as_ref().is_some_and(|name| !(1..=MAX_PASSWORD).contains(&name.chars().count())) {
        return Err(Problem::bad_request("a certificate_name has 1 to 64 characters"));
    }
    let before = csms.store().station(id).await?;
    let has_password = put.password.is_some() || before.as_ref().is_some_and(|station| station.password_hash.is_some());
    if matches!(put.security_profile, Some(1 | 2)) && !has_password {
        return Err(Problem::bad_request("security profiles 1 and 2 need a password: send one along"));
    }
    let change = StationChange {
        registration: put.registration,
        security_profile: put.security_profile,
        password_hash: put.password.map(|password| csms.password_key().hash(id, password.as_bytes())),
        certificate_name: put.certificate_name,
        free_vend: put.free_vend,
    };
    let created = csms.store().put_station(id, &change, Timestamp::now()).await?;
    let station = csms.store().station(id).await?.ok_or_else(|| Problem::unknown_station(id))?;
    if let Some(before) = &before {
        carry_out(csms, before, &station);
    }
    csms.stations().changed();
    Ok((created, station))
}

/// Lets a connected station feel what changed: it is disconnected when that with which it came is not enough any more.
pub(crate) fn carry_out(csms: &Csms, before: &Station, after: &Station) {
    if before.registration != after.registration {
        csms.stations().set_registration(&after.id, after.registration);
    }
    let Some(connection) = csms.stations().live(&after.id).connection else { return };
    let came_with = connection.profile;
    let required = after.security_profile.unwrap_or(0);
    let by_password = matches!(came_with, SecurityProfile::Basic | SecurityProfile::TlsWithBasic);
    let other_password = by_password && required > 0 && before.password_hash != after.password_hash;
    let other_name =
        came_with == SecurityProfile::TlsWithCertificate && before.certificate_name != after.certificate_name;
    // A00.FR.002
    if came_with.number() < required || other_password || other_name {
        csms.stations().disconnect(&after.id, "the operator changed how the station proves who it is");
    }
}

/// A frame in the OCPP log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessageView {
    /// Its place in the log; later frames have greater numbers.
    number: i64,
    /// When it was received or sent.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Which way it went, seen from the CSMS.
    direction: Direction,
    /// The frame as JSON; what is no readable JSON, or was longer than 64 KiB and is cut, as text.
    #[schema(value_type = Value)]
    message: Box<RawValue>,
}

impl From<StoredMessage> for MessageView {
    fn from(message: StoredMessage) -> Self {
        let StoredMessage { number, at, direction, text } = message;
        Self { number, at, direction, message: json_or_text(&text) }
    }
}

/// Which frames.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogPart {
    /// Only those with a smaller number.
    before: Option<i64>,
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// The latest frames of a station, the oldest of them first. A bounded number is kept (`messages_per_station`).
#[utoipa::path(get, path = "/api/v1/stations/{id}/messages", tag = "stations",
    security(("bearer" = ["view"])), operation_id = "list_messages",
    params(("id", description = "The station's identity"), LogPart),
    responses((status = 200, body = Vec<MessageView>), (status = 404, body = Problem)))]
pub(super) async fn messages(
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Query(part): Query<LogPart>,
) -> Result<axum::Json<Vec<MessageView>>, Problem> {
    let limit = limit(part.limit)?;
    csms.store().station(&id).await?.ok_or_else(|| Problem::unknown_station(&id))?;
    csms.message_log().flush().await;
    let messages = csms.store().messages(&id, part.before, limit).await?;
    Ok(axum::Json(messages.into_iter().map(MessageView::from).collect()))
}
