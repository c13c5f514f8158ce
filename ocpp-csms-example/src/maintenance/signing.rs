//! The key of this installation that signs firmware, for stations that take none without a signature (2.1 part 2, L01; 1.6 security,
//! L01.FR.09, L01.FR.11).
//!
//! A root, which stations are to have as manufacturer's root, and under it, without anything in between, the certificate that signs.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SigningKey as _,
};
use serde::{Deserialize, Serialize};

use super::MaintenanceError;
use crate::server::Csms;
use crate::store::StoreError;

/// The setting that holds it.
const AUTHORITY: &str = "firmware_authority";
/// How long root and certificate are valid: stations outlive most things.
const VALID: Duration = Duration::from_secs(25 * 365 * 24 * 3600);
/// Clocks of stations differ by so much.
const TOLERANCE: Duration = Duration::from_secs(24 * 3600);

/// Root, certificate and key, PEM.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct FirmwareAuthority {
    pub(super) root: String,
    pub(super) certificate: String,
    key: String,
}

impl std::fmt::Debug for FirmwareAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FirmwareAuthority")
    }
}

/// The certificate that stations need to trust what is signed here: PEM, to be installed as ManufacturerRootCertificate.
///
/// # Errors
/// When it cannot be made or read.
pub async fn signing_root(csms: &Csms) -> Result<String, MaintenanceError> {
    Ok(FirmwareAuthority::of(csms).await?.root)
}

impl FirmwareAuthority {
    /// That of the installation, made when it is first needed.
    pub(super) async fn of(csms: &Csms) -> Result<Self, MaintenanceError> {
        let text = match csms.store().setting(AUTHORITY).await? {
            Some(text) => text,
            None => {
                let organization = csms.config().operator.clone().unwrap_or_else(|| "OCPP CSMS".to_owned());
                let made = Self::make(&organization).map_err(|error| MaintenanceError::Entropy(error.to_string()))?;
                let text =
                    serde_json::to_string(&made).map_err(|error| MaintenanceError::Invalid(error.to_string()))?;
                csms.store().setting_or(AUTHORITY, &text).await?
            }
        };
        let damaged =
            |_| StoreError::Content { what: "the key that signs firmware", value: "something else".to_owned() };
        Ok(serde_json::from_str(&text).map_err(damaged)?)
    }

    fn make(organization: &str) -> Result<Self, rcgen::Error> {
        let (root_key, key) =
            (KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?, KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?);
        let mut root = parameters(organization, "firmware root");
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root_pem = root.self_signed(&root_key)?.pem();
        // Its key signs once, and is never kept.
        let issuer = Issuer::from_params(&root, &root_key);
        let mut signer = parameters(organization, "firmware signing");
        signer.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        signer.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        signer.use_authority_key_identifier_extension = true;
        let certificate = signer.signed_by(&key, &issuer)?.pem();
        Ok(Self { root: root_pem, certificate, key: key.serialize_pem() })
    }

    /// The signature over a whole image: ECDSA over SHA-256, DER in Base64.
    pub(super) fn sign(&self, image: &[u8]) -> Result<String, MaintenanceError> {
        let failed = |error: rcgen::Error| MaintenanceError::Invalid(format!("the image cannot be signed: {error}"));
        let key = KeyPair::from_pem(&self.key).map_err(failed)?;
        Ok(STANDARD.encode(key.sign(image).map_err(failed)?))
    }
}

fn parameters(organization: &str, role: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::OrganizationName, organization);
    parameters.distinguished_name.push(DnType::CommonName, format!("{organization} {role}"));
    let from = SystemTime::now() - TOLERANCE;
    parameters.not_before = from.into();
    parameters.not_after = (from + VALID).into();
    parameters
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ocpp_core::pki::{Certificate, Purpose, SignatureError, verify_chain, verify_signature};

    use super::*;

    /// 1.6 security, L01.FR.09, L01.FR.11/12
    #[test]
    fn a_station_that_has_the_root_verifies_what_is_signed() {
        let authority = FirmwareAuthority::make("Example CPO").unwrap();
        let signature = authority.sign(b"firmware").unwrap();
        let chain = Certificate::chain_from_pem(&authority.certificate).unwrap();
        let roots = Certificate::chain_from_pem(&authority.root).unwrap();
        assert_eq!(verify_chain(&chain, &roots, Timestamp::now(), Purpose::FirmwareSigning, &[]), Ok(()));
        assert_eq!(verify_signature(&chain[0], b"firmware", &signature), Ok(()));
        assert_eq!(verify_signature(&chain[0], b"Firmware", &signature), Err(SignatureError::Mismatch));
        // What a message has room for.
        assert!(authority.certificate.len() <= 5_500 && signature.len() <= 800);
        let other = FirmwareAuthority::make("Example CPO").unwrap();
        let roots = Certificate::chain_from_pem(&other.root).unwrap();
        assert!(verify_chain(&chain, &roots, Timestamp::now(), Purpose::FirmwareSigning, &[]).is_err());
    }
}
