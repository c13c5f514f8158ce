//! Invoices on paper.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::InvoiceLine;
use crate::reports::pdf::{Column, Document, PdfError};
use crate::store::{Driver, Invoice};
use crate::tariffs::{amount, written};

/// An invoice as PDF. `seller` is who makes it out; without a driver it was a guest who paid.
///
/// # Errors
/// When it has more lines than anybody reads, or cannot be written.
pub fn invoice_pdf(
    invoice: &Invoice,
    seller: &str,
    driver: Option<&Driver>,
    zone: &TimeZone,
) -> Result<Vec<u8>, PdfError> {
    let day = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d").to_string();
    let mut document = Document::new(format!("Invoice {}", invoice.number), "en", invoice.issued_at);
    document.footer(seller);
    let payer = driver.map_or_else(|| "a guest".to_owned(), |driver| format!("{} ({})", driver.name, driver.login));
    document.pairs(&[
        ("From", seller.to_owned()),
        ("To", payer),
        ("Number", invoice.number.to_string()),
        ("Date", day(invoice.issued_at)),
        ("Days of", zone.iana_name().unwrap_or("UTC").to_owned()),
    ]);
    let columns = [
        Column::words("Date", 3),
        Column::words("What for", 7),
        Column::numbers("kWh", 3),
        Column::numbers("Without tax", 3),
        Column::numbers("Tax", 3),
        Column::numbers(invoice.currency.code(), 3),
    ];
    let money = |minor| amount(minor, invoice.currency).to_string();
    let row = |line: &InvoiceLine| {
        let kwh = line.energy_wh.map(|wh| (wh / Decimal::ONE_THOUSAND).round_dp(3).normalize().to_string());
        let total = money(line.net + line.tax);
        vec![day(line.at), what_for(line), kwh.unwrap_or_default(), money(line.net), money(line.tax), total]
    };
    let rows: Vec<_> = invoice.lines.iter().map(row).collect();
    let blank = String::new;
    let totals = [blank(), "Total".to_owned(), blank(), money(invoice.net), money(invoice.tax), money(invoice.total)];
    document.table(&columns, &rows, Some(&totals));
    document.paragraph(&format!("Total: {}", written(invoice.total, invoice.currency)));
    document.finish()
}

fn what_for(line: &InvoiceLine) -> String {
    let kind = match line.kind.as_str() {
        "session" => "Charging",
        "adjustment" => "Adjustment",
        "subscription" => "Subscription",
        other => other,
    };
    format!("{kind} {}", line.about)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Payer;
    use iso_currency::Currency;

    #[test]
    fn an_invoice_becomes_a_document_of_as_many_pages_as_it_needs() {
        let at: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let line = |number: usize| InvoiceLine {
            kind: "session".to_owned(),
            about: format!("CS-1/{number}"),
            at,
            energy_wh: Some(Decimal::from(10_500)),
            net: 100,
            tax: 19,
        };
        let invoice = |lines: usize| Invoice {
            number: 7,
            payer: Payer::Guest("s".to_owned()),
            currency: Currency::EUR,
            from: at,
            to: at,
            net: 100,
            tax: 19,
            total: 119,
            lines: (0..lines).map(line).collect(),
            issued_at: at,
        };
        let (short, long) = (
            invoice_pdf(&invoice(1), "Example CPO", None, &TimeZone::UTC).unwrap(),
            invoice_pdf(&invoice(300), "Example CPO", None, &TimeZone::UTC).unwrap(),
        );
        assert!(short.starts_with(b"%PDF-") && long.len() > short.len());
        assert!(String::from_utf8_lossy(&short).contains("Invoice 7"));
        assert_eq!(what_for(&line(3)), "Charging CS-1/3");
        let error = invoice_pdf(&invoice(crate::reports::pdf::MAX_ROWS + 1), "", None, &TimeZone::UTC).unwrap_err();
        assert!(error.to_string().contains("rows"), "{error}");
    }
}
