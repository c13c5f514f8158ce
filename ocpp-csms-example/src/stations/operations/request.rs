//! What operators and programs can have a station do, in words that do not depend on its version.
//!
//! Where the standard has an object of its own, such as a charging profile, it is taken in the form of 2.1; the engine writes it for
//! the station's version.

use std::time::Duration;

use jiff::Timestamp;
use ocpp_core::csms::flows::{
    CertificateHash, CertificateInstallation, CertificatePurpose, CertificateRenewal, Customer, CustomerQuery,
    FirmwarePublication, FirmwareSignature, FirmwareUpdate, Flow, LogRetrieval, MonitoringQuery, NetworkSwitch,
    PasswordChange, ProfileUpgrade, Secret,
};
use ocpp_core::csms::{self, Command, Place, ResetKind, TransactionId};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// How a station restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// Its transactions are stopped first.
    #[default]
    Immediate,
    /// As soon as no transaction is running (2.x; 1.6 stops them).
    OnIdle,
    /// Whatever the state (1.6 `Hard`).
    Hard,
}

/// What a certificate of a station is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The connection to this CSMS.
    #[default]
    ChargingStation,
    /// ISO 15118-2 (2.x).
    V2g,
    /// ISO 15118-20 (2.1).
    V2g20,
    /// Both connections.
    Combined,
}

