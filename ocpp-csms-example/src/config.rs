//! How an installation is set up: by a file, by environment variables, by options; the later of these win.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use iso_currency::Currency;
use jiff::tz::TimeZone;
use ocpp_core::csms::Conformance;
use ocpp_core::transport::{Compression, MessageRate};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};

use crate::door::ConnectionLimits;
use crate::notifications::{NotificationsConfig, NotificationsFile};
use crate::payments::PaymentSettings;
use crate::proxy::{Proxies, ProxyFile};
use crate::store::Database;
use crate::tariffs::{CostMessages, Tariff};
use crate::tls::{AuthorityFolder, Surroundings, TlsConfig, TlsFile};

/// What happens to a station that nobody has entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum UnknownStations {
    /// It is entered and served.
    Accept,
    /// It is entered and waits until an operator accepts it.
    #[default]
    Pending,
    /// It is refused with 404.
    Reject,
}

/// Who may make an account as a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum DriverRegistration {
    /// Everybody; what they charge is paid from their balance.
    #[default]
    Open,
    /// Whoever has a link of an operator.
    Invitation,
    /// Nobody: operators make the accounts.
    Closed,
}

/// The file that `--config` names: TOML. Every member may be left out; a member that is not known is refused.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// Address and port. Default: `127.0.0.1:8180`.
    pub listen: Option<SocketAddr>,
    /// The database: a file, or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. Default: `ocpp-csms.sqlite` in the current folder.
    pub database: Option<Database>,
    /// How large an SQLite file may become, 4 to 1048576 MiB. When it is full nothing more is kept, and everybody is told so. Default: as
    /// large as the disk.
    pub max_database_size: Option<u32>,
    /// The price of a kWh, at least 0, with at most 6 decimals; as number or text. Default: 0.39.
    #[serde(default, deserialize_with = "decimal")]
    pub price_per_kwh: Option<Decimal>,
    /// The ISO 4217 code of the currency. Default: `EUR`.
    pub currency: Option<String>,
    /// What happens to a station that nobody has entered. Default: `pending`.
    pub unknown_stations: Option<UnknownStations>,
    /// How many stations that nobody has entered are kept. Default: 1000.
    pub max_unknown_stations: Option<u32>,
    /// Whether a station whose security profile nobody decided may connect without a password. Default: only when the
    /// server listens on a loopback address.
    pub allow_no_security: Option<bool>,
    /// Whether a station of 2.x is asked for all its variables when it is first accepted, and when its firmware changed: what it can do is
    /// known then. Default: true.
    pub inventory: Option<bool>,
    /// The seconds after which a station of 2.x is asked after a transaction of which something is missing, 1 to 86400. Default: 30.
    pub transaction_inquiry_after: Option<u32>,
    /// The seconds that an accepted station may be away before that is a fault, 1 to 86400. Default: 300.
    pub offline_after: Option<u32>,
    /// Who is told of what happens, and how.
    #[serde(default)]
    pub notifications: NotificationsFile,
    /// Where contract certificates for ISO 15118 and their revocation status come from: the URL of a service (see the README). Default: none,
    /// and vehicles are told that there are none.
    pub contract_provider: Option<String>,
    /// Whether messages that depart from the schema are refused. Default: false, they are logged and used where possible.
    pub strict: Option<bool>,
    /// The seconds between heartbeats, 1 to 86400. Default: 300.
    pub heartbeat_interval: Option<u32>,
    /// The seconds after which a station that is not accepted asks again, 1 to 86400. Default: 30.
    pub boot_retry_interval: Option<u32>,
    /// The seconds that a station has to answer a call, 1 to 600. Default: 30.
    pub call_timeout: Option<u32>,
    /// The frames kept for each station in the OCPP log, 10 to 100000. Default: 1000.
    pub messages_per_station: Option<u32>,
    /// How many connections there may be, 1 to 1000000, of stations and browsers together. Default: 20000.
    pub max_connections: Option<u32>,
    /// How many connections there may be from one address, 1 to 1000000. Default: 1000, and no limit for this machine itself, where a
    /// proxy connects for all stations.
    pub max_connections_per_address: Option<u32>,
    /// The seconds that a connection may take to send the head of a request, from its beginning or from its last request, 1 to 60.
    /// Default: 10.
    pub handshake_timeout: Option<u32>,
    /// The seconds after which a connection is closed whose other side takes nothing of what waits for it, 1 to 3600. Default: 60.
    pub stall_timeout: Option<u32>,
    /// How many messages a second are read from one station, 1 to 1000000; twice as many at once. A station that sends more is
    /// slowed down. Default: 100.
    pub messages_per_second: Option<u32>,
    /// Whether messages are compressed where the station offers it. Default: true.
    pub compression: Option<bool>,
    /// The name of the operator (CPO, CSO), which the certificates of stations have to name. Default: any.
    pub operator: Option<String>,
    /// Who may make an account as a driver. Default: `open`.
    pub driver_registration: Option<DriverRegistration>,
    /// The URL at which people reach this server, for links and QR codes, and stations, for logs and firmware: `https://charge.example.org`. With `https`, cookies are sent
    /// over TLS only. Default: the address it listens on, and for
    /// a station what it connected to.
    pub public_url: Option<String>,
    /// Proxies in front of this server. Default: none.
    #[serde(default)]
    pub proxy: ProxyFile,
    /// The calendar of the installation, by its IANA name, such as `Africa/Lagos`: days in reports are days of it. Default: `UTC`.
    pub time_zone: Option<String>,
    /// The folder for logs and firmware. Default: beside the database file, with `.files` instead of its extension, or
    /// `ocpp-csms.files` in the current folder.
    pub files: Option<PathBuf>,
    /// How large a log of a station may be, 1 to 4096 MiB. Default: 64.
    pub max_log_size: Option<u32>,
    /// How large a firmware image may be, 1 to 4096 MiB. Default: 256.
    pub max_firmware_size: Option<u32>,
    /// After how many days logs of stations are removed, 1 to 3650. Default: 90.
    pub keep_logs: Option<u32>,
    /// Payment providers. Default: the sandbox, where the server listens on a loopback address.
    #[serde(default)]
    pub payments: PaymentSettings,
    /// How stations are told of prices.
    #[serde(default)]
    pub cost_messages: CostMessages,
    /// How TLS is set up. Default: no TLS.
    #[serde(default)]
    pub tls: TlsFile,
}

