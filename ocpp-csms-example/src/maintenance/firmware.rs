//! Firmware images: uploaded by operators, signed, fetched by stations.

use std::path::{Path, PathBuf};

use futures_util::Stream;
use jiff::Timestamp;
use ocpp_core::csms::flows::{CertificateInstallation, Flow, FlowEnd};
use ocpp_core::csms::{CallOutcome, Command};
use ocpp_core::pki::{Certificate, verify_signature};
use uuid::Uuid;

use super::address::{Purpose, base};
use super::files::{self, Limit, file_name, receive};
use super::signing::FirmwareAuthority;
use super::{FileError, MaintenanceError, logs};
use crate::access::Actor;
use crate::server::Csms;
use crate::store::{FirmwareImage, Signer};

/// Characters of vendor, model and version, which is more than a station tells.
const MAX_WORD: usize = 50;
/// What a message has room for, in characters.
const MAX_CERTIFICATE: usize = 5_500;
const MAX_SIGNATURE: usize = 800;

/// What an image is.
#[derive(Debug, Clone)]
pub struct ImageFacts {
    /// Whose stations it is for, as they say when they boot.
    pub vendor: String,
    /// For which model.
    pub model: String,
    /// The version that stations tell when they run it.
    pub version: String,
    /// The name of the file.
    pub file_name: String,
}

/// Takes an image, and signs it with the key of the installation. `announced` is how long it is said to be.
///
/// # Errors
/// When the facts are no words, the image is too large, or it cannot be written.
pub async fn add_image<B: AsRef<[u8]>, E: std::fmt::Display>(
    csms: &Csms,
    actor: &Actor,
    facts: ImageFacts,
    content: impl Stream<Item = Result<B, E>> + Unpin,
    announced: Option<u64>,
) -> Result<FirmwareImage, MaintenanceError> {
    let ImageFacts { vendor, model, version, file_name: name } = facts;
    for (what, word) in [("vendor", &vendor), ("model", &model), ("version", &version)] {
        let length = word.chars().count();
        if !(1..=MAX_WORD).contains(&length) || word.chars().any(char::is_control) {
            return Err(MaintenanceError::Invalid(format!(
                "{what} has 1 to {MAX_WORD} characters, as stations tell it"
            )));
        }
    }
    let id = Uuid::now_v7().to_string();
    let path = path(csms, &id);
    let received = receive(&path, content, announced, limit(csms)).await?;
    match sign(csms, &path).await {
        Ok((certificate, signature)) => {
            let image = FirmwareImage {
                id,
                file_name: file_name(&name, "firmware.bin"),
                vendor,
                model,
                version,
                size: received.size,
                sha256: received.sha256,
                certificate,
                signature,
                signed_by: Signer::Csms,
                uploaded_at: Timestamp::now(),
                uploaded_by: actor.name().to_owned(),
            };
            if let Err(error) = csms.store().put_firmware_image(&image).await {
                files::remove(&path).await;
                return Err(error.into());
            }
            let detail = format!("{} {} {}", image.vendor, image.model, image.version);
            csms.audit(actor, "firmware.uploaded", &image.id, detail).await;
            Ok(image)
        }
        Err(error) => {
            files::remove(&path).await;
            Err(error)
        }
    }
}

pub(super) fn limit(csms: &Csms) -> Limit {
    Limit { bytes: csms.config().files.max_firmware, setting: "max_firmware_size" }
}

/// Where an image is.
pub(super) fn path(csms: &Csms, id: &str) -> PathBuf {
    csms.config().files.folder.join("firmware").join(id)
}

/// Signs in a thread of its own: the signature is over the whole image, which is read for it.
async fn sign(csms: &Csms, path: &Path) -> Result<(String, String), MaintenanceError> {
    let authority = FirmwareAuthority::of(csms).await?;
    let path = path.to_owned();
    let signing = tokio::task::spawn_blocking(move || {
        let image = std::fs::read(&path).map_err(|source| FileError::Disk { path, source })?;
        let signature = authority.sign(&image)?;
        Ok((authority.certificate, signature))
    });
    signing.await.map_err(|error| MaintenanceError::Invalid(format!("signing ended early: {error}")))?
}

