//! Firmware images: what they are for, and who signed them. The files are kept elsewhere.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Row, Store, StoreError, sql, text_enum};

text_enum! {
    /// Who signed an image.
    Signer {
        /// This installation.
        Csms = "csms",
        /// Whoever made the firmware.
        Maker = "maker",
    }
}

/// A firmware image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwareImage {
    /// Its id.
    pub id: String,
    /// Whose stations it is for, as they say when they boot.
    pub vendor: String,
    /// For which model.
    pub model: String,
    /// The version that stations tell when they run it.
    pub version: String,
    /// The name of the file.
    pub file_name: String,
    /// Bytes.
    pub size: u64,
    /// Hexadecimal digits.
    pub sha256: String,
    /// The certificate of the signer, PEM.
    pub certificate: String,
    /// The signature, Base64.
    pub signature: String,
    /// Whose signature it is.
    pub signed_by: Signer,
    /// When it was uploaded.
    pub uploaded_at: Timestamp,
    /// By whom.
    pub uploaded_by: String,
}

impl Store {
    /// Keeps a new image, or a new signature of one.
    pub(crate) async fn put_firmware_image(&self, image: &FirmwareImage) -> Result<(), StoreError> {
        let statement = sql(
            "INSERT INTO firmware_images (id, vendor, model, version, file_name, size, sha256, certificate, signature, \
             signed_by, uploaded_at, uploaded_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
             ON CONFLICT (id) DO UPDATE SET certificate = excluded.certificate, signature = excluded.signature, \
             signed_by = excluded.signed_by",
        );
        let statement = statement.bind(&image.id).bind(&image.vendor).bind(&image.model).bind(&image.version);
        let statement = statement.bind(&image.file_name).bind(i64::try_from(image.size).unwrap_or(i64::MAX));
        let statement = statement.bind(&image.sha256).bind(&image.certificate).bind(&image.signature);
        let statement = statement.bind(image.signed_by.as_str()).bind(image.uploaded_at).bind(&image.uploaded_by);
        self.execute(statement).await?;
        Ok(())
    }

    /// One image.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn firmware_image(&self, id: &str) -> Result<Option<FirmwareImage>, StoreError> {
        let row = self.fetch_optional(sql("SELECT * FROM firmware_images WHERE id = $1").bind(id)).await?;
        row.map(|row| read(&row)).transpose()
    }

    /// The newest images, the newest first; older than the one with the id `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn firmware_images(&self, before: Option<&str>, limit: u32) -> Result<Vec<FirmwareImage>, StoreError> {
        let statement =
            sql("SELECT * FROM firmware_images WHERE CAST($1 AS TEXT) IS NULL OR id < $1 ORDER BY id DESC LIMIT $2");
        self.fetch_all(statement.bind(before).bind(limit)).await?.iter().map(read).collect()
    }

    /// Forgets an image that no roll-out refers to; false when one does.
    pub(crate) async fn delete_firmware_image(&self, id: &str) -> Result<bool, StoreError> {
        let statement =
            sql("DELETE FROM firmware_images WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM rollouts WHERE image = $1)");
        Ok(self.execute(statement.bind(id)).await? > 0)
    }
}

fn read(row: &Row) -> Result<FirmwareImage, StoreError> {
    Ok(FirmwareImage {
        id: row.text("id")?,
        vendor: row.text("vendor")?,
        model: row.text("model")?,
        version: row.text("version")?,
        file_name: row.text("file_name")?,
        size: u64::try_from(row.integer("size")?).unwrap_or(0),
        sha256: row.text("sha256")?,
        certificate: row.text("certificate")?,
        signature: row.text("signature")?,
        signed_by: row.parsed("signed_by")?,
        uploaded_at: row.moment("uploaded_at")?,
        uploaded_by: row.text("uploaded_by")?,
    })
}
