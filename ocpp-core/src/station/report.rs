//! Reporting the device model (2.1 part 2, B07).

use alloc::vec::Vec;

use super::Station;
use super::calls::{Call, Report};
use super::settings::{Access, TABLE};

/// Variables in one message.
const PAGE: usize = 20;

/// Which variables a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReportBase {
    /// What the operator can set (B07.FR.07).
    Configuration,
    /// Everything (B07.FR.08).
    Full,
}

impl Station {
    /// Sends the settings that the version knows, in as many messages as it takes.
    pub(super) fn report(&mut self, base: ReportBase, request_id: i64) {
        let version = self.version();
        let rows = TABLE.iter().enumerate().filter(|(_, row)| {
            row.is_variable_of(version) && (base == ReportBase::Full || row.access != Access::ReadOnly)
        });
        // B07.FR.03: a value that can't be read is not reported.
        let rows: Vec<_> =
            rows.map(|(place, row)| (place, (row.access != Access::WriteOnly).then(|| self.value_of(row)))).collect();
        let pages = rows.len().div_ceil(PAGE).max(1);
        for (seq_no, page) in rows.chunks(PAGE).enumerate() {
            let report = Report {
                request_id,
                seq_no: u32::try_from(seq_no).unwrap_or(u32::MAX),
                more_follows: seq_no + 1 < pages,
                at: self.utc(),
                settings: page.to_vec(),
            };
            self.call(Call::Report(report));
        }
    }
}