/// What day-to-day operation asks of a station.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "operation", rename_all = "snake_case", deny_unknown_fields)]
pub enum Operate {
    /// Start a transaction.
    RemoteStart {
        /// Where; the station chooses without it.
        evse: Option<i64>,
        /// For whom.
        token: String,
        /// The kind of token in the standard's words. Default: what is known of the token.
        token_type: Option<String>,
        /// A number by which the transaction can be told apart (2.x). Default: one is made.
        remote_start_id: Option<i64>,
        /// A charging profile for it, in the form of the station's version.
        #[schema(value_type = Option<Object>)]
        charging_profile: Option<Map<String, Value>>,
    },
    /// Stop a transaction.
    RemoteStop {
        /// Which.
        transaction: String,
    },
    /// Ask whether a transaction goes on (2.x).
    TransactionStatus {
        /// Which; without it, whether messages of any wait.
        transaction: Option<String>,
    },
    /// Show to the driver what a transaction costs so far (2.x).
    CostUpdated {
        /// Which.
        transaction: String,
        /// The cost, in whole units of the currency.
        #[schema(value_type = String)]
        total_cost: Decimal,
    },
    /// Restart.
    Reset {
        /// How. Default: `immediate`.
        #[serde(default)]
        kind: Restart,
        /// Only this EVSE (2.x).
        evse: Option<i64>,
    },
    /// Unlock a connector.
    Unlock {
        /// The EVSE (the connector of 1.6).
        evse: i64,
        /// The connector of the EVSE. Default: 1.
        connector: Option<i64>,
    },
    /// Take into or out of service.
    ChangeAvailability {
        /// Which EVSE; without it the station.
        evse: Option<i64>,
        /// Which connector of it.
        connector: Option<i64>,
        /// Whether it is to be in service.
        operative: bool,
    },
    /// Keep a place for a token.
    Reserve {
        /// The number of the reservation. Default: one is made.
        reservation: Option<i64>,
        /// Where; the station chooses without it.
        evse: Option<i64>,
        /// The kind of connector (2.x).
        connector_type: Option<String>,
        /// For whom.
        token: String,
        /// The kind of token in the standard's words. Default: what is known of the token.
        token_type: Option<String>,
        /// When it is over.
        #[schema(value_type = String, format = DateTime)]
        expires_at: Timestamp,
    },
    /// Give a reservation up.
    CancelReservation {
        /// Which.
        reservation: i64,
    },
    /// Let the station forget the tokens in its cache.
    ClearCache,
    /// Let the station send a message now.
    Trigger {
        /// The message in the words of its version, such as `StatusNotification`.
        message: String,
        /// For which EVSE.
        evse: Option<i64>,
        /// For which connector of it.
        connector: Option<i64>,
    },
    /// Read settings: keys of 1.6 (none for all), `Component.Variable` of 2.x.
    GetConfiguration {
        /// Which.
        #[serde(default)]
        names: Vec<String>,
    },
    /// Read attributes of variables (2.x).
    GetVariables {
        /// Which: GetVariableDataType of 2.1.
        #[schema(value_type = Vec<Object>)]
        variables: Vec<Value>,
    },
    /// Have the station report its variables (2.x), or read all keys (1.6).
    BaseReport {
        /// `FullInventory`, `ConfigurationInventory` or `SummaryInventory`. Default: `FullInventory`.
        base: Option<String>,
    },
    /// Install a charging profile.
    SetChargingProfile {
        /// The EVSE (the connector of 1.6); 0 is the station.
        evse: i64,
        /// The profile: ChargingProfileType of 2.1.
        #[schema(value_type = Object)]
        profile: Value,
    },
    /// Remove charging profiles.
    ClearChargingProfile {
        /// The one with this id.
        profile: Option<i64>,
        /// Or those that fit all of this: ClearChargingProfileType of 2.1.
        #[schema(value_type = Option<Object>)]
        criteria: Option<Value>,
    },
    /// Have the station report charging profiles (2.x).
    GetChargingProfiles {
        /// Of this EVSE; all without it.
        evse: Option<i64>,
        /// Which: ChargingProfileCriterionType of 2.1. Default: all.
        #[schema(value_type = Option<Object>)]
        criterion: Option<Value>,
    },
    /// What an EVSE may take over the next time.
    GetCompositeSchedule {
        /// The EVSE (the connector of 1.6); 0 is the station.
        evse: i64,
        /// For how long, in s.
        duration: i64,
        /// `A` or `W`; the station chooses without it.
        unit: Option<String>,
    },
    /// Give a transaction priority over others, or take it away (2.1).
    PriorityCharging {
        /// Which.
        transaction: String,
        /// Whether it is to have priority.
        activate: bool,
    },
    /// Show a message (2.x).
    SetDisplayMessage {
        /// The message: MessageInfoType of 2.1.
        #[schema(value_type = Object)]
        message: Value,
    },
    /// Have the station report the messages that it shows (2.x).
    GetDisplayMessages {
        /// Those with these ids; all without.
        #[serde(default)]
        ids: Vec<i64>,
        /// Those of this priority.
        priority: Option<String>,
        /// Those for this state.
        state: Option<String>,
    },
    /// Show a message no more (2.x).
    ClearDisplayMessage {
        /// Its id.
        id: i64,
    },
    /// Which local list does the station have?
    GetLocalListVersion,
    /// Send the tokens that are known here as the station's local list.
    SynchroniseLocalList,
    /// A vendor's own message.
    DataTransfer {
        /// The vendor.
        vendor_id: String,
        /// The vendor's name for the message.
        message_id: Option<String>,
        /// The data.
        #[schema(value_type = Option<Object>)]
        data: Option<Value>,
    },
    /// Have a log uploaded.
    GetLog {
        /// `DiagnosticsLog`, `SecurityLog` or (2.1) `DataCollectorLog`; without it the diagnostics, in 1.6 by GetDiagnostics.
        log: Option<String>,
        /// Where to.
        location: String,
        /// From when on.
        #[schema(value_type = Option<String>, format = DateTime)]
        oldest: Option<Timestamp>,
        /// Until when.
        #[schema(value_type = Option<String>, format = DateTime)]
        latest: Option<Timestamp>,
        /// How often to try again.
        retries: Option<i64>,
        /// Seconds between tries.
        retry_interval: Option<u32>,
    },
}