/// What is wrong with the configuration, and where.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML, or has a member that is not known or of the wrong type.
    #[error("the configuration {path} is not understood: line {line}: {what}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, without what is written there: that may be a secret.
        what: String,
    },
    /// A value is out of its range.
    #[error("{name} = {value}: {allowed}")]
    Value {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
}

/// A complete and checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address and port.
    pub listen: SocketAddr,
    /// The database.
    pub database: Database,
    /// Bytes of an SQLite file.
    pub max_database_size: Option<u64>,
    /// The tariff that holds as long as no operator has made another.
    pub tariff: Tariff,
    /// What happens to a station that nobody has entered.
    pub unknown_stations: UnknownStations,
    /// How many stations that nobody has entered are kept.
    pub max_unknown_stations: u32,
    /// Whether a station whose security profile nobody decided may connect without a password.
    pub allow_no_security: bool,
    /// Whether stations of 2.x are asked for all their variables.
    pub inventory: bool,
    /// After how long a station is asked after a transaction of which something is missing.
    pub transaction_inquiry_after: Duration,
    /// How long an accepted station may be away before that is a fault.
    pub offline_after: Duration,
    /// How those are told who want to know.
    pub notifications: NotificationsConfig,
    /// Where contract certificates and their revocation status come from.
    pub contract_provider: Option<reqwest::Url>,
    /// The authority of this installation, which signs the certificates of stations.
    pub authority: Option<AuthorityFolder>,
    /// How strictly the messages of stations are judged.
    pub conformance: Conformance,
    /// The time between heartbeats.
    pub heartbeat_interval: Duration,
    /// After how long a station that is not accepted asks again.
    pub boot_retry_interval: Duration,
    /// How long a station may take to answer a call.
    pub call_timeout: Duration,
    /// The frames kept for each station in the OCPP log.
    pub messages_per_station: u32,
    /// How many connections there may be.
    pub connections: ConnectionLimits,
    /// How many messages are read from one station.
    pub message_rate: MessageRate,
    /// How messages are compressed where the station offers it.
    pub compression: Compression,
    /// The name of the operator, which the certificates of stations have to name.
    pub operator: Option<String>,
    /// Who may make an account as a driver.
    pub driver_registration: DriverRegistration,
    /// The URL at which people reach this server, without a slash at its end.
    pub public_url: Option<String>,
    /// The proxies that are trusted to say who is behind them.
    pub proxies: Proxies,
    /// The calendar of the installation.
    pub time_zone: TimeZone,
    /// What stations upload and download.
    pub files: FilesConfig,
    /// Payment providers.
    pub payments: PaymentSettings,
    /// How stations are told of prices.
    pub cost_messages: CostMessages,
    /// How TLS is set up.
    pub tls: Option<TlsConfig>,
}

