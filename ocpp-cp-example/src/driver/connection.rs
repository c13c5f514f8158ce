//! The socket: none, on its way, or open.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use ocpp_core::station::{Connect, ConnectionFailure, Password};
use ocpp_core::transport::{
    Channel, CloseFrame, Compression, ConnectError, ConnectRequest, Connection as Open, Incoming, TlsClient, TlsError,
    WebSocket,
};
use ocpp_core::types::Version;
use tokio::net::TcpStream;

use super::tls;

/// How long a goodbye may take before the socket is just dropped.
const GOODBYE: Duration = Duration::from_secs(2);

type Attempt = Pin<Box<dyn Future<Output = Result<Open<WebSocket<Channel<TcpStream>>>, ConnectError>> + Send>>;

/// The way to the CSMS.
pub(super) struct Connection {
    link: Link,
    /// The version of the last connection, for the log.
    version: &'static str,
    compression: Compression,
}

enum Link {
    None,
    Connecting(Attempt),
    Open(Box<Open<WebSocket<Channel<TcpStream>>>>),
}

/// What happened at the socket.
#[derive(Debug)]
pub(super) enum Happened {
    Connected { version: Version },
    Failed { failure: ConnectionFailure, reason: String },
    Frame(String),
    Closed { reason: String },
}

/// What was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    Nothing,
    Attempt,
    Connection,
}

impl Connection {
    pub(super) fn new(compression: Compression) -> Self {
        Self { link: Link::None, version: "", compression }
    }

    /// Begins to connect. An older connection is dropped.
    pub(super) fn connect(&mut self, connect: Connect, tls: Option<TlsClient>) {
        let mut request = ConnectRequest::new(connect.csms_url, connect.identity);
        request.versions = connect.versions;
        request.password = connect.password.map(Password::into_bytes);
        request.connection.ping_interval = connect.ping_interval;
        request.compression = self.compression;
        request.tls = tls;
        self.link = Link::Connecting(Box::pin(async move { ocpp_core::transport::connect(&request).await }));
    }

    /// The version of the last connection; empty before the first one.
    pub(super) fn version(&self) -> &'static str {
        self.version
    }

    /// Whether there is a connection to send frames on.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.link, Link::Open(_))
    }

    /// Queues a frame. Without a connection it is dropped.
    pub(super) fn send(&mut self, text: String) {
        if let Link::Open(open) = &mut self.link {
            open.send(text);
        }
    }

    /// Changes how often the CSMS is pinged, from now on.
    pub(super) fn set_ping_interval(&mut self, interval: Option<Duration>) {
        if let Link::Open(open) = &mut self.link {
            open.set_ping_interval(interval);
        }
    }

    /// Begins a goodbye; [`Connection::next`] says when it is over. An attempt to connect is given up at once.
    pub(super) fn start_closing(&mut self, reason: &str) -> Lost {
        if let Link::Open(open) = &mut self.link {
            open.close(CloseFrame::new(CloseFrame::NORMAL, reason));
            return Lost::Nothing;
        }
        self.cut()
    }

    /// Says goodbye, but not for long.
    pub(super) async fn close(&mut self, reason: &str) {
        if let Link::Open(open) = &mut self.link {
            open.close(CloseFrame::new(CloseFrame::GOING_AWAY, reason));
            let over = async { while !matches!(open.next().await, Incoming::Closed(_)) {} };
            // A peer that doesn't answer in time doesn't get an answer either.
            let _ = tokio::time::timeout(GOODBYE, over).await;
        }
        self.link = Link::None;
    }

    /// Drops everything without a word, as a cut cable does.
    pub(super) fn cut(&mut self) -> Lost {
        match std::mem::replace(&mut self.link, Link::None) {
            Link::None => Lost::Nothing,
            Link::Connecting(_) => Lost::Attempt,
            Link::Open(_) => Lost::Connection,
        }
    }

    /// Waits for what happens next, and writes and pings meanwhile. Cancel-safe.
    pub(super) async fn next(&mut self) -> Happened {
        loop {
            match &mut self.link {
                Link::None => return std::future::pending().await,
                Link::Connecting(attempt) => match attempt.as_mut().await {
                    Ok(open) => {
                        let version = open.version();
                        self.version = version.number();
                        self.link = Link::Open(Box::new(open));
                        return Happened::Connected { version };
                    }
                    Err(error) => {
                        self.link = Link::None;
                        return Happened::Failed { failure: tls::failure(&error), reason: advised(&error) };
                    }
                },
                Link::Open(open) => match open.next().await {
                    Incoming::Text(text) => return Happened::Frame(text),
                    // The connection is closing for it; its end is reported.
                    Incoming::Binary => {}
                    Incoming::Closed(closed) => {
                        self.link = Link::None;
                        return Happened::Closed { reason: closed.to_string() };
                    }
                },
            }
        }
    }
}

/// What went wrong and what can be done about it.
fn advised(error: &ConnectError) -> String {
    let advice = match error {
        ConnectError::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            "is the CSMS running at the address of --csms?"
        }
        ConnectError::Io(_) | ConnectError::Timeout => "check the host of --csms and the network",
        ConnectError::Url(_) => "check --csms",
        ConnectError::Identity(_) => "check --id",
        ConnectError::Tls(TlsError::Certificate(_)) => "check --ca and the certificate of the CSMS",
        ConnectError::Tls(TlsError::OwnCertificate(_)) => "check --certificate",
        ConnectError::Forbidden => "HTTP 403: check --security-profile",
        ConnectError::UnknownStation => {
            "HTTP 404: check --id and the path of --csms, or register the station at the CSMS"
        }
        ConnectError::Unauthorized => "HTTP 401: check --password",
        ConnectError::NoCommonVersion | ConnectError::NothingOffered => "check --version",
        ConnectError::Handshake(_) | ConnectError::Http(_) => "check that --csms is an OCPP endpoint",
        _ => return error.to_string(),
    };
    format!("{error}; {advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_to_do() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert!(advised(&ConnectError::Io(refused)).contains("--csms"));
        assert!(advised(&ConnectError::Unauthorized).contains("--password"));
        assert!(advised(&ConnectError::UnknownStation).contains("--id"));
        assert!(advised(&ConnectError::NoCommonVersion).contains("--version"));
    }
}
