//! Keys of a station, and asking for certificates of them (1.6 security, A02.FR.02, A02.FR.03; RFC 2986).

use core::fmt;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};

use super::Certificate;

/// A private key. It never shows itself, only [`PrivateKey::to_pem`] gives it away: into a file that nobody else can read (A02.FR.05).
pub struct PrivateKey(KeyPair);

/// A key could not be made, read or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key can't be used: {0}")]
pub struct KeyError(String);

/// Who a certificate is to be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    common_name: String,
    organization: String,
    country: Option<String>,
}

impl Subject {
    /// The unique serial number of a station (A00.FR.511) and the name of its CPO (A02.FR.13).
    #[must_use]
    pub fn new(common_name: impl Into<String>, organization: impl Into<String>) -> Self {
        Self { common_name: common_name.into(), organization: organization.into(), country: None }
    }

    /// The country, two letters.
    #[must_use]
    pub fn country(self, country: impl Into<String>) -> Self {
        Self { country: Some(country.into()), ..self }
    }
}

impl PrivateKey {
    /// A new key for ECDSA on P-256, grown from the operating system's entropy.
    ///
    /// # Errors
    /// The system has no entropy to give.
    pub fn generate() -> Result<Self, KeyError> {
        KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map(Self).map_err(KeyError::from)
    }

    /// A key in PEM (PKCS #8, or as OpenSSL writes it), RSA among them.
    ///
    /// # Errors
    /// It is no key of a kind that is known.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        KeyPair::from_pem(text).map(Self).map_err(KeyError::from)
    }

    /// The key in PEM (PKCS #8). It is to be kept secret.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.0.serialize_pem()
    }

    /// A certificate signing request for this key, in PEM.
    ///
    /// # Errors
    /// The key can't sign.
    pub fn signing_request(&self, subject: &Subject) -> Result<String, KeyError> {
        let mut name = DistinguishedName::new();
        if let Some(country) = &subject.country {
            name.push(DnType::CountryName, country.as_str());
        }
        name.push(DnType::OrganizationName, subject.organization.as_str());
        name.push(DnType::CommonName, subject.common_name.as_str());
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = name;
        Ok(parameters.serialize_request(&self.0)?.pem()?)
    }

    /// What an authority signs with.
    pub(super) const fn pair(&self) -> &KeyPair {
        &self.0
    }

    /// The same for good.
    pub(super) fn into_pair(self) -> KeyPair {
        self.0
    }

    /// Whether a certificate is about this key.
    #[must_use]
    pub fn belongs_to(&self, certificate: &Certificate) -> bool {
        self.0.der_bytes() == certificate.public_key()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

impl From<rcgen::Error> for KeyError {
    fn from(error: rcgen::Error) -> Self {
        Self(error.to_string())
    }
}
