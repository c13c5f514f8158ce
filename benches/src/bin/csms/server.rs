//! The CSMS as a process of its own, and what it takes of the machine.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use benches::machine;
use jiff::Timestamp;
use ocpp_csms::config::ConfigFile;
use ocpp_csms::store::StationChange;

use crate::database::{Kind, Place};
use crate::station::identity;

/// The bearer token of every server that is measured.
pub(crate) const TOKEN: &str = "token of the benchmark";

/// Serves until the process is ended. Stations are entered first.
pub(crate) async fn run(database: &str, files: PathBuf, stations: usize) -> anyhow::Result<()> {
    let authority = files.with_extension("tls");
    let mut config = ConfigFile {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        database: Some(database.parse()?),
        files: Some(files),
        // The stations here have nothing to tell of themselves.
        inventory: Some(false),
        ..ConfigFile::default()
    };
    config.tls.folder = Some(authority);
    let server = ocpp_csms::Server::start(config.check()?, Some(TOKEN)).await?;
    let change = StationChange { security_profile: Some(0), ..StationChange::default() };
    for number in 0..stations {
        server.csms().store().put_station(&identity(number), &change, Timestamp::now()).await?;
    }
    println!("{}", server.address());
    std::future::pending().await
}

/// A CSMS that runs; it ends when this is dropped.
pub(crate) struct Csms<'a> {
    place: &'a Place,
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Drop for Csms<'_> {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was taken of the machine until now.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Taken {
    /// Processor seconds of the CSMS.
    pub(crate) csms: f64,
    /// Processor seconds of PostgreSQL.
    pub(crate) database: f64,
    /// Processor seconds of this process: the stations.
    pub(crate) stations: f64,
}

impl Taken {
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            csms: self.csms - before.csms,
            database: self.database - before.database,
            stations: self.stations - before.stations,
        }
    }
}

impl<'a> Csms<'a> {
    /// Starts it on a database, with so many stations entered.
    pub(crate) fn start(place: &'a Place, stations: usize) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").arg(place.address()).arg(place.files()).args(["--stations", &stations.to_string()]);
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let mut csms = Self { place, child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        csms.address = line.trim().parse().context("the server did not start")?;
        Ok(csms)
    }

    pub(crate) fn taken(&self) -> anyhow::Result<Taken> {
        Ok(Taken {
            csms: machine::processor_seconds(self.child.id())?,
            database: self.place.server()?.map_or(0.0, |(_, seconds)| seconds),
            stations: machine::processor_seconds(std::process::id())?,
        })
    }

    /// Resident MiB of the CSMS, and those of PostgreSQL where there is one.
    pub(crate) fn memory(&self) -> anyhow::Result<String> {
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let own = mebibytes(machine::resident(self.child.id())?);
        Ok(match self.place.server()? {
            Some((bytes, _)) => format!("{own:.0} + {:.0}", mebibytes(bytes)),
            None => format!("{own:.0}"),
        })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn database(&self) -> Kind {
        self.place.kind()
    }
}
