//! Mails: what happened, a line for each event.

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use serde_json::Value;

use super::settings::{MailConfig, MailSecurity};

/// Sends mails.
pub(super) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Mailer {
    /// # Errors
    /// When TLS can't be set up for this server.
    pub(super) fn new(config: &MailConfig) -> Result<Self, lettre::transport::smtp::Error> {
        let tls = match config.security {
            MailSecurity::Tls => Tls::Wrapper(TlsParameters::new(config.server.clone())?),
            MailSecurity::Starttls => Tls::Required(TlsParameters::new(config.server.clone())?),
            MailSecurity::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.server)
            .port(config.port)
            .tls(tls)
            .timeout(Some(std::time::Duration::from_secs(20)));
        if let Some((user, password)) = config.credentials.clone() {
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Self { transport: builder.build(), from: config.from.clone() })
    }

    /// Tells somebody of these events. `Err` says what went wrong, for people.
    pub(super) async fn send(&self, to: &str, events: &[(&str, &str)]) -> Result<String, String> {
        let to: Mailbox = to.parse().map_err(|_| format!("{to:?} is no address"))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(subject(events))
            .header(ContentType::TEXT_PLAIN)
            .body(text(events))
            .map_err(|error| error.to_string())?;
        let answer = self.transport.send(message).await.map_err(|error| error.to_string())?;
        Ok(answer.code().to_string())
    }
}

fn subject(events: &[(&str, &str)]) -> String {
    match events {
        [(kind, body)] => format!("{}: {kind}", station(body)),
        several => format!("{} events", several.len()),
    }
}

fn station(body: &str) -> String {
    let event: Value = serde_json::from_str(body).unwrap_or_default();
    // A header is one line, whatever a station is called.
    event["station"].as_str().unwrap_or_default().chars().filter(|character| !character.is_control()).collect()
}

fn text(events: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (kind, body) in events {
        let event: Value = serde_json::from_str(body).unwrap_or_default();
        let at = event["at"].as_str().unwrap_or_default();
        text.push_str(&format!("{at}  {}  {kind}\r\n", station(body)));
        for (name, value) in event["data"].as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text.push_str(&format!("    {name}: {}\r\n", value.replace(['\r', '\n'], " ")));
        }
        text.push_str("\r\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_tells_each_event_and_no_station_writes_headers() {
        let one = r#"{"station": "CS\r\nBcc: all@example.com", "at": "2026-06-01T10:00:00Z", "data": {"code": "GroundFailure", "evse": 1}}"#;
        assert_eq!(subject(&[("fault.opened", one)]), "CSBcc: all@example.com: fault.opened");
        let text = text(&[("fault.opened", one), ("fault.closed", one)]);
        assert!(text.contains("code: GroundFailure") && text.contains("fault.closed"), "{text}");
        assert!(!text.contains("\nBcc"));
    }
}
