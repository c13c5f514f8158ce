//! Servers in processes of their own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use benches::machine;

use crate::attack::Attack;
use crate::serve::{Subject, folder};

/// A server that runs; it ends when this is dropped.
pub(crate) struct Process {
    child: Ending,
    pub(crate) address: SocketAddr,
}

/// A process that does not outlive this one's interest in it.
pub(crate) struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
        // So that nobody finds its database; the echo server has none.
        let _ = std::fs::remove_dir_all(folder(self.0.id()));
    }
}

impl Process {
    pub(crate) fn serve(subject: Subject, stations: usize) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", subject.name(), "--stations", &stations.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("no output")?;
        let child = Ending(child);
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse().context("the server did not start")?;
        Ok(Self { child, address })
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// Resident bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        machine::resident(self.id())
    }

    /// Seconds that processors have spent on it.
    pub(crate) fn processor_seconds(&self) -> anyhow::Result<f64> {
        machine::processor_seconds(self.id())
    }
}

/// Seconds that processors have spent on this process: the stations.
pub(crate) fn own_processor_seconds() -> anyhow::Result<f64> {
    machine::processor_seconds(std::process::id())
}

/// Starts to attack; it ends when what is returned is dropped.
pub(crate) fn attack(attack: Attack, address: SocketAddr) -> anyhow::Result<Ending> {
    let arguments = ["attack", attack.name(), &address.to_string()];
    Ok(Ending(Command::new(std::env::current_exe()?).args(arguments).spawn()?))
}
