//! One certificate and what it says.
//!
//! Certificates are X.509 in PEM (1.6 security, A00.FR.507).

use core::fmt;

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Name;

/// Label of a certificate in PEM.
const LABEL: &str = "CERTIFICATE";

/// An X.509 certificate, read once: what OCPP asks of it is at hand without an error.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    common_name: Option<String>,
    organization: Option<String>,
    dns_names: Vec<String>,
    subject: Vec<u8>,
    issuer: Vec<u8>,
    serial_number: String,
    not_before: Timestamp,
    not_after: Timestamp,
    key: KeyStrength,
    public_key: Vec<u8>,
    is_ca: bool,
}

/// Why something is no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The text has no PEM block that holds a certificate: expect `-----BEGIN CERTIFICATE-----`.
    #[error("there is no PEM encoded certificate")]
    NotPem,
    /// The bytes are no DER encoded X.509 certificate.
    #[error("this is no X.509 certificate: {0}")]
    NotX509(String),
}

/// Kind of a public key and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyStrength {
    /// RSA, length of the modulus in bits.
    Rsa(usize),
    /// Elliptic curve, size of the field in bits.
    EllipticCurve(usize),
    /// Anything else, DSA and GOST among it.
    Other,
}

impl KeyStrength {
    /// Whether the key is as strong as a symmetric one of 112 bits (A00.FR.501 to A00.FR.503): RSA of 2048 bits, elliptic curves of 224.
    #[must_use]
    pub const fn is_sufficient(self) -> bool {
        match self {
            Self::Rsa(bits) => bits >= 2_048,
            Self::EllipticCurve(bits) => bits >= 224,
            Self::Other => false,
        }
    }
}

impl Certificate {
    /// The first certificate of a PEM text.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        Self::chain_from_pem(text)?.into_iter().next().ok_or(CertificateError::NotPem)
    }

    /// All certificates of a PEM text in their order: in a chain as `CertificateSigned` carries it, the station's own comes first
    /// and each is followed by the one that signed it. At least one.
    ///
    /// # Errors
    /// There is none, or one can't be read.
    pub fn chain_from_pem(text: &str) -> Result<Vec<Self>, CertificateError> {
        let blocks = pem::parse_many(text).map_err(|_| CertificateError::NotPem)?;
        let chain = blocks
            .iter()
            .filter(|block| block.tag() == LABEL)
            .map(|block| Self::from_der(block.contents()))
            .collect::<Result<Vec<_>, _>>()?;
        if chain.is_empty() { Err(CertificateError::NotPem) } else { Ok(chain) }
    }

    /// A certificate in DER.
    ///
    /// # Errors
    /// It can't be read, or something follows it.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let (rest, parsed) =
            parse_x509_certificate(der).map_err(|error| CertificateError::NotX509(error.to_string()))?;
        if !rest.is_empty() {
            return Err(CertificateError::NotX509("something follows it".into()));
        }
        let subject = parsed.subject();
        Ok(Self {
            der: der.to_vec(),
            common_name: first(subject.iter_common_name().map(|name| name.as_str())),
            organization: first(subject.iter_organization().map(|name| name.as_str())),
            dns_names: dns_names(&parsed),
            subject: raw(subject),
            issuer: raw(parsed.issuer()),
            serial_number: serial_number(parsed.raw_serial()),
            not_before: timestamp(parsed.validity().not_before),
            not_after: timestamp(parsed.validity().not_after),
            key: match parsed.public_key().parsed() {
                Ok(PublicKey::RSA(key)) => KeyStrength::Rsa(key.key_size()),
                Ok(PublicKey::EC(point)) => KeyStrength::EllipticCurve(point.key_size()),
                // Ed25519 has no parameters of its own: 256 bits.
                _ if parsed.public_key().algorithm.algorithm == x509_parser::oid_registry::OID_SIG_ED25519 => {
                    KeyStrength::EllipticCurve(256)
                }
                _ => KeyStrength::Other,
            },
            public_key: parsed.public_key().subject_public_key.data.to_vec(),
            is_ca: parsed.is_ca(),
        })
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate in PEM with line feeds, as OCPP transmits it (A00.FR.507).
    #[must_use]
    pub fn to_pem(&self) -> String {
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        pem::encode_config(&pem::Pem::new(LABEL, self.der.clone()), config)
    }

    /// The subject's common name: the serial number of a station (A00.FR.511), the host name of a CSMS (A00.FR.510).
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// The subject's organisation: the CPO in a station's certificate (A00.FR.509).
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.organization.as_deref()
    }

    /// Host names among the alternative names.
    pub fn dns_names(&self) -> impl Iterator<Item = &str> {
        self.dns_names.iter().map(String::as_str)
    }

    /// The serial number in hexadecimal capitals without leading zeroes, as `CertificateHashDataType` writes it.
    #[must_use]
    pub fn serial_number(&self) -> &str {
        &self.serial_number
    }

    /// Valid from this instant on.
    #[must_use]
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Valid until this instant.
    #[must_use]
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Whether the period of validity includes this instant.
    #[must_use]
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// Kind and length of the public key.
    #[must_use]
    pub const fn key_strength(&self) -> KeyStrength {
        self.key
    }

    /// Whether the certificate may sign others.
    #[must_use]
    pub const fn is_ca(&self) -> bool {
        self.is_ca
    }

    /// The subject's name in DER.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        &self.subject
    }

    /// The issuer's name in DER.
    #[must_use]
    pub fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    /// The public key: the value of the bit string, without tag, length and the count of unused bits.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// Whether the certificate names itself as its issuer, as a root does.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether the issuer's key made this certificate's signature. Says nothing about the validity of either.
    #[must_use]
    pub fn is_signed_by(&self, issuer: &Self) -> bool {
        let (Ok((_, certificate)), Ok((_, issuing))) =
            (parse_x509_certificate(&self.der), parse_x509_certificate(&issuer.der))
        else {
            return false;
        };
        self.issuer == issuer.subject && certificate.verify_signature(Some(issuing.public_key())).is_ok()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("common_name", &self.common_name)
            .field("organization", &self.organization)
            .field("serial_number", &self.serial_number)
            .field("not_before", &self.not_before)
            .field("not_after", &self.not_after)
            .field("key", &self.key)
            .field("is_ca", &self.is_ca)
            .finish_non_exhaustive()
    }
}

fn first<'a, E>(mut names: impl Iterator<Item = Result<&'a str, E>>) -> Option<String> {
    names.find_map(Result::ok).map(str::to_owned)
}

fn raw(name: &X509Name<'_>) -> Vec<u8> {
    name.as_raw().to_vec()
}

fn dns_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let names = extension.value.general_names.iter();
    names
        .filter_map(|name| if let GeneralName::DNSName(name) = name { Some((*name).to_owned()) } else { None })
        .collect()
}

/// A point in time; those beyond the last one that can be told become that one.
fn timestamp(time: ASN1Time) -> Timestamp {
    Timestamp::from_second(time.timestamp()).unwrap_or(if time.timestamp() < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

fn serial_number(bytes: &[u8]) -> String {
    let text: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    match text.trim_start_matches('0') {
        "" => "0".to_owned(),
        number => number.to_owned(),
    }
}