/// Where logs and firmware are kept, and under which limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesConfig {
    /// The folder, made when it is first needed.
    pub folder: PathBuf,
    /// Bytes of a log.
    pub max_log: u64,
    /// Bytes of a firmware image.
    pub max_firmware: u64,
    /// How long logs are kept.
    pub keep_logs: Duration,
}

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read or is not understood.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            ConfigError::Syntax { path: path.to_owned(), line, what: error.message().to_owned() }
        })
    }

    /// Fills in what is missing and checks what is there.
    ///
    /// # Errors
    /// When a value is out of its range.
    pub fn check(self) -> Result<Config, ConfigError> {
        let listen = self.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8180)));
        let per_kwh = self.price_per_kwh.unwrap_or(Decimal::new(39, 2)).normalize();
        if per_kwh.is_sign_negative() || per_kwh.scale() > 6 || per_kwh > Decimal::from(1_000_000) {
            return Err(out_of_range("price_per_kwh", per_kwh, "0 to 1000000, with at most 6 decimals"));
        }
        let code = self.currency.unwrap_or_else(|| "EUR".to_owned());
        let currency = Currency::from_str(&code)
            .map_err(|_| out_of_range("currency", &code, "a code of ISO 4217, such as EUR"))?;
        let tariff = Tariff::of_energy(per_kwh, currency)
            .map_err(|_| out_of_range("price_per_kwh", per_kwh, "0 to 1000000, with at most 6 decimals"))?;
        let day = |name, value: Option<u32>, default| match value.unwrap_or(default) {
            seconds @ 1..=86_400 => Ok(Duration::from_secs(seconds.into())),
            seconds => Err(out_of_range(name, seconds, "1 to 86400 seconds")),
        };
        let call_timeout = match self.call_timeout.unwrap_or(30) {
            seconds @ 1..=600 => Duration::from_secs(seconds.into()),
            seconds => return Err(out_of_range("call_timeout", seconds, "1 to 600 seconds")),
        };
        let messages_per_station = match self.messages_per_station.unwrap_or(1000) {
            number @ 10..=100_000 => number,
            number => return Err(out_of_range("messages_per_station", number, "10 to 100000")),
        };
        let number = |name, value: u32| match NonZeroU32::new(value) {
            Some(number) if number.get() <= 1_000_000 => Ok(number),
            _ => Err(out_of_range(name, value, "1 to 1000000")),
        };
        let connections = ConnectionLimits {
            total: number("max_connections", self.max_connections.unwrap_or(20_000))?.get(),
            per_address: match self.max_connections_per_address {
                Some(limit) => Some(number("max_connections_per_address", limit)?.get()),
                None => None,
            },
            handshake: match self.handshake_timeout.unwrap_or(10) {
                seconds @ 1..=60 => Duration::from_secs(seconds.into()),
                seconds => return Err(out_of_range("handshake_timeout", seconds, "1 to 60 seconds")),
            },
            stall: match self.stall_timeout.unwrap_or(60) {
                seconds @ 1..=3600 => Duration::from_secs(seconds.into()),
                seconds => return Err(out_of_range("stall_timeout", seconds, "1 to 3600 seconds")),
            },
        };
        let per_second = number("messages_per_second", self.messages_per_second.unwrap_or(100))?;
        let burst = per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1));
        let database = self.database.unwrap_or_else(|| Database::File("ocpp-csms.sqlite".into()));
        let around = Surroundings {
            listen,
            database: database.clone(),
            operator: self.operator.clone(),
            handshake_timeout: connections.handshake,
        };
        let name = self.time_zone.unwrap_or_else(|| "UTC".to_owned());
        let time_zone = TimeZone::get(&name)
            .map_err(|_| out_of_range("time_zone", &name, "the IANA name of a time zone, such as Africa/Lagos"))?;
        let mebibytes = |name, value: Option<u32>, default| match value.unwrap_or(default) {
            size @ 1..=4096 => Ok(u64::from(size) << 20),
            size => Err(out_of_range(name, size, "1 to 4096 MiB")),
        };
        let files = FilesConfig {
            folder: self.files.unwrap_or_else(|| match &database {
                Database::File(path) => path.with_extension("files"),
                Database::Server(_) => PathBuf::from("ocpp-csms.files"),
            }),
            max_log: mebibytes("max_log_size", self.max_log_size, 64)?,
            max_firmware: mebibytes("max_firmware_size", self.max_firmware_size, 256)?,
            keep_logs: match self.keep_logs.unwrap_or(90) {
                days @ 1..=3650 => Duration::from_secs(u64::from(days) * 86_400),
                days => return Err(out_of_range("keep_logs", days, "1 to 3650 days")),
            },
        };
        let proxies = self.proxy.check().map_err(|text| {
            out_of_range("proxy trusted", text, "addresses and networks, such as 10.0.0.5 and 10.1.0.0/16")
        })?;
        let max_database_size = match self.max_database_size {
            None => None,
            Some(size @ 4..=1_048_576) => Some(u64::from(size) << 20),
            Some(size) => return Err(out_of_range("max_database_size", size, "4 to 1048576 MiB")),
        };
        Ok(Config {
            proxies,
            max_database_size,
            time_zone,
            files,
            listen,
            database,
            operator: self.operator,
            driver_registration: self.driver_registration.unwrap_or_default(),
            public_url: self.public_url.map(public_url).transpose()?,
            authority: self.tls.authority(&around),
            payments: self
                .payments
                .check(listen.ip().is_loopback())
                .map_err(|(name, value, allowed)| out_of_range(name, value, allowed))?,
            cost_messages: self
                .cost_messages
                .check()
                .map_err(|(name, value, allowed)| out_of_range(name, value, allowed))?,
            tls: self.tls.check(&around)?,
            tariff,
            unknown_stations: self.unknown_stations.unwrap_or_default(),
            max_unknown_stations: self.max_unknown_stations.unwrap_or(1000),
            allow_no_security: self.allow_no_security.unwrap_or_else(|| listen.ip().is_loopback()),
            transaction_inquiry_after: day("transaction_inquiry_after", self.transaction_inquiry_after, 30)?,
            offline_after: day("offline_after", self.offline_after, 300)?,
            notifications: self.notifications.check()?,
            contract_provider: match self.contract_provider {
                Some(text) => Some(text.parse().map_err(|_| out_of_range("contract_provider", text, "a URL"))?),
                None => None,
            },
            inventory: self.inventory.unwrap_or(true),
            conformance: if self.strict.unwrap_or(false) { Conformance::Strict } else { Conformance::Lenient },
            heartbeat_interval: day("heartbeat_interval", self.heartbeat_interval, 300)?,
            boot_retry_interval: day("boot_retry_interval", self.boot_retry_interval, 30)?,
            call_timeout,
            messages_per_station,
            connections,
            message_rate: MessageRate { per_second, burst },
            compression: match self.compression {
                Some(false) => Compression::Off,
                Some(true) | None => Compression::EachMessage,
            },
        })
    }
}

