//! An authority that signs certificates for tests.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ocpp_core::transport::CertificateAndKey;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};

const HOUR: Duration = Duration::from_secs(3600);

pub struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

fn parameters(common_name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::OrganizationName, "Example CPO");
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    parameters.not_before = (SystemTime::now() - 48 * HOUR).into();
    parameters.not_after = (SystemTime::now() + 48 * HOUR).into();
    parameters
}

pub fn expired(parameters: &mut CertificateParams) {
    parameters.not_after = (SystemTime::now() - HOUR).into();
}

pub fn numbered(number: u64) -> impl FnOnce(&mut CertificateParams) {
    move |parameters| parameters.serial_number = Some(SerialNumber::from(number))
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = parameters("Example root");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = parameters.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(parameters, key) }
    }

    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    pub fn sign(&self, common_name: &str, change: impl FnOnce(&mut CertificateParams)) -> CertificateAndKey {
        let mut parameters = parameters(common_name);
        change(&mut parameters);
        let key = KeyPair::generate().unwrap();
        CertificateAndKey::new(parameters.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// A revocation list with this serial number.
    pub fn revoking(&self, number: u64) -> String {
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(number),
            revocation_time: SystemTime::now().into(),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: (SystemTime::now() - HOUR).into(),
            next_update: (SystemTime::now() + HOUR).into(),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

/// Writes a certificate and its key into a folder; their paths.
pub fn write(folder: &Path, pair: &CertificateAndKey) -> (PathBuf, PathBuf) {
    let (chain, key) = (folder.join("server.pem"), folder.join("server.key"));
    std::fs::write(&chain, &pair.chain).unwrap();
    std::fs::write(&key, &pair.key).unwrap();
    (chain, key)
}