/// What changes how a station is set up or secured, or tells of its customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "operation", rename_all = "snake_case", deny_unknown_fields)]
pub enum Administer {
    /// Write a setting: a key of 1.6, or `Component.Variable` of 2.x.
    SetConfiguration {
        /// Which.
        name: String,
        /// The new value.
        value: String,
    },
    /// Write attributes of variables (2.x).
    SetVariables {
        /// Which, and what: SetVariableDataType of 2.1.
        #[schema(value_type = Vec<Object>)]
        variables: Vec<Value>,
    },
    /// Give the station another password.
    ChangePassword {
        /// The new one: 16 to 20 bytes in 1.6, 16 to 40 characters in 2.0.1, 16 to 64 in 2.1. It is never shown again.
        #[schema(write_only)]
        password: String,
    },
    /// Let the station connect more securely.
    UpgradeProfile {
        /// The security profile: 1, 2 or 3.
        #[schema(minimum = 1, maximum = 3)]
        profile: u8,
        /// The network profile that has it (2.x).
        network: Option<Network>,
    },
    /// Let the station connect by another network profile (2.x).
    SwitchNetwork(Network),
    /// Which certificates are installed?
    ListCertificates {
        /// Kinds in the standard's words; none for all.
        #[serde(default)]
        kinds: Vec<String>,
    },
    /// Install a root certificate.
    InstallCertificate {
        /// The kind in the standard's words, such as `CSMSRootCertificate`.
        kind: String,
        /// PEM.
        certificate: String,
    },
    /// Delete a certificate.
    DeleteCertificate {
        /// The algorithm of the hashes, such as `SHA256`.
        algorithm: String,
        /// The hash of the issuer's name.
        issuer_name: String,
        /// The hash of the issuer's key.
        issuer_key: String,
        /// The serial number, hexadecimal.
        serial_number: String,
    },
    /// Let the station make a new key and ask for its certificate.
    RenewCertificate {
        /// For what. Default: the connection to this CSMS.
        #[serde(default)]
        purpose: Purpose,
        /// Whose, where each EVSE has its own (2.x).
        evse: Option<i64>,
    },
    /// Update the firmware.
    UpdateFirmware {
        /// Where it is.
        location: String,
        /// When to fetch it. Default: now.
        #[schema(value_type = Option<String>, format = DateTime)]
        retrieve_at: Option<Timestamp>,
        /// When to install it. Default: when it is there.
        #[schema(value_type = Option<String>, format = DateTime)]
        install_at: Option<Timestamp>,
        /// The signing certificate, PEM.
        signing_certificate: Option<String>,
        /// The signature, base64.
        signature: Option<String>,
        /// How often to try again.
        retries: Option<i64>,
        /// Seconds between tries.
        retry_interval: Option<u32>,
    },
    /// Let a local controller publish firmware (2.x).
    PublishFirmware {
        /// Where it is.
        location: String,
        /// MD5 of the file, hexadecimal.
        checksum: String,
    },
    /// Let a local controller stop publishing firmware (2.x).
    UnpublishFirmware {
        /// The MD5 that it was published with.
        checksum: String,
    },
    /// What the station knows of a customer, or have it forgotten (2.x). Exactly one of `token` and `customer` is given.
    CustomerInformation {
        /// By token.
        token: Option<String>,
        /// The kind of token. Default: what is known of it.
        token_type: Option<String>,
        /// By whatever the maker agreed on.
        customer: Option<String>,
        /// Whether the station is to forget.
        #[serde(default)]
        clear: bool,
    },
    /// Choose the set of monitors (2.x).
    SetMonitoringBase {
        /// `All`, `FactoryDefault` or `HardWiredOnly`.
        base: String,
    },
    /// Choose which events are worth telling (2.x).
    SetMonitoringLevel {
        /// The least severe that is told: 0 (danger) to 9 (debug).
        #[schema(minimum = 0, maximum = 9)]
        severity: i64,
    },
    /// Set monitors (2.x).
    SetMonitors {
        /// Which: SetMonitoringDataType of 2.1.
        #[schema(value_type = Vec<Object>)]
        monitors: Vec<Value>,
    },
    /// Clear monitors (2.x).
    ClearMonitors {
        /// By their ids.
        ids: Vec<i64>,
    },
    /// Have the station report its monitors (2.x).
    GetMonitors,
}

