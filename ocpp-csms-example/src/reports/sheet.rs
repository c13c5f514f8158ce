//! Reports as tables: for CSV and PDF.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::consumption::Consumption;
use super::days::{DayReport, Figures, Grouping, written_fees};
use super::pdf::{Column, Document};
use super::presence::StationState;
use super::range::ReportError;
use super::utilisation::SlotUse;
use crate::payments::Statement;
use crate::tariffs::amount;

/// A column: its name in CSV, its heading in PDF, its part of the width, and whether it holds numbers.
struct Field {
    name: &'static str,
    heading: &'static str,
    share: u16,
    is_number: bool,
}

const fn words(name: &'static str, heading: &'static str, share: u16) -> Field {
    Field { name, heading, share, is_number: false }
}

const fn numbers(name: &'static str, heading: &'static str, share: u16) -> Field {
    Field { name, heading, share, is_number: true }
}

/// A report as a table.
pub struct Sheet {
    title: String,
    about: Vec<(&'static str, String)>,
    fields: Vec<Field>,
    rows: Vec<Vec<String>>,
    totals: Option<Vec<String>>,
}

impl Sheet {
    /// As CSV (RFC 4180), with a line of names.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn csv(&self) -> Result<Vec<u8>, ReportError> {
        let failed = |error: csv::Error| ReportError::Csv(error.to_string());
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.fields.iter().map(|field| field.name)).map_err(failed)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|cell| harmless(cell))).map_err(failed)?;
        }
        writer.into_inner().map_err(|error| ReportError::Csv(error.to_string()))
    }

    /// As PDF.
    ///
    /// # Errors
    /// When it is too long or cannot be written.
    pub fn pdf(&self, footer: &str, now: Timestamp) -> Result<Vec<u8>, ReportError> {
        let mut document = Document::new(self.title.as_str(), "en", now);
        document.footer(footer);
        document.pairs(&self.about);
        let columns: Vec<Column> = self
            .fields
            .iter()
            .map(|field| match field.is_number {
                true => Column::numbers(field.heading, field.share),
                false => Column::words(field.heading, field.share),
            })
            .collect();
        document.table(&columns, &self.rows, self.totals.as_deref());
        Ok(document.finish()?)
    }
}

/// A text that a spreadsheet does not take for a formula.
pub(crate) fn harmless(cell: &str) -> String {
    match cell.chars().next() {
        Some('=' | '+' | '@' | '\t' | '\r') => format!("'{cell}"),
        Some('-') if cell.parse::<Decimal>().is_err() => format!("'{cell}"),
        _ => cell.to_owned(),
    }
}

/// Milliseconds as hours.
fn hours(milliseconds: i64) -> String {
    two(Decimal::new(milliseconds, 3) / Decimal::from(3600))
}

fn two(value: Decimal) -> String {
    let mut value = value.round_dp(2);
    value.rescale(2);
    value.to_string()
}

fn kwh(milliwatt_hours: i64) -> String {
    let mut value = Decimal::new(milliwatt_hours, 6).round_dp(3);
    value.rescale(3);
    value.to_string()
}

impl From<&DayReport> for Sheet {
    fn from(report: &DayReport) -> Self {
        let has = |wanted: &[Grouping]| wanted.contains(&report.grouping);
        let mut fields = Vec::new();
        if has(&[Grouping::Station, Grouping::StationDay]) {
            fields.push(words("station", "Station", 7));
        }
        if has(&[Grouping::Day, Grouping::StationDay]) {
            fields.push(words("day", "Day", 5));
        }
        fields.extend([
            numbers("sessions", "Sessions", 4),
            numbers("energy_kwh", "Energy kWh", 5),
            words("fees", "Fees", 6),
            numbers("charging_hours", "Charging h", 4),
            numbers("connected_hours", "Connected h", 5),
            numbers("available_hours", "Available h", 5),
            numbers("occupied_hours", "Occupied h", 5),
            numbers("unavailable_hours", "Out of service h", 5),
            numbers("faulted_hours", "Faulted h", 4),
            numbers("faults", "Faults", 3),
        ]);
        let figures = |figures: &Figures| {
            vec![
                figures.sessions.to_string(),
                kwh(figures.energy_mwh),
                written_fees(&figures.fees),
                hours(figures.occupied),
                hours(figures.connected()),
                hours(figures.time(StationState::Available)),
                hours(figures.time(StationState::Occupied)),
                hours(figures.time(StationState::Unavailable)),
                hours(figures.time(StationState::Faulted)),
                figures.faults.to_string(),
            ]
        };
        let line = |station: Option<&str>, day: Option<String>, of: &Figures| {
            let mut cells = Vec::new();
            if has(&[Grouping::Station, Grouping::StationDay]) {
                cells.push(station.unwrap_or_default().to_owned());
            }
            if has(&[Grouping::Day, Grouping::StationDay]) {
                cells.push(day.unwrap_or_default());
            }
            cells.extend(figures(of));
            cells
        };
        let rows = report.lines.iter();
        let rows =
            rows.map(|row| line(row.station.as_deref(), row.day.map(|day| day.to_string()), &row.figures)).collect();
        let total = line(Some("Total"), Some("Total".to_owned()), &report.total);
        let about = vec![
            ("From", report.range.from.to_string()),
            ("Until", report.range.until.to_string()),
            ("Days of", report.zone.clone()),
            ("Station", report.station.clone().unwrap_or_else(|| "all".to_owned())),
        ];
        Self { title: "Hours, energy and fees".to_owned(), about, fields, rows, totals: Some(total) }
    }
}