/// A URL of HTTP without a query, to whose end paths are put.
fn public_url(written: String) -> Result<String, ConfigError> {
    let fits = written.parse::<axum::http::Uri>().is_ok_and(|url| {
        matches!(url.scheme_str(), Some("http" | "https"))
            && url.host().is_some_and(|host| !host.is_empty())
            && url.query().is_none()
    });
    if !fits {
        return Err(out_of_range(
            "public_url",
            written,
            "a URL that begins with https:// or http://, such as https://charge.example.org",
        ));
    }
    Ok(written.trim_end_matches('/').to_owned())
}

fn out_of_range(name: &'static str, value: impl fmt::Display, allowed: &'static str) -> ConfigError {
    ConfigError::Value { name, value: value.to_string(), allowed }
}

/// A TOML number is binary; its shortest text is what was written, so the decimal is made of that.
fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Integer(i64),
        Float(f64),
        Text(String),
    }
    let text = match Written::deserialize(deserializer)? {
        Written::Integer(value) => value.to_string(),
        Written::Float(value) => value.to_string(),
        Written::Text(value) => value,
    };
    text.parse().map(Some).map_err(|_| serde::de::Error::custom(format!("{text:?} is not a decimal number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Result<Config, String> {
        toml::from_str::<ConfigFile>(text)
            .map_err(|error| error.to_string())?
            .check()
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_file_is_a_complete_configuration() {
        let config = config("").unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8180");
        assert_eq!(config.unknown_stations, UnknownStations::Pending);
        assert!(config.allow_no_security);
    }

    #[test]
    fn a_price_is_the_decimal_that_was_written() {
        for text in ["price_per_kwh = 0.395", "price_per_kwh = \"0.395\""] {
            assert_eq!(config(text).unwrap().tariff.energy().constant_price(), Some(Decimal::new(395, 3)));
        }
        assert_eq!(config("price_per_kwh = 2").unwrap().tariff.energy().constant_price(), Some(Decimal::TWO));
    }

    #[test]
    fn stations_without_security_are_not_let_in_from_other_machines() {
        assert!(!config("listen = \"0.0.0.0:8180\"").unwrap().allow_no_security);
        assert!(config("listen = \"0.0.0.0:8180\"\nallow_no_security = true").unwrap().allow_no_security);
    }

    #[test]
    fn what_is_out_of_range_is_refused_with_its_name() {
        for (text, name) in [
            ("price_per_kwh = -1", "price_per_kwh"),
            ("price_per_kwh = 0.1234567", "price_per_kwh"),
            ("price_per_kwh = nan", "decimal"),
            ("currency = \"EURO\"", "currency"),
            ("public_url = \"charge.example.org\"", "public_url"),
            ("driver_registration = \"everybody\"", "driver_registration"),
            ("heartbeat_interval = 0", "heartbeat_interval"),
            ("call_timeout = 601", "call_timeout"),
            ("messages_per_station = 9", "messages_per_station"),
            ("max_connections = 0", "max_connections"),
            ("handshake_timeout = 0", "handshake_timeout"),
            ("stall_timeout = 0", "stall_timeout"),
            ("max_database_size = 3", "max_database_size"),
            ("[proxy]\ntrusted = [\"proxy.example.org\"]", "proxy trusted"),
            ("[proxy]\nheader = \"via\"", "header"),
            ("max_connections_per_address = 0", "max_connections_per_address"),
            ("offline_after = 0", "offline_after"),
            ("[notifications]\ngive_up_after = 0", "give_up_after"),
            ("[notifications]\ndisable_after = 0", "disable_after"),
            ("[notifications.mail]\nserver = \"x\"\nfrom = \"nobody\"", "mail from"),
            ("contract_provider = \"pool\"", "contract_provider"),
            ("messages_per_second = 0", "messages_per_second"),
            ("time_zone = \"Europe/Nowhere\"", "time_zone"),
            ("public_url = \"https://csms.example/?a=1\"", "public_url"),
            ("max_log_size = 0", "max_log_size"),
            ("max_firmware_size = 5000", "max_firmware_size"),
            ("keep_logs = 0", "keep_logs"),
            ("prise_per_kwh = 1", "prise_per_kwh"),
            ("[tls]\ncertificates = [\"a.pem\"]", "tls certificates"),
            ("[tls]\nclient_ca = \"a.pem\"", "tls client_ca"),
            ("[tls]\nmode = \"auto\"\ncertificates = [\"a\"]\nkeys = [\"b\"]", "tls mode"),
        ] {
            assert!(config(text).unwrap_err().contains(name), "{text}");
        }
    }
}