/// Another way for a station to connect (2.x).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The configuration slot to be used.
    slot: i64,
    /// What to write into the slot: NetworkConnectionProfileType of 2.1; nothing where it is written already.
    #[schema(value_type = Option<Object>)]
    profile: Option<Value>,
    /// The slots to fall back to, best first.
    #[serde(default)]
    fall_back: Vec<i64>,
}

/// Anything of the two.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Request {
    /// Day-to-day operation.
    Operate(Operate),
    /// Set-up and security.
    Administer(Administer),
}

impl From<Operate> for Request {
    fn from(request: Operate) -> Self {
        Self::Operate(request)
    }
}

impl From<Administer> for Request {
    fn from(request: Administer) -> Self {
        Self::Administer(request)
    }
}

/// What a request has to say that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRequest(pub String);

/// What is known of tokens, so that a request need not say it.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The kind of the token that the request names.
    pub(super) token_type: Option<String>,
    /// Its group.
    pub(super) group: Option<String>,
    /// A number that no other operation has.
    pub(super) number: i64,
}

impl Operate {
    /// Whether a request of day-to-day operation has this name and these particulars.
    pub(super) fn describes(kind: &str, particulars: &Value) -> bool {
        let mut request = particulars.clone();
        if let Value::Object(members) = &mut request {
            members.insert("operation".to_owned(), Value::from(kind));
        }
        serde_json::from_value::<Self>(request).is_ok()
    }
}

impl Request {
    /// Its name, such as `reset`, and its particulars without secrets.
    #[must_use]
    pub fn describe(&self) -> (String, Value) {
        let Ok(Value::Object(mut request)) = serde_json::to_value(self) else { return (String::new(), Value::Null) };
        let kind = match request.remove("operation") {
            Some(Value::String(kind)) => kind,
            _ => String::new(),
        };
        request.retain(|name, value| name != "password" && !value.is_null());
        (kind, Value::Object(request))
    }

    /// The token that it names, and the kind if that is said.
    pub(super) fn token(&self) -> Option<(&str, Option<&str>)> {
        match self {
            Self::Operate(
                Operate::RemoteStart { token, token_type, .. } | Operate::Reserve { token, token_type, .. },
            )
            | Self::Administer(Administer::CustomerInformation { token: Some(token), token_type, .. }) => {
                Some((token, token_type.as_deref()))
            }
            _ => None,
        }
    }

    /// As the engine knows it. The local list is no single command: it is told apart before.
    pub(super) fn command(self, known: Known) -> Result<Command, BadRequest> {
        match self {
            Self::Operate(request) => operate(request, known),
            Self::Administer(request) => administer(request, known),
        }
    }
}

