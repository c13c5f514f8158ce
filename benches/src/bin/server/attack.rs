//! Peers that mean harm, as many as one machine can be.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use benches::machine::tcp;
use clap::ValueEnum;
use flate2::write::DeflateEncoder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::serve::Subject;
use crate::station::{Call, Station, Way, identity};

/// An attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Attack {
    SlowHandshakes,
    HalfOpen,
    Reconnecting,
    Oversized,
    EndlessFragments,
    Bombs,
    FloodOfCalls,
    SlowReaders,
    SameIdentity,
    WrongPasswords,
    UnknownStations,
}

impl Attack {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SlowHandshakes => "slow-handshakes",
            Self::HalfOpen => "half-open",
            Self::Reconnecting => "reconnecting",
            Self::Oversized => "oversized",
            Self::EndlessFragments => "endless-fragments",
            Self::Bombs => "bombs",
            Self::FloodOfCalls => "flood-of-calls",
            Self::SlowReaders => "slow-readers",
            Self::SameIdentity => "same-identity",
            Self::WrongPasswords => "wrong-passwords",
            Self::UnknownStations => "unknown-stations",
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::SlowHandshakes => "500 requests that trickle byte by byte",
            Self::HalfOpen => "500 stations that went silent",
            Self::Reconnecting => "8 that connect and leave, as fast as they can",
            Self::Oversized => "8 that send messages of 2 MiB",
            Self::EndlessFragments => "8 whose messages never end",
            Self::Bombs => "8 whose 15 KB inflate to 15 MB",
            Self::FloodOfCalls => "20 stations that call as fast as they can",
            Self::SlowReaders => "20 stations that call and do not read",
            Self::SameIdentity => "8 that claim one identity, as fast as they can",
            Self::WrongPasswords => "8 that try passwords, as fast as they can",
            Self::UnknownStations => "8 that invent identities, as fast as they can",
        }
    }

    const fn attackers(self) -> usize {
        match self {
            Self::SlowHandshakes | Self::HalfOpen => 500,
            Self::FloodOfCalls | Self::SlowReaders => 20,
            _ => 8,
        }
    }
}

/// Attacks until the process is ended.
pub(crate) async fn run(attack: Attack, address: SocketAddr) -> anyhow::Result<()> {
    for number in 0..attack.attackers() {
        tokio::spawn(async move {
            for round in 0.. {
                // Whatever ends it, the attacker comes again.
                let _ = once(attack, address, 100 + number, round).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
    }
    std::future::pending().await
}

async fn once(attack: Attack, address: SocketAddr, number: usize, round: u32) -> anyhow::Result<()> {
    let connect = |way| Station::connect(Subject::Csms, address, number, way);
    match attack {
        Attack::SlowHandshakes => {
            let mut stream = tcp(address, number).await?;
            for byte in b"GET /ocpp/S000100 HTTP/1.1\r\n".iter().chain(b"X-Filler: x\r\n".iter().cycle()) {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Attack::HalfOpen => {
            let _station = connect(Way::Plain).await?;
            std::future::pending::<()>().await;
        }
        Attack::Reconnecting => drop(connect(Way::Plain).await?),
        Attack::Oversized => {
            let mut stream = raw(address, number, false).await?;
            stream.write_all(&header(0x81, 2 << 20)).await?;
            let chunk = [b'x'; 65_536];
            for _ in 0..32 {
                stream.write_all(&chunk).await?;
            }
        }
        Attack::EndlessFragments => {
            let mut stream = raw(address, number, false).await?;
            stream.write_all(&header(0x01, 1)).await?;
            stream.write_all(b"x").await?;
            let empty = header(0x00, 0).repeat(1000);
            loop {
                stream.write_all(&empty).await?;
            }
        }
        Attack::Bombs => {
            let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(&vec![b'0'; 15 << 20])?;
            let bomb = encoder.flush_finish()?;
            let mut stream = raw(address, number, true).await?;
            stream.write_all(&header(0xC1, bomb.len())).await?;
            stream.write_all(&bomb).await?;
            let mut end = Vec::new();
            stream.read_to_end(&mut end).await?;
        }
        Attack::FloodOfCalls => {
            let mut station = connect(Way::Plain).await?;
            station.boot(Subject::Csms).await?;
            loop {
                for call in 0..30 {
                    station.send(Call::Heartbeat.text(call, 0)).await?;
                }
                for _ in 0..30 {
                    station.receive().await?;
                }
            }
        }
        Attack::SlowReaders => {
            let mut station = connect(Way::Plain).await?;
            station.boot(Subject::Csms).await?;
            for call in 0.. {
                station.send(Call::Heartbeat.text(call, 0)).await?;
            }
        }
        Attack::SameIdentity => {
            let mut station = Station::connect_as(Subject::Csms, address, number, &identity(999), Way::Plain).await?;
            station.boot(Subject::Csms).await?;
        }
        Attack::WrongPasswords => {
            drop(Station::connect_as(Subject::Csms, address, number, "LOCKED", Way::Plain).await?);
        }
        Attack::UnknownStations => {
            let invented = format!("UNKNOWN-{number}-{round}");
            drop(Station::connect_as(Subject::Csms, address, number, &invented, Way::Plain).await?);
        }
    }
    Ok(())
}

/// A handshake by hand, so that anything can follow it.
async fn raw(address: SocketAddr, number: usize, deflate: bool) -> anyhow::Result<TcpStream> {
    let mut stream = tcp(address, number).await?;
    let extension = if deflate { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
    let request = format!(
        "GET /ocpp/{} HTTP/1.1\r\nHost: csms\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n{extension}\r\n",
        identity(number)
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(stream)
}

/// The header of a frame whose mask changes nothing.
fn header(first: u8, length: usize) -> Vec<u8> {
    let mut header = vec![first];
    match u16::try_from(length) {
        Ok(length @ 0..126) => header.push(0x80 | length as u8),
        Ok(length) => {
            header.push(0x80 | 126);
            header.extend_from_slice(&length.to_be_bytes());
        }
        Err(_) => {
            header.push(0x80 | 127);
            header.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    header.extend_from_slice(&[0; 4]);
    header
}
