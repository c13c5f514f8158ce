//! placeholder
use std::net::SocketAddr;
use std::path::PathBuf;
/// o
#[derive(Debug)]
pub struct Options {
    /// o
    pub once: bool,
    /// l
    pub listen: Option<SocketAddr>,
    /// d
    pub database: Option<PathBuf>,
}
/// r
///
/// # Errors
/// x
pub async fn run(options: Options) -> anyhow::Result<()> {
    let _ = options;
    Ok(())
}