fn operate(request: Operate, known: Known) -> Result<Command, BadRequest> {
    let group = known.group.map(|group| csms::Token::with_kind(group, "Central"));
    Ok(match request {
        Operate::RemoteStart { evse, token, token_type, remote_start_id, charging_profile } => Command::RemoteStart {
            evse,
            token: token_of(token, token_type.or(known.token_type)),
            remote_start_id: remote_start_id.unwrap_or(known.number),
            group,
            charging_profile: charging_profile.map(|profile| Value::Object(profile).to_string()),
        },
        Operate::RemoteStop { transaction } => Command::RemoteStop { transaction: TransactionId::new(transaction) },
        Operate::TransactionStatus { transaction } => {
            Command::GetTransactionStatus { transaction: transaction.map(TransactionId::new) }
        }
        Operate::CostUpdated { transaction, total_cost } => {
            Command::CostUpdated { transaction: TransactionId::new(transaction), total_cost }
        }
        Operate::Reset { kind, evse } => {
            let kind = match kind {
                Restart::Immediate => ResetKind::Immediate,
                Restart::OnIdle => ResetKind::OnIdle,
                Restart::Hard => ResetKind::Hard,
            };
            Command::Reset { kind, evse }
        }
        Operate::Unlock { evse, connector } => Command::Unlock { evse, connector: connector.unwrap_or(1) },
        Operate::ChangeAvailability { evse, connector, operative } => {
            Command::ChangeAvailability { place: place(evse, connector)?, operative }
        }
        Operate::Reserve { reservation, evse, connector_type, token, token_type, expires_at } => {
            Command::Reserve(Box::new(csms::Reservation {
                id: reservation.unwrap_or(known.number),
                evse,
                connector_type,
                token: token_of(token, token_type.or(known.token_type)),
                group,
                expires_at,
            }))
        }
        Operate::CancelReservation { reservation } => Command::CancelReservation { reservation },
        Operate::ClearCache => Command::ClearCache,
        Operate::Trigger { message, evse, connector } => {
            Command::TriggerMessage { message, place: place(evse, connector)? }
        }
        Operate::GetConfiguration { names } => Command::GetConfiguration { names },
        Operate::GetVariables { variables } => Command::GetVariables { variables: typed_list("variables", variables)? },
        Operate::BaseReport { base } => {
            Command::GetBaseReport { base: base.as_deref().unwrap_or("FullInventory").into() }
        }
        Operate::SetChargingProfile { evse, profile } => {
            Command::SetChargingProfile { evse, profile: Box::new(typed("profile", profile)?) }
        }
        Operate::ClearChargingProfile { profile, criteria } => Command::ClearChargingProfile {
            profile,
            criteria: criteria.map(|criteria| typed("criteria", criteria)).transpose()?,
        },
        Operate::GetChargingProfiles { evse, criterion } => Command::GetChargingProfiles {
            evse,
            // Whoever installed it.
            criterion: typed(
                "criterion",
                criterion.unwrap_or_else(|| serde_json::json!({"chargingLimitSource": ["CSO", "EMS", "SO", "Other"]})),
            )?,
        },
        Operate::GetCompositeSchedule { evse, duration, unit } => {
            Command::GetCompositeSchedule { evse, duration, unit: unit.as_deref().map(Into::into) }
        }
        Operate::PriorityCharging { transaction, activate } => {
            Command::UsePriorityCharging { transaction: TransactionId::new(transaction), activate }
        }
        Operate::SetDisplayMessage { message } => {
            Command::SetDisplayMessage { message: Box::new(typed("message", message)?) }
        }
        Operate::GetDisplayMessages { ids, priority, state } => Command::GetDisplayMessages {
            ids,
            priority: priority.as_deref().map(Into::into),
            state: state.as_deref().map(Into::into),
        },
        Operate::ClearDisplayMessage { id } => Command::ClearDisplayMessage { id },
        Operate::GetLocalListVersion => Command::GetLocalListVersion,
        Operate::SynchroniseLocalList => return Err(BadRequest("the list is made of the tokens".to_owned())),
        Operate::DataTransfer { vendor_id, message_id, data } => {
            Command::DataTransfer { vendor_id, message_id, data: data.map(|data| data.to_string()) }
        }
        Operate::GetLog { log, location, oldest, latest, retries, retry_interval } => {
            let mut retrieval = LogRetrieval::new(log.as_deref(), location);
            (retrieval.oldest, retrieval.latest, retrieval.retries) = (oldest, latest, retries);
            retrieval.retry_interval = seconds(retry_interval);
            flow(Flow::GetLog(retrieval))
        }
    })
}

