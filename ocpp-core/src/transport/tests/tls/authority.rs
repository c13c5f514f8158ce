//! An authority that signs whatever a test asks it for.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason, RevokedCertParams, SerialNumber,
};

use crate::transport::CertificateAndKey;

/// rcgen cannot make RSA keys with ring; this one is used for nothing else.
const RSA: &str = include_str!("rsa-2048.pem");

pub(super) struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A moment so many hours from now: TLS reads the clock of the system.
#[allow(clippy::disallowed_methods, reason = "the transport has a clock")]
fn in_hours<T: From<SystemTime>>(hours: i64) -> T {
    let distance = Duration::from_secs(hours.unsigned_abs() * 3600);
    T::from(if hours < 0 { SystemTime::now() - distance } else { SystemTime::now() + distance })
}

fn parameters(common_name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::OrganizationName, "Example CPO");
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    parameters.not_before = in_hours(-48);
    parameters.not_after = in_hours(48);
    parameters
}

/// The certificate expired an hour ago.
pub(super) fn expired(parameters: &mut CertificateParams) {
    parameters.not_after = in_hours(-1);
}

/// The certificate is valid from the next hour on.
pub(super) fn not_yet_valid(parameters: &mut CertificateParams) {
    parameters.not_before = in_hours(1);
}

pub(super) fn owned_by(organization: &str) -> impl FnOnce(&mut CertificateParams) {
    move |parameters| parameters.distinguished_name.push(DnType::OrganizationName, organization)
}

impl Authority {
    pub(super) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = parameters("Example root");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = parameters.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(parameters, key) }
    }

    pub(super) fn pem(&self) -> String {
        self.certificate.pem()
    }

    fn sign(&self, common_name: &str, key: &KeyPair, change: impl FnOnce(&mut CertificateParams)) -> CertificateAndKey {
        let mut parameters = parameters(common_name);
        change(&mut parameters);
        let certificate = parameters.signed_by(key, &self.issuer).unwrap();
        CertificateAndKey::new(certificate.pem(), key.serialize_pem())
    }

    /// A certificate of a CSMS as the standard wants it: its name in the common name, and no subjectAltName (A00.FR.510, A00.FR.511).
    pub(super) fn csms(&self) -> CertificateAndKey {
        self.csms_with(|_| {})
    }

    pub(super) fn csms_with(&self, change: impl FnOnce(&mut CertificateParams)) -> CertificateAndKey {
        self.sign("csms.example.com", &KeyPair::generate().unwrap(), change)
    }

    pub(super) fn csms_rsa_with(&self, change: impl FnOnce(&mut CertificateParams)) -> CertificateAndKey {
        self.sign("csms.example.com", &KeyPair::from_pem(RSA).unwrap(), change)
    }

    pub(super) fn station(&self, common_name: &str) -> CertificateAndKey {
        self.station_with(common_name, |_| {})
    }

    pub(super) fn station_with(
        &self,
        common_name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> CertificateAndKey {
        self.sign(common_name, &KeyPair::generate().unwrap(), change)
    }

    /// A revocation list with these serial numbers.
    pub(super) fn revocation_list(&self, serial_numbers: &[u64]) -> String {
        let revoked = |number: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*number),
            revocation_time: in_hours(-1),
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: in_hours(-1),
            next_update: in_hours(1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serial_numbers.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

/// The certificate gets this serial number.
pub(super) fn numbered(number: u64) -> impl FnOnce(&mut CertificateParams) {
    move |parameters| parameters.serial_number = Some(SerialNumber::from(number))
}
