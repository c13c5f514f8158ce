//! What the machine says about processes, and what its sockets need: for measurements of servers.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::net::{TcpSocket, TcpStream};

/// Stations that connect from one address, below the number of ports that the system gives out for one.
const STATIONS_AN_ADDRESS: usize = 5_000;

/// As many file descriptors as the system lets this process have.
pub fn allow_many_sockets() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        eprintln!("the number of open files stays as it is: {error}");
    }
}

/// The one in the middle.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

/// The value below which this part of all values is.
#[must_use]
pub fn percentile(values: &[f64], part: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * part) as usize;
    values.get(place.min(values.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// Says how busy the machine is with other things.
pub fn say_load() {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("\nload of the machine (1, 5, 15 minutes): {}\n", load.split(' ').take(3).collect::<Vec<_>>().join(", "));
}

/// A TCP connection from one of the addresses of this machine, for the station with this number.
///
/// Each server is called from addresses of its own. The ports of connections that were closed stay taken for a minute, and to look for a
/// free one among many that are taken costs a station more than everything else that it does.
///
/// # Errors
/// When there is no connection.
pub async fn tcp(address: SocketAddr, number: usize) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let [high, low] = address.port().to_be_bytes();
    let host = u8::try_from(2 + number / STATIONS_AN_ADDRESS).context("too many stations")?;
    socket.bind(SocketAddr::from(([127, high, low, host], 0)))?;
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn read(process: u32, file: &str) -> anyhow::Result<String> {
    let path = format!("/proc/{process}/{file}");
    std::fs::read_to_string(&path).with_context(|| path)
}

fn bytes(text: &str, name: &str) -> anyhow::Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024)
}

/// Resident bytes of a process.
///
/// # Errors
/// When there is no such process.
pub fn resident(process: u32) -> anyhow::Result<u64> {
    bytes(&read(process, "status")?, "VmRSS:")
}

/// Bytes of a process, where those that it shares with others are divided among them.
///
/// # Errors
/// When there is no such process, or it belongs to somebody else.
pub fn proportional(process: u32) -> anyhow::Result<u64> {
    bytes(&read(process, "smaps_rollup")?, "Pss:")
}

/// Seconds that processors have spent on a process.
///
/// # Errors
/// When there is no such process.
pub fn processor_seconds(process: u32) -> anyhow::Result<f64> {
    Ok(seconds_of(&read(process, "stat")?, [11, 12]))
}

/// The same of a process and of those that it started and that have ended.
///
/// # Errors
/// When there is no such process.
pub fn processor_seconds_with_ended(process: u32) -> anyhow::Result<f64> {
    Ok(seconds_of(&read(process, "stat")?, [11, 12, 13, 14]))
}

fn seconds_of<const FIELDS: usize>(stat: &str, wanted: [usize; FIELDS]) -> f64 {
    // Behind the name, which may have spaces: utime and stime are the 14th and 15th field, in hundredths, and those of children follow.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    wanted.into_iter().map(ticks).sum::<f64>() / 100.0
}

/// The processes that a process started and that run.
#[must_use]
pub fn children(process: u32) -> Vec<u32> {
    let text = read(process, &format!("task/{process}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}
