//! The servers that are compared.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use futures_util::{SinkExt as _, StreamExt as _};
use jiff::Timestamp;
use ocpp_core::csms::{Answer, Authorization, Input, Output, Question, Registration, Session, SessionConfig};
use ocpp_core::time::{Instant, Now};
use ocpp_core::transport::{Accepted, ConnectionConfig, HandshakeRules, Incoming, accept};
use ocpp_csms::config::{ConfigFile, UnknownStations};
use ocpp_csms::store::StationChange;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_async_with_config;

use crate::station::{identity, websocket};
use crate::tls;

/// A server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// tokio-tungstenite alone, which sends back what it gets.
    Echo,
    /// `transport` and `csms::Session`, with nothing behind them: what is to be stored counts as stored.
    Library,
    /// The same under TLS.
    LibraryTls,
    /// The reference CSMS, with its SQLite file.
    Csms,
}

impl Subject {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Library => "library",
            Self::LibraryTls => "library-tls",
            Self::Csms => "csms",
        }
    }
}

/// Serves until the process is ended.
pub(crate) async fn run(subject: Subject, stations: usize) -> anyhow::Result<()> {
    if subject == Subject::Csms {
        return csms(stations).await;
    }
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let listener: TcpListener = socket.listen(4096)?;
    let tls = if subject == Subject::LibraryTls { Some(tls::server()?) } else { None };
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        match (subject, tls.clone()) {
            (Subject::Echo, _) => drop(tokio::spawn(echo(stream))),
            (_, None) => drop(tokio::spawn(library(stream))),
            (_, Some(tls)) => drop(tokio::spawn(async move {
                if let Ok(secured) = tls.accept(stream).await {
                    library(secured.stream).await;
                }
            })),
        }
    }
}

async fn echo(stream: TcpStream) {
    let Ok(mut socket) = accept_async_with_config(stream, Some(websocket())).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() && socket.send(message).await.is_err() {
            return;
        }
    }
}

/// The run loop of the documentation, with a store that is the memory.
async fn library<S: AsyncRead + AsyncWrite + Unpin>(stream: S) {
    let accepted = accept(stream, &HandshakeRules::default(), ConnectionConfig::default(), async |_| Ok(())).await;
    let Ok(Accepted { mut connection, .. }) = accepted else { return };
    let started = tokio::time::Instant::now();
    let now = || Now::new(Instant::from_origin(started.elapsed()), Timestamp::now());
    let mut config = SessionConfig::default();
    config.registration = Registration::accepted(Duration::from_secs(300));
    let mut session = Session::new(config, [7; 32], now());
    session.handle(now(), Input::Connected { version: connection.version() });
    loop {
        let mut inputs = Vec::new();
        while let Some(output) = session.poll_output() {
            match output {
                Output::Transmit(text) => connection.send(text),
                Output::Record { token, .. } => inputs.push(Input::Stored(token)),
                Output::Ask { question, about: Question::Authorize { .. } | Question::Transaction { .. } } => {
                    let answer = Answer::Authorization(Authorization::accepted());
                    inputs.push(Input::Answer { question, answer });
                }
                _ => {}
            }
        }
        if !inputs.is_empty() {
            for input in inputs {
                session.handle(now(), input);
            }
            continue;
        }
        let deadline = session.poll_timeout().map(|deadline| started + deadline.at.since_origin());
        let timeout = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            incoming = connection.next() => match incoming {
                Incoming::Text(text) => session.handle(now(), Input::Frame(text)),
                Incoming::Binary => {}
                Incoming::Closed(_) => return,
            },
            () = timeout => session.handle(now(), Input::Timeout),
        }
    }
}

/// Where the reference CSMS of this process keeps its database.
pub(crate) fn folder(process: u32) -> PathBuf {
    std::env::temp_dir().join(format!("ocpp-bench-{process}"))
}

async fn csms(stations: usize) -> anyhow::Result<()> {
    let folder = folder(std::process::id());
    std::fs::create_dir_all(&folder)?;
    let config = ConfigFile {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        database: Some(folder.join("csms.sqlite").as_path().into()),
        unknown_stations: Some(UnknownStations::Accept),
        ..ConfigFile::default()
    };
    let server = ocpp_csms::Server::start(config.check()?, Some("token of the benchmark")).await?;
    let mut change = StationChange { security_profile: Some(0), free_vend: Some(true), ..StationChange::default() };
    for station in 0..stations {
        server.csms().store().put_station(&identity(station), &change, Timestamp::now()).await?;
    }
    change.security_profile = Some(1);
    change.password_hash = Some("no password has this hash".to_owned());
    server.csms().store().put_station("LOCKED", &change, Timestamp::now()).await?;
    println!("{}", server.address());
    std::future::pending().await
}
