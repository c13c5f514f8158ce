//! Moving files for real: firmware images to the station, logs away from it, by HTTP, HTTPS and FTP.
//!
//! 1.6 edition 2, 8.1, 8.2

mod ftp;
mod http;

use std::path::Path;
use std::time::Duration;

use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use url::Url;

/// What a transfer may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Largest file, in bytes.
    pub(crate) size: u64,
    /// How long nothing may happen: neither a connection nor another byte.
    pub(crate) silence: Duration,
    /// How long all of it may take.
    pub(crate) whole: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { size: 256 * 1024 * 1024, silence: Duration::from_secs(60), whole: Duration::from_secs(3_600) }
    }
}

/// Why a transfer failed.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(crate) struct TransferError {
    pub(crate) kind: Failure,
    text: String,
}

/// Whose fault it is, as far as a CSMS tells things apart (2.1 part 2, `UploadLogStatusEnumType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The two sides did not understand each other.
    BadMessage,
    /// The server has no such operation.
    NotSupported,
    /// The server doesn't let the station do it.
    PermissionDenied,
    /// The network, the disk, a file that isn't there, a limit.
    Other,
}

impl TransferError {
    fn new(kind: Failure, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    fn other(text: impl Into<String>) -> Self {
        Self::new(Failure::Other, text)
    }
}

impl From<std::io::Error> for TransferError {
    fn from(error: std::io::Error) -> Self {
        Self::other(error.to_string())
    }
}

impl From<tokio::time::error::Elapsed> for TransferError {
    fn from(_: tokio::time::error::Elapsed) -> Self {
        Self::other("the server is too slow")
    }
}

/// Fetches a file. It is there whole, or not at all. Gives its length.
pub(crate) async fn download(location: &str, to: &Path, limits: Limits) -> Result<u64, TransferError> {
    let url = parse(location)?;
    let part = to.with_extension("part");
    if let Some(folder) = to.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let mut sink = Sink { file: File::create(&part).await?, length: 0, limits };
    let fetched = async {
        match url.scheme() {
            "http" | "https" => http::download(&url, &mut sink, limits).await,
            "ftp" => ftp::download(&url, &mut sink, limits).await,
            other => {
                Err(TransferError::new(Failure::NotSupported, format!("`{other}` is no protocol of this station")))
            }
        }
    };
    let outcome = match tokio::time::timeout(limits.whole, fetched).await {
        Ok(Ok(())) => sink.finish().await,
        Ok(Err(error)) => Err(error),
        Err(elapsed) => Err(elapsed.into()),
    };
    match outcome {
        Ok(length) => {
            tokio::fs::rename(&part, to).await?;
            Ok(length)
        }
        Err(error) => {
            // What is left of it helps nobody; the error is what counts.
            let _ = tokio::fs::remove_file(&part).await;
            Err(error)
        }
    }
}

/// Sends a file away.
pub(crate) async fn upload(
    location: &str,
    file_name: &str,
    content: Vec<u8>,
    limits: Limits,
) -> Result<(), TransferError> {
    let url = parse(location)?;
    let sent = async {
        match url.scheme() {
            "http" | "https" => http::upload(&url, file_name, content, limits).await,
            "ftp" => ftp::upload(&url, file_name, &content, limits).await,
            other => {
                Err(TransferError::new(Failure::NotSupported, format!("`{other}` is no protocol of this station")))
            }
        }
    };
    tokio::time::timeout(limits.whole, sent).await?
}

fn parse(location: &str) -> Result<Url, TransferError> {
    Url::parse(location)
        .map_err(|error| TransferError::new(Failure::BadMessage, format!("the location is no URL: {error}")))
}

/// A file that grows.
struct Sink {
    file: File,
    length: u64,
    limits: Limits,
}

impl Sink {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        self.length = self.length.saturating_add(bytes.len() as u64);
        if self.length > self.limits.size {
            return Err(TransferError::other(format!("the file is larger than {} bytes", self.limits.size)));
        }
        Ok(self.file.write_all(bytes).await?)
    }

    async fn finish(mut self) -> Result<u64, TransferError> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        Ok(self.length)
    }
}

#[cfg(test)]
mod tests;