impl Sheet {
    /// The use by the hour of the week.
    #[must_use]
    pub fn of_utilisation(slots: &[SlotUse], about: &DayRangeAbout) -> Self {
        const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
        let fields = vec![
            words("weekday", "Day", 3),
            words("hour", "Hour", 2),
            numbers("charging_hours", "Charging h", 3),
            numbers("energy_kwh", "Energy kWh", 3),
            numbers("share", "Used %", 2),
        ];
        let rows = slots.iter().map(|slot| {
            let day = usize::try_from(slot.weekday).ok().and_then(|day| DAYS.get(day));
            let share = slot.share.map(|share| two(share * Decimal::ONE_HUNDRED)).unwrap_or_default();
            vec![
                day.copied().unwrap_or_default().to_owned(),
                format!("{:02}:00", slot.hour),
                hours(slot.occupied),
                kwh(slot.energy_mwh),
                share,
            ]
        });
        let rows = rows.collect();
        Self { title: "Utilisation by hour".to_owned(), about: about.pairs(), fields, rows, totals: None }
    }

    /// The consumption of somebody.
    #[must_use]
    pub fn of_consumption(consumption: &Consumption, zone: &TimeZone) -> Self {
        let fields = vec![
            words("started_at", "From", 5),
            words("stopped_at", "To", 5),
            words("station", "Station", 5),
            words("session", "Session", 6),
            words("token", "Token", 5),
            numbers("energy_kwh", "Energy kWh", 4),
            numbers("fees", "Fees", 4),
            words("currency", "", 2),
        ];
        let local = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
        let rows = consumption.sessions.iter().map(|session| {
            vec![
                local(session.started_at),
                local(session.stopped_at),
                session.station.clone(),
                session.id.clone(),
                session.token.clone().unwrap_or_default(),
                kwh(super::spread::milli(session.energy_wh)),
                amount(session.fees, session.currency).to_string(),
                session.currency.code().to_owned(),
            ]
        });
        let rows = rows.collect();
        let mut totals = vec![String::new(); 5];
        totals.extend([kwh(consumption.energy_mwh), written_fees(&consumption.fees)]);
        let about = vec![
            ("Of", consumption.name.clone()),
            ("From", consumption.range.from.to_string()),
            ("Until", consumption.range.until.to_string()),
            ("Times of", zone.iana_name().unwrap_or("UTC").to_owned()),
        ];
        Self { title: "Consumption".to_owned(), about, fields, rows, totals: Some(totals) }
    }
}

impl Sheet {
    /// What came to the balance of a driver and went from it.
    #[must_use]
    pub fn of_statement(statement: &Statement, zone: &TimeZone) -> Self {
        let fields = vec![
            words("at", "When", 5),
            words("kind", "What", 4),
            words("about", "About", 9),
            numbers("amount", "Amount", 4),
            numbers("balance", "Balance", 4),
            words("currency", "", 2),
        ];
        let mut rows = Vec::new();
        for account in &statement.accounts {
            let code = account.currency.code().to_owned();
            let money = |minor| amount(minor, account.currency).to_string();
            let edge = |day: String, kind: &str, balance| {
                vec![day, kind.to_owned(), String::new(), String::new(), money(balance), code.clone()]
            };
            rows.push(edge(statement.range.from.to_string(), "opening", account.opening));
            rows.extend(account.lines.iter().map(|line| {
                let at = line.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
                let kind = line.kind.as_str().to_owned();
                vec![at, kind, line.about.clone(), money(line.amount), money(line.balance), code.clone()]
            }));
            rows.push(edge(statement.range.until.to_string(), "closing", account.closing));
        }
        let about = vec![
            ("Of", statement.name.clone()),
            ("From", statement.range.from.to_string()),
            ("Until", statement.range.until.to_string()),
            ("Times of", zone.iana_name().unwrap_or("UTC").to_owned()),
        ];
        Self { title: "Statement".to_owned(), about, fields, rows, totals: None }
    }
}

/// What a report is about.
#[derive(Debug, Clone)]
pub struct DayRangeAbout {
    /// The days.
    pub range: super::range::Range,
    /// Their calendar.
    pub zone: String,
    /// The station, unless it is about all.
    pub station: Option<String>,
}

impl DayRangeAbout {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        vec![
            ("From", self.range.from.to_string()),
            ("Until", self.range.until.to_string()),
            ("Days of", self.zone.clone()),
            ("Station", self.station.clone().unwrap_or_else(|| "all".to_owned())),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_is_given_no_formula() {
        for (cell, written) in
            [("=1+1", "'=1+1"), ("+1", "'+1"), ("@a", "'@a"), ("-2.50", "-2.50"), ("-x", "'-x"), ("CS-1", "CS-1")]
        {
            assert_eq!(harmless(cell), written);
        }
    }

    #[test]
    fn hours_and_energy_are_rounded_for_people() {
        assert_eq!(hours(5_400_000), "1.50");
        assert_eq!(kwh(12_345_678), "12.346");
    }
}
