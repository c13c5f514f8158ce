//! How notifications are set up.

use std::fmt;
use std::time::Duration;

use lettre::message::Mailbox;
use serde::Deserialize;

use crate::config::ConfigError;

/// How the connection to a mail server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// TLS from the beginning.
    #[default]
    Tls,
    /// TLS after STARTTLS.
    Starttls,
    /// None: for a server on this machine.
    None,
}

/// The table `notifications` of the configuration file. Every member may be left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotificationsFile {
    /// Whether webhooks may go to addresses of private networks and of this machine. Default: false.
    pub private_addresses: Option<bool>,
    /// The seconds after which something that nobody takes is given up, 1 to 2592000. Default: 86400.
    pub give_up_after: Option<u32>,
    /// How often in a row somebody may fail to be told before nobody tries any more, which is a fault, 1 to 10000. Default: 30, which
    /// takes about a day.
    pub disable_after: Option<u32>,
    /// How mails are sent. Default: not at all.
    pub mail: Option<MailFile>,
}

/// The table `notifications.mail` of the configuration file.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailFile {
    /// The name of the mail server (SMTP).
    pub server: String,
    /// Its port. Default: 465 for `tls`, 587 for `starttls`, 25 for `none`.
    pub port: Option<u16>,
    /// How the connection is secured: `tls`, `starttls` or `none`. Default: `tls`.
    #[serde(default)]
    pub security: MailSecurity,
    /// The name to sign in with. Default: none.
    pub user: Option<String>,
    /// The password. Default: the environment variable `OCPP_CSMS_SMTP_PASSWORD`.
    pub password: Option<String>,
    /// The sender's address.
    pub from: String,
    /// The least seconds between two mails of one subscription, 1 to 86400; what happens meanwhile is told in one mail. Default: 60.
    pub interval: Option<u32>,
}

impl fmt::Debug for MailFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailFile").field("server", &self.server).field("from", &self.from).finish_non_exhaustive()
    }
}

/// Checked settings.
#[derive(Debug, Clone)]
pub struct NotificationsConfig {
    /// Whether webhooks may go to private addresses.
    pub private_addresses: bool,
    /// After how long something is given up.
    pub give_up_after: Duration,
    /// How often in a row somebody may fail to be told.
    pub disable_after: u32,
    /// How mails are sent.
    pub mail: Option<MailConfig>,
}

/// Checked settings of mail.
#[derive(Clone)]
pub struct MailConfig {
    /// The name of the server.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub security: MailSecurity,
    /// Name and password.
    pub credentials: Option<(String, String)>,
    /// The sender.
    pub from: Mailbox,
    /// The least time between two mails of one subscription.
    pub interval: Duration,
}

impl fmt::Debug for MailConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailConfig").field("server", &self.server).field("from", &self.from).finish_non_exhaustive()
    }
}

impl NotificationsFile {
    /// Fills in what is missing and checks what is there.
    pub(crate) fn check(self) -> Result<NotificationsConfig, ConfigError> {
        let wrong = |name, value: String, allowed| ConfigError::Value { name, value, allowed };
        let give_up_after = match self.give_up_after.unwrap_or(86_400) {
            seconds @ 1..=2_592_000 => Duration::from_secs(seconds.into()),
            seconds => return Err(wrong("notifications give_up_after", seconds.to_string(), "1 to 2592000 seconds")),
        };
        let disable_after = match self.disable_after.unwrap_or(30) {
            times @ 1..=10_000 => times,
            times => return Err(wrong("notifications disable_after", times.to_string(), "1 to 10000")),
        };
        let mail = self.mail.map(|mail| {
            let interval = match mail.interval.unwrap_or(60) {
                seconds @ 1..=86_400 => Duration::from_secs(seconds.into()),
                seconds => {
                    return Err(wrong("notifications mail interval", seconds.to_string(), "1 to 86400 seconds"));
                }
            };
            let from = mail.from.parse().map_err(|_| {
                wrong("notifications mail from", mail.from.clone(), "an address such as csms@example.com")
            })?;
            let port = mail.port.unwrap_or(match mail.security {
                MailSecurity::Tls => 465,
                MailSecurity::Starttls => 587,
                MailSecurity::None => 25,
            });
            let password = mail.password.or_else(|| std::env::var("OCPP_CSMS_SMTP_PASSWORD").ok());
            let credentials = mail.user.zip(password);
            Ok(MailConfig { server: mail.server, port, security: mail.security, credentials, from, interval })
        });
        Ok(NotificationsConfig {
            private_addresses: self.private_addresses.unwrap_or(false),
            give_up_after,
            disable_after,
            mail: mail.transpose()?,
        })
    }
}
