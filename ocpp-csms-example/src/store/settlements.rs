//! What became of payments that were made at stations (OCPP 2.1, NotifySettlement).

use ocpp_core::csms::{PaymentStatus, Settlement};

use super::{Store, StoreError, sql};

impl Store {
    /// Keeps what became of a payment; what is kept already changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_settlement(&self, station: &str, settlement: &Settlement) -> Result<(), StoreError> {
        let status = match &settlement.status {
            PaymentStatus::Settled => "settled",
            PaymentStatus::Canceled => "canceled",
            PaymentStatus::Rejected => "rejected",
            PaymentStatus::Failed => "failed",
            PaymentStatus::Unlisted(status) => status,
            _ => "unknown",
        };
        let statement = sql(
            "INSERT INTO settlements (station, reference, status, transaction_id, amount, settled_at, receipt_url, vat_number) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        )
        .bind(station)
        .bind(&settlement.reference)
        .bind(status)
        .bind(settlement.transaction.as_ref().map(|transaction| transaction.as_str()))
        .bind(settlement.amount.to_string())
        .bind(settlement.at)
        .bind(&settlement.receipt.url)
        .bind(&settlement.vat_number);
        self.execute(statement).await?;
        Ok(())
    }
}
