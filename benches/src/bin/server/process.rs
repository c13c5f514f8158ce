//! Servers in processes of their own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

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

    fn read(&self, file: &str) -> anyhow::Result<String> {
        let id = self.child.0.id();
        Ok(std::fs::read_to_string(format!("/proc/{id}/{file}"))?)
    }

    /// Resident bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024)
    }

    /// Seconds that processors have spent on it.
    pub(crate) fn processor_seconds(&self) -> anyhow::Result<f64> {
        Ok(seconds_of(&self.read("stat")?))
    }
}

/// Seconds that processors have spent on this process: the stations.
pub(crate) fn own_processor_seconds() -> anyhow::Result<f64> {
    Ok(seconds_of(&std::fs::read_to_string("/proc/self/stat")?))
}

fn seconds_of(stat: &str) -> f64 {
    // Behind the name, which may have spaces: utime and stime are the 14th and 15th field, in hundredths.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// Starts to attack; it ends when what is returned is dropped.
pub(crate) fn attack(attack: Attack, address: SocketAddr) -> anyhow::Result<Ending> {
    let arguments = ["attack", attack.name(), &address.to_string()];
    Ok(Ending(Command::new(std::env::current_exe()?).args(arguments).spawn()?))
}
