//! Where one is in a list of several pages.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// A page of a list, and the way to the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pager {
    number: u32,
    size: u32,
    total: u64,
    /// The path and the filter, as every link has them.
    base: String,
}

impl Pager {
    /// The page with this number, from 1, of a list of `total`, with `size` on each; the last one where the list is shorter.
    /// `filter` is what else the links carry.
    #[must_use]
    pub fn new(number: Option<u32>, size: u32, total: u64, path: &str, filter: &[(&str, &str)]) -> Self {
        let mut base = format!("{path}?");
        for (name, value) in filter.iter().filter(|(_, value)| !value.is_empty()) {
            base.push_str(&format!("{name}={}&", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        }
        let mut pager = Self { number: 1, size: size.max(1), total, base };
        pager.number = number.unwrap_or(1).clamp(1, pager.pages());
        pager
    }

    /// How many are before this page.
    #[must_use]
    pub fn offset(&self) -> u32 {
        (self.number - 1).saturating_mul(self.size)
    }

    /// How many are on a page.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.size
    }

    /// The number of this page.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// How many pages there are: at least one.
    #[must_use]
    pub fn pages(&self) -> u32 {
        u32::try_from(self.total.div_ceil(u64::from(self.size))).unwrap_or(u32::MAX).max(1)
    }

    /// How long the list is.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The page before this one.
    #[must_use]
    pub fn previous(&self) -> Option<String> {
        (self.number > 1).then(|| format!("{}page={}", self.base, self.number - 1))
    }

    /// The page after this one.
    #[must_use]
    pub fn next(&self) -> Option<String> {
        (self.number < self.pages()).then(|| format!("{}page={}", self.base, self.number + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_leads_to_its_neighbours_and_keeps_the_filter() {
        let pager = Pager::new(Some(2), 50, 101, "/stations", &[("search", "A&B"), ("state", "")]);
        assert_eq!((pager.offset(), pager.pages()), (50, 3));
        assert_eq!(pager.previous().as_deref(), Some("/stations?search=A%26B&page=1"));
        assert_eq!(pager.next().as_deref(), Some("/stations?search=A%26B&page=3"));
    }

    #[test]
    fn a_page_that_does_not_exist_is_the_nearest_that_does() {
        assert_eq!(Pager::new(Some(9), 50, 100, "/", &[]).number(), 2);
        let empty = Pager::new(Some(0), 50, 0, "/", &[]);
        assert_eq!((empty.number(), empty.pages(), empty.previous(), empty.next()), (1, 1, None, None));
    }
}