fn administer(request: Administer, known: Known) -> Result<Command, BadRequest> {
    Ok(match request {
        Administer::SetConfiguration { name, value } => {
            if is_password(&name) {
                return Err(BadRequest(format!(
                    "{name} is a password: use change_password, which lets the station in with it"
                )));
            }
            Command::SetConfiguration { name, value }
        }
        Administer::SetVariables { variables } => {
            let variables: Vec<ocpp_core::types::v2_1::SetVariableDataType> = typed_list("variables", variables)?;
            if variables.iter().any(|data| is_password(&data.variable.name)) {
                return Err(BadRequest(
                    "a password is changed by change_password, which lets the station in with it".to_owned(),
                ));
            }
            Command::SetVariables { variables }
        }
        Administer::ChangePassword { password } => {
            flow(Flow::ChangePassword(PasswordChange::new(Secret::new(password))))
        }
        Administer::UpgradeProfile { profile, network } => {
            if !(1..=3).contains(&profile) {
                return Err(BadRequest("a security profile to upgrade to is 1, 2 or 3".to_owned()));
            }
            let mut upgrade = ProfileUpgrade::new(profile);
            upgrade.network = network.map(switch).transpose()?;
            flow(Flow::UpgradeProfile(upgrade))
        }
        Administer::SwitchNetwork(network) => flow(Flow::SwitchNetwork(switch(network)?)),
        Administer::ListCertificates { kinds } => flow(Flow::ListCertificates { kinds }),
        Administer::InstallCertificate { kind, certificate } => {
            flow(Flow::InstallCertificate(CertificateInstallation { kind, certificate }))
        }
        Administer::DeleteCertificate { algorithm, issuer_name, issuer_key, serial_number } => {
            let certificate = CertificateHash { algorithm, issuer_name, issuer_key, serial_number };
            flow(Flow::DeleteCertificate { certificate })
        }
        Administer::RenewCertificate { purpose, evse } => {
            let mut renewal = CertificateRenewal::new(match purpose {
                Purpose::ChargingStation => CertificatePurpose::ChargingStation,
                Purpose::V2g => CertificatePurpose::V2g,
                Purpose::V2g20 => CertificatePurpose::V2g20,
                Purpose::Combined => CertificatePurpose::Combined,
            });
            renewal.evse = evse;
            flow(Flow::RenewCertificate(renewal))
        }
        Administer::UpdateFirmware {
            location,
            retrieve_at,
            install_at,
            signing_certificate,
            signature,
            retries,
            retry_interval,
        } => {
            let mut update = FirmwareUpdate::new(location, retrieve_at.unwrap_or_else(Timestamp::now));
            update.install_at = install_at;
            update.signature = match (signing_certificate, signature) {
                (Some(certificate), Some(signature)) => Some(FirmwareSignature { certificate, signature }),
                (None, None) => None,
                _ => return Err(BadRequest("signing_certificate and signature go together".to_owned())),
            };
            (update.retries, update.retry_interval) = (retries, seconds(retry_interval));
            flow(Flow::UpdateFirmware(update))
        }
        Administer::PublishFirmware { location, checksum } => {
            flow(Flow::PublishFirmware(FirmwarePublication::new(location, checksum)))
        }
        Administer::UnpublishFirmware { checksum } => flow(Flow::UnpublishFirmware { checksum }),
        Administer::CustomerInformation { token, token_type, customer, clear } => {
            let customer = match (token, customer) {
                (Some(token), None) => Customer::Token(token_of(token, token_type.or(known.token_type))),
                (None, Some(customer)) => Customer::Identifier(customer),
                _ => return Err(BadRequest("give either token or customer".to_owned())),
            };
            let query = if clear { CustomerQuery::clear(customer) } else { CustomerQuery::report(customer) };
            flow(Flow::CustomerInformation(query))
        }
        Administer::SetMonitoringBase { base } => flow(Flow::SetMonitoringBase { base }),
        Administer::SetMonitoringLevel { severity } => flow(Flow::SetMonitoringLevel { severity }),
        Administer::SetMonitors { monitors } => flow(Flow::SetMonitors { monitors: typed_list("monitors", monitors)? }),
        Administer::ClearMonitors { ids } => flow(Flow::ClearMonitors { ids }),
        Administer::GetMonitors => flow(Flow::GetMonitors(MonitoringQuery::default())),
    })
}

