//! Files that come in: streamed to the disk, bounded, whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

use axum::http::{HeaderMap, header};
use futures_util::{Stream, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

/// Characters of a file name.
const MAX_NAME: usize = 120;

/// A file that has come in whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) size: u64,
    /// Hexadecimal digits.
    pub(super) sha256: String,
}

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is larger than allowed.
    #[error("the file is larger than {} MiB: make it smaller, or raise {setting}", limit >> 20)]
    TooLarge {
        /// Bytes that are allowed.
        limit: u64,
        /// The setting that says so.
        setting: &'static str,
    },
    /// It is not as long as was announced.
    #[error("the file ended after {received} bytes where {announced} were announced: send it again")]
    Incomplete {
        /// Bytes announced.
        announced: u64,
        /// Bytes received.
        received: u64,
    },
    /// The connection ended in the middle of it.
    #[error("the upload broke off after {received} bytes ({reason}): send it again")]
    BrokenOff {
        /// Bytes received.
        received: u64,
        /// What was said.
        reason: String,
    },
    /// It is empty.
    #[error("the file is empty")]
    Empty,
    /// The disk is full.
    #[error(
        "the disk is full: free some space in {0}, or let the setting files name a folder on another disk; then send the file again"
    )]
    DiskFull(PathBuf),
    /// The folder cannot be written.
    #[error(
        "{path} cannot be written ({source}): see that the folder exists and belongs to the user that runs the server"
    )]
    Disk {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A bound on what comes in, and how to move it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) bytes: u64,
    pub(super) setting: &'static str,
}

impl Limit {
    fn exceeded(self) -> FileError {
        FileError::TooLarge { limit: self.bytes, setting: self.setting }
    }

    /// Refuses what is announced to be too large, before any of it is read.
    pub(super) fn check(self, announced: Option<u64>) -> Result<(), FileError> {
        if announced.is_some_and(|announced| announced > self.bytes) { Err(self.exceeded()) } else { Ok(()) }
    }
}

/// How long a request says that it is.
pub(super) fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Writes a stream to `path`, which exists in the end only if all of it came.
pub(super) async fn receive<B: AsRef<[u8]>, E: std::fmt::Display>(
    path: &Path,
    mut chunks: impl Stream<Item = Result<B, E>> + Unpin,
    announced: Option<u64>,
    limit: Limit,
) -> Result<Received, FileError> {
    limit.check(announced)?;
    let folder = path.parent().unwrap_or(path);
    tokio::fs::create_dir_all(folder).await.map_err(|error| failed(folder, error))?;
    let part = Part(path.with_extension("part"));
    let mut file = tokio::fs::File::create(&part.0).await.map_err(|error| failed(folder, error))?;
    let (mut received, mut digest) = (0_u64, Sha256::new());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| FileError::BrokenOff { received, reason: error.to_string() })?;
        let chunk = chunk.as_ref();
        received += chunk.len() as u64;
        if received > limit.bytes {
            return Err(limit.exceeded());
        }
        if let Some(announced) = announced.filter(|announced| received > *announced) {
            return Err(FileError::Incomplete { announced, received });
        }
        digest.update(chunk);
        file.write_all(chunk).await.map_err(|error| failed(folder, error))?;
    }
    if let Some(announced) = announced.filter(|announced| received != *announced) {
        return Err(FileError::Incomplete { announced, received });
    }
    if received == 0 {
        return Err(FileError::Empty);
    }
    // What is acknowledged is on the disk.
    file.flush().await.map_err(|error| failed(folder, error))?;
    file.sync_all().await.map_err(|error| failed(folder, error))?;
    tokio::fs::rename(&part.0, path).await.map_err(|error| failed(folder, error))?;
    Ok(Received { size: received, sha256: hex::encode(digest.finalize()) })
}

/// A file in the making, removed unless it was renamed.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        // It is gone when all went well.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn failed(folder: &Path, source: io::Error) -> FileError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FileError::DiskFull(folder.to_owned()),
        _ => FileError::Disk { path: folder.to_owned(), source },
    }
}

/// Removes a file, if it is there.
pub(super) async fn remove(path: &Path) {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "a file cannot be removed");
        }
        _ => {}
    }
}

/// A name for a file that is safe to show, to put into a header and to save under: the last part of a path, without what is special
/// anywhere.
pub(crate) fn file_name(name: &str, otherwise: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last
        .chars()
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' | '+' => character,
            _ => '_',
        })
        .take(MAX_NAME)
        .collect();
    let clean = clean.trim_matches('.');
    if clean.is_empty() { otherwise.to_owned() } else { clean.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> PathBuf {
        std::env::temp_dir().join(format!("ocpp-csms-files-{}", uuid::Uuid::new_v4().simple())).join("file")
    }

    async fn take(path: &Path, parts: &[&'static str], announced: Option<u64>) -> Result<Received, FileError> {
        let parts: Vec<Result<&str, &str>> =
            parts.iter().map(|part| if *part == "cut" { Err("reset") } else { Ok(*part) }).collect();
        let limit = Limit { bytes: 10, setting: "max_log_size" };
        receive(path, futures_util::stream::iter(parts), announced, limit).await
    }

    #[tokio::test]
    async fn what_comes_whole_is_there_and_nothing_else() {
        let path = place();
        let received = take(&path, &["hello ", "you"], Some(9)).await.unwrap();
        assert_eq!((received.size, &received.sha256[..8]), (9, "b283788f"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "hello you");
        std::fs::remove_file(&path).unwrap();
        for (parts, announced) in [
            (&["1234567890", "1"][..], None),
            (&["123"], Some(11)),
            (&["123"], Some(4)),
            (&["12345"], Some(4)),
            (&["123", "cut"], Some(9)),
            (&["123", "cut"], None),
            (&[], None),
        ] {
            take(&path, parts, announced).await.unwrap_err();
            assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 0, "{parts:?}");
        }
        std::fs::remove_dir(path.parent().unwrap()).unwrap();
    }

    #[tokio::test]
    async fn what_is_announced_too_large_is_not_even_begun() {
        let path = place();
        assert!(matches!(take(&path, &["x"], Some(11)).await, Err(FileError::TooLarge { limit: 10, .. })));
        assert!(!path.parent().unwrap().exists());
    }

    #[test]
    fn a_full_disk_is_told_with_what_to_do() {
        let full = failed(Path::new("/data"), io::ErrorKind::StorageFull.into());
        assert!(matches!(&full, FileError::DiskFull(_)));
        assert!(full.to_string().contains("free some space in /data"), "{full}");
        let denied = failed(Path::new("/data"), io::ErrorKind::PermissionDenied.into());
        assert!(denied.to_string().contains("/data"), "{denied}");
    }

    #[test]
    fn a_name_leads_nowhere() {
        for (name, clean) in [
            ("log.txt", "log.txt"),
            ("../../etc/passwd", "passwd"),
            ("a\\b\\c.zip", "c.zip"),
            ("..", "file"),
            ("", "file"),
            ("a\"b\r\nc.gz", "a_b__c.gz"),
            ("ਲਾਗ", "___"),
        ] {
            assert_eq!(file_name(name, "file"), clean);
        }
        assert_eq!(file_name(&"x".repeat(500), "file").len(), MAX_NAME);
    }
}