/// Replaces the signature of an image by that of its maker, which proves where it is from (1.6 security, L01.FR.09).
///
/// # Errors
/// When there is no such image, or the signature is not that of this image and certificate.
pub async fn set_signature(
    csms: &Csms,
    actor: &Actor,
    id: &str,
    certificate: &str,
    signature: &str,
) -> Result<FirmwareImage, MaintenanceError> {
    let mut image = image(csms, id).await?;
    if certificate.len() > MAX_CERTIFICATE || signature.len() > MAX_SIGNATURE {
        return Err(MaintenanceError::Invalid(format!(
            "a message has room for {MAX_CERTIFICATE} characters of a certificate and {MAX_SIGNATURE} of a signature"
        )));
    }
    let unreadable = |reason: String| MaintenanceError::Invalid(format!("the certificate is not PEM: {reason}"));
    let chain = Certificate::chain_from_pem(certificate).map_err(|error| unreadable(error.to_string()))?;
    let signer = chain.into_iter().next().ok_or_else(|| unreadable("there is none in it".to_owned()))?;
    let (path, text) = (path(csms, id), signature.to_owned());
    let verifying = tokio::task::spawn_blocking(move || {
        let content = std::fs::read(&path).map_err(|source| FileError::Disk { path, source })?;
        verify_signature(&signer, &content, &text).map_err(|error| MaintenanceError::Invalid(error.to_string()))
    });
    verifying.await.map_err(|error| MaintenanceError::Invalid(format!("verifying ended early: {error}")))??;
    (image.certificate, image.signature, image.signed_by) =
        (certificate.to_owned(), signature.to_owned(), Signer::Maker);
    csms.store().put_firmware_image(&image).await?;
    csms.audit(actor, "firmware.signature_set", id, "by its maker").await;
    Ok(image)
}

/// One image.
///
/// # Errors
/// When there is none.
pub async fn image(csms: &Csms, id: &str) -> Result<FirmwareImage, MaintenanceError> {
    csms.store().firmware_image(id).await?.ok_or_else(|| MaintenanceError::unknown("firmware image", id))
}

/// Removes an image.
///
/// # Errors
/// When there is none, or a roll-out refers to it.
pub async fn delete_image(csms: &Csms, actor: &Actor, id: &str) -> Result<(), MaintenanceError> {
    let image = image(csms, id).await?;
    if !csms.store().delete_firmware_image(id).await? {
        return Err(MaintenanceError::Conflict(
            "a roll-out refers to the image, so it stays: what was installed where has to be known later".to_owned(),
        ));
    }
    files::remove(&path(csms, id)).await;
    csms.audit(actor, "firmware.deleted", id, format!("{} {} {}", image.vendor, image.model, image.version)).await;
    Ok(())
}

/// The URL by which a station fetches an image.
pub(super) fn location(csms: &Csms, station: &str, image: &FirmwareImage) -> Result<String, MaintenanceError> {
    let base = base(csms, station)?;
    let secret = csms.maintenance().key().secret(Purpose::Firmware, &image.id);
    Ok(format!("{base}/{}/{}/{secret}/{}", Purpose::Firmware.segment(), image.id, image.file_name))
}

/// Installs the root by which a station verifies what is signed here.
///
/// # Errors
/// When there is no such station, it is not connected, or it does not take the root.
pub async fn install_root(csms: &Csms, actor: &Actor, station: &str) -> Result<(), MaintenanceError> {
    csms.store().station(station).await?.ok_or_else(|| MaintenanceError::unknown("station", station))?;
    let certificate = super::signing_root(csms).await?;
    let flow = Flow::InstallCertificate(CertificateInstallation {
        kind: "ManufacturerRootCertificate".to_owned(),
        certificate,
    });
    let outcome = csms.stations().call(station, Command::Flow(Box::new(flow))).await;
    let refused = |why: String| Err(MaintenanceError::Conflict(format!("the root was not installed: {why}")));
    match outcome {
        Err(_) => return Err(MaintenanceError::NotConnected),
        Ok(CallOutcome::Flow(end)) => match *end {
            FlowEnd::Completed(_) => {}
            FlowEnd::Refused { status, reason } => {
                return refused(format!("the station answered {status} {}", reason.unwrap_or_default()));
            }
            FlowEnd::CallFailed { outcome, .. } => return refused(logs::told(&outcome)),
            other => return refused(format!("{other:?}")),
        },
        Ok(other) => return refused(logs::told(&other)),
    }
    csms.audit(actor, "firmware.root_installed", station, "").await;
    Ok(())
}