/// Whether a setting is a password of the station's connection.
fn is_password(name: &str) -> bool {
    let name = name.rsplit('.').next().unwrap_or(name);
    name.eq_ignore_ascii_case("AuthorizationKey") || name.eq_ignore_ascii_case("BasicAuthPassword")
}

fn flow(flow: Flow) -> Command {
    Command::Flow(Box::new(flow))
}

fn switch(network: Network) -> Result<NetworkSwitch, BadRequest> {
    let mut switch = NetworkSwitch::new(network.slot, network.fall_back);
    switch.profile = network.profile.map(|profile| typed("profile", profile)).transpose()?.map(Box::new);
    Ok(switch)
}

fn seconds(seconds: Option<u32>) -> Option<Duration> {
    seconds.map(|seconds| Duration::from_secs(seconds.into()))
}

fn token_of(token: String, kind: Option<String>) -> csms::Token {
    match kind {
        Some(kind) => csms::Token::with_kind(token, kind),
        None => csms::Token::new(token),
    }
}

fn place(evse: Option<i64>, connector: Option<i64>) -> Result<Option<Place>, BadRequest> {
    match (evse, connector) {
        (None, None) => Ok(None),
        (Some(evse), connector) => Ok(Some(Place { evse, connector })),
        (None, Some(_)) => Err(BadRequest("a connector is named together with its evse".to_owned())),
    }
}

/// An object of the standard.
fn typed<T: DeserializeOwned>(name: &str, value: Value) -> Result<T, BadRequest> {
    serde_json::from_value(value).map_err(|error| BadRequest(format!("{name} is not as 2.1 has it: {error}")))
}

fn typed_list<T: DeserializeOwned>(name: &str, values: Vec<Value>) -> Result<Vec<T>, BadRequest> {
    values.into_iter().map(|value| typed(name, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A01.FR.09; 1.6 security, A01.FR.09
    #[test]
    fn a_password_is_not_part_of_what_is_kept() {
        let request = Request::from(Administer::ChangePassword { password: "0123456789abcdef".to_owned() });
        let (kind, kept) = request.describe();
        assert_eq!((kind.as_str(), kept.to_string()), ("change_password", "{}".to_owned()));
    }

    #[test]
    fn a_password_is_not_written_as_any_setting() {
        for name in ["AuthorizationKey", "SecurityCtrlr.BasicAuthPassword", "securityctrlr.basicauthpassword"] {
            let request = Administer::SetConfiguration { name: name.to_owned(), value: "x".to_owned() };
            assert!(Request::from(request).command(Known::default()).is_err(), "{name}");
        }
    }

    #[test]
    fn what_is_known_of_a_token_need_not_be_said() {
        let request: Operate =
            serde_json::from_str(r#"{"operation": "remote_start", "evse": 1, "token": "TAG"}"#).unwrap();
        let known = Known { token_type: Some("ISO14443".to_owned()), group: Some("FLEET".to_owned()), number: 7 };
        let command = Request::from(request).command(known).unwrap();
        let Command::RemoteStart { token, group, remote_start_id, .. } = command else { panic!("{command:?}") };
        assert_eq!((token.kind.as_deref(), remote_start_id), (Some("ISO14443"), 7));
        assert_eq!(group.unwrap().id, "FLEET");
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for text in [
            r#"{"operation": "reset", "kind": "gently"}"#,
            r#"{"operation": "dance"}"#,
            r#"{"operation": "unlock", "evse": 1, "knob": 2}"#,
        ] {
            assert!(serde_json::from_str::<Operate>(text).is_err(), "{text}");
        }
        let request: Operate =
            serde_json::from_str(r#"{"operation": "set_charging_profile", "evse": 1, "profile": {"id": 1}}"#).unwrap();
        let error = Request::from(request).command(Known::default()).unwrap_err();
        assert!(error.0.contains("profile"), "{error}");
    }
}
