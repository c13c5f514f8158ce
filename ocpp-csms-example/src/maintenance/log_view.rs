//! Reading a log in the browser: a page of text at a time, whatever its size.

use std::io::SeekFrom;

use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::logs::open;
use super::{FileError, MaintenanceError};
use crate::server::Csms;

/// Bytes of a page, about.
const PAGE: u64 = 64 * 1024;
/// Endings of names of what is no text.
const PACKED: [&str; 12] =
    [".gz", ".tgz", ".zip", ".tar", ".bz2", ".xz", ".7z", ".zst", ".rar", ".bin", ".pcap", ".pcapng"];

/// A page of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// Whole lines, unless a single one is longer than a page. What is no UTF-8 is replaced.
    pub text: String,
    /// Where it begins, in bytes.
    pub offset: u64,
    /// Where the next page begins, if there is one.
    pub next: Option<u64>,
    /// Where a page before this one begins, if there is one.
    pub previous: Option<u64>,
    /// How long the log is, in bytes.
    pub size: u64,
}

/// A page of a log that begins at the line around this offset.
///
/// # Errors
/// When there is no such log, it is no text, or it cannot be read.
pub async fn page(csms: &Csms, id: &str, offset: u64) -> Result<LogPage, MaintenanceError> {
    let (_, log, mut file) = open(csms, id).await?;
    let name = log.name.to_ascii_lowercase();
    let packed = || {
        MaintenanceError::Conflict(format!(
            "{} is no text: download it, and open it with what it was packed by",
            log.name
        ))
    };
    if PACKED.iter().any(|ending| name.ends_with(ending)) {
        return Err(packed());
    }
    let failed = |source| MaintenanceError::File(FileError::Disk { path: super::logs::path(csms, id), source });
    let size = log.size;
    let start = if offset >= size { size.saturating_sub(PAGE) } else { offset };
    let (from, bytes) = read(&mut file, start, 2 * PAGE).await.map_err(failed)?;
    if bytes.contains(&0) {
        return Err(packed());
    }
    let (begin, end) = lines(&bytes, usize::try_from(start - from).unwrap_or(0), from + bytes.len() as u64 >= size);
    let text = String::from_utf8_lossy(bytes.get(begin..end).unwrap_or_default()).into_owned();
    let (offset, end) = (from + begin as u64, from + end as u64);
    Ok(LogPage {
        text,
        offset,
        next: (end < size).then_some(end),
        previous: (offset > 0).then(|| offset.saturating_sub(PAGE)),
        size,
    })
}

/// What is around an offset: a page before it, to find the beginning of its line, and what follows.
async fn read(file: &mut tokio::fs::File, start: u64, length: u64) -> std::io::Result<(u64, Vec<u8>)> {
    let from = start.saturating_sub(PAGE);
    file.seek(SeekFrom::Start(from)).await?;
    let mut bytes = Vec::new();
    file.take(start - from + length).read_to_end(&mut bytes).await?;
    Ok((from, bytes))
}

/// Where the page begins and ends in what was read: `start` is moved back to the beginning of its line, the end to the end of one.
fn lines(bytes: &[u8], start: usize, is_rest: bool) -> (usize, usize) {
    let is_end = |byte: &u8| *byte == b'\n';
    let before = bytes.get(..start).unwrap_or_default();
    let begin = before.iter().rposition(is_end).map_or(if start as u64 >= PAGE { start } else { 0 }, |at| at + 1);
    let wanted = begin + usize::try_from(PAGE).unwrap_or(usize::MAX);
    if bytes.len() <= wanted && is_rest {
        return (begin, bytes.len());
    }
    let wanted = wanted.min(bytes.len());
    let page = bytes.get(begin..wanted).unwrap_or_default();
    let end = page.iter().rposition(is_end).map_or(wanted, |at| begin + at + 1);
    (begin, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All pages of a text, from the first on.
    fn pages(text: &[u8]) -> Vec<Vec<u8>> {
        let (mut pages, mut offset) = (Vec::new(), 0_usize);
        let page = usize::try_from(PAGE).unwrap();
        loop {
            let from = offset.saturating_sub(page);
            let until = text.len().min(offset + 2 * page);
            let (begin, end) = lines(&text[from..until], offset - from, until == text.len());
            assert_eq!(from + begin, offset, "a page begins where the one before ended");
            pages.push(text[from + begin..from + end].to_vec());
            offset = from + end;
            if offset >= text.len() {
                return pages;
            }
        }
    }

    #[test]
    fn pages_are_whole_lines_and_together_the_whole_text() {
        let text: String = (0..20_000).map(|line| format!("line {line} of the log\n")).collect();
        let pages = pages(text.as_bytes());
        assert!(pages.len() > 5);
        assert!(pages.iter().all(|page| page.ends_with(b"\n") && page.len() as u64 <= PAGE));
        assert_eq!(pages.concat(), text.as_bytes());
    }

    #[test]
    fn a_line_without_an_end_is_cut_rather_than_swallowed() {
        let text = vec![b'x'; 300_000];
        assert_eq!(pages(&text).concat(), text);
    }

    #[test]
    fn an_offset_within_a_line_shows_the_line() {
        let text = b"first\nsecond\nthird\n";
        assert_eq!(lines(text, 9, true), (6, text.len()));
        assert_eq!(lines(text, 0, true), (0, text.len()));
    }
}
