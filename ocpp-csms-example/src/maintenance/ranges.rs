//! Parts of a file, as stations ask for them when a download broke off (RFC 9110, 14).

use axum::http::{HeaderMap, header};

/// What of a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// From the first to the last byte.
    Part(u64, u64),
    /// What is not there.
    Nothing,
    /// Nothing: who asks has it.
    Known,
}

/// Reads what is wanted. Several parts at once are given as the whole (RFC 9110, 14.2).
pub(super) fn wanted(headers: &HeaderMap, etag: &str, size: u64) -> Wanted {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok()).map(str::trim);
    if let Some(known) = text(header::IF_NONE_MATCH)
        && known.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == etag)
    {
        return Wanted::Known;
    }
    // A part of another file than the one that was begun would spoil it.
    if text(header::IF_RANGE).is_some_and(|known| known != etag) {
        return Wanted::Whole;
    }
    let Some(range) = text(header::RANGE).and_then(|range| range.strip_prefix("bytes=")) else { return Wanted::Whole };
    let Some((first, last)) = range.split_once('-').filter(|_| !range.contains(',')) else { return Wanted::Whole };
    match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), _) if first >= size => Wanted::Nothing,
        (Ok(first), Ok(last)) if first <= last => Wanted::Part(first, last.min(size - 1)),
        (Ok(first), Err(_)) if last.trim().is_empty() => Wanted::Part(first, size - 1),
        (Err(_), Ok(0)) if first.trim().is_empty() => Wanted::Nothing,
        (Err(_), Ok(length)) if first.trim().is_empty() => Wanted::Part(size.saturating_sub(length), size - 1),
        _ => Wanted::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(header::HeaderName, &str)]) -> Wanted {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        wanted(&headers, "\"abc\"", 100)
    }

    #[test]
    fn a_part_is_what_was_asked_for_within_the_file() {
        for (range, part) in [
            ("bytes=0-9", Wanted::Part(0, 9)),
            ("bytes=90-", Wanted::Part(90, 99)),
            ("bytes=-10", Wanted::Part(90, 99)),
            ("bytes=-1000", Wanted::Part(0, 99)),
            ("bytes=50-1000", Wanted::Part(50, 99)),
            ("bytes=100-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=9-0", Wanted::Whole),
            ("bytes=0-1,5-6", Wanted::Whole),
            ("lines=0-9", Wanted::Whole),
            ("bytes=x-y", Wanted::Whole),
        ] {
            assert_eq!(of(&[(header::RANGE, range)]), part, "{range}");
        }
    }

    #[test]
    fn a_part_of_another_file_is_the_whole_one() {
        let range = (header::RANGE, "bytes=5-9");
        assert_eq!(of(&[range.clone(), (header::IF_RANGE, "\"abc\"")]), Wanted::Part(5, 9));
        assert_eq!(of(&[range, (header::IF_RANGE, "\"other\"")]), Wanted::Whole);
        assert_eq!(of(&[(header::IF_NONE_MATCH, "\"other\", W/\"abc\"")]), Wanted::Known);
        assert_eq!(of(&[(header::IF_NONE_MATCH, "\"other\"")]), Wanted::Whole);
    }
}
