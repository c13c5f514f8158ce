//! Set-up and security: settings, passwords, certificates, firmware, monitors, and the data of customers.

use jiff::Timestamp;
use ocpp_core::csms::Command;
use ocpp_core::csms::flows::{
    CertificateHash, CertificateInstallation, CertificatePurpose, CertificateRenewal, Customer, CustomerQuery,
    FirmwarePublication, FirmwareSignature, FirmwareUpdate, Flow, MonitoringQuery, NetworkSwitch, PasswordChange,
    ProfileUpgrade, Secret,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{BadRequest, Known, flow, seconds, token_of, typed, typed_list};

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
    GetMonitors {},
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

/// The command of the engine.
pub(super) fn command(request: Administer, known: Known) -> Result<Command, BadRequest> {
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
        Administer::GetMonitors {} => flow(Flow::GetMonitors(MonitoringQuery::default())),
    })
}

/// Whether a setting is a password of the station's connection.
fn is_password(name: &str) -> bool {
    let name = name.rsplit('.').next().unwrap_or(name);
    name.eq_ignore_ascii_case("AuthorizationKey") || name.eq_ignore_ascii_case("BasicAuthPassword")
}

fn switch(network: Network) -> Result<NetworkSwitch, BadRequest> {
    let mut switch = NetworkSwitch::new(network.slot, network.fall_back);
    switch.profile = network.profile.map(|profile| typed("profile", profile)).transpose()?.map(Box::new);
    Ok(switch)
}
