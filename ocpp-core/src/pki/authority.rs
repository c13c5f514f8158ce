//! An authority of one's own: a root, an issuing certificate under it, and the certificates of stations under that (2.1 part 2,
//! A02, A03; 1.6 security, 2.6.2).

use core::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertificateSigningRequestParams,
    DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber,
};

use super::{Certificate, CertificateError, PrivateKey, SubjectError, check_station_certificate};

/// How long a chain may be that CertificateSigned carries, in characters.
pub const MAX_CHAIN: usize = 10_000;

/// Signs the certificates of stations. The clock and the random numbers are the caller's.
pub struct Authority {
    root: Certificate,
    issuing: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// From when until when something is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// From when on. A station whose clock is a little late refuses what begins now (A02.FR.06): let it begin earlier.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// A random number that names a certificate: unique for the authority (RFC 5280, 4.1.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial([u8; 16]);

impl Serial {
    /// A number from random bytes.
    #[must_use]
    pub const fn from_random(mut bytes: [u8; 16]) -> Self {
        // Positive, and never shorter.
        bytes[0] = bytes[0] & 0x3F | 0x40;
        Self(bytes)
    }
}

impl fmt::Display for Serial {
    /// Hexadecimal digits, as OCPP writes serial numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a station may be given.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Terms<'a> {
    /// The common name that the request must have: the station's serial number or identity (A00.FR.511), or its SeccId.
    pub common_name: &'a str,
    /// The organisation that the request must name (A00.FR.509); `None` where any will do.
    pub organization: Option<&'a str>,
    /// How long the certificate is good; cut at the end of the authority's own.
    pub validity: Validity,
    /// What names it.
    pub serial: Serial,
    /// How long the chain may be, in characters: the station's MaxCertificateChainSize, at most [`MAX_CHAIN`].
    pub max_chain: usize,
}

impl<'a> Terms<'a> {
    /// For a station of this name, with the longest chain that the standard allows.
    #[must_use]
    pub const fn new(common_name: &'a str, organization: &'a str, validity: Validity, serial: Serial) -> Self {
        Self { common_name, organization: Some(organization), validity, serial, max_chain: MAX_CHAIN }
    }
}

/// A signed certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// PEM: the station's certificate, then the issuing one. The root is the station's already.
    pub chain: String,
    /// The station's certificate.
    pub certificate: Certificate,
}

/// Why an authority can't be made or loaded: its configuration is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// A certificate can't be read.
    #[error("a certificate of the authority can't be read: {0}")]
    Certificate(#[from] CertificateError),
    /// The key is another one than the issuing certificate's: give the one that belongs to it.
    #[error("the key does not belong to the issuing certificate")]
    OtherKey,
    /// Signing failed.
    #[error("the authority can't sign: {0}")]
    Signing(String),
}

/// Why a request is not signed. All but the last two are the station's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// It is no PKCS #10 request in PEM, or its signature is not that of its key.
    #[error("the request can't be read, or was not signed by its own key: {0}")]
    Unreadable(String),
    /// The common name is missing or another station's.
    #[error("the request is for {found:?}, not for {expected}")]
    CommonName {
        /// What it should be.
        expected: String,
        /// What it is.
        found: Option<String>,
    },
    /// The organisation is missing or another one.
    #[error("the request names the organisation {found:?}, not {expected}")]
    Organization {
        /// What it should be.
        expected: String,
        /// What it is.
        found: Option<String>,
    },
    /// The certificate would not be one for a station, or its key is too weak.
    #[error("it would not be the certificate of a station: {0}")]
    Subject(#[from] SubjectError),
    /// The chain is longer than the station takes.
    #[error("the chain has {length} characters, the station takes {max}")]
    TooLong {
        /// How long it is.
        length: usize,
        /// How long it may be.
        max: usize,
    },
    /// The authority can't sign.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

impl Authority {
    /// A new authority: a root with this key, which can be put away after that, and an issuing certificate under it.
    ///
    /// # Errors
    /// A key can't sign.
    pub fn create(
        organization: &str,
        root_key: &PrivateKey,
        issuing_key: PrivateKey,
        validity: Validity,
        serials: [Serial; 2],
    ) -> Result<Self, AuthorityError> {
        let [root_serial, issuing_serial] = serials;
        let root = authority(organization, "Root CA", validity, root_serial, BasicConstraints::Constrained(1));
        let root_pem = root.self_signed(root_key.pair())?.pem();
        let root_issuer = Issuer::from_params(&root, root_key.pair());
        let issuing = authority(organization, "Issuing CA", validity, issuing_serial, BasicConstraints::Constrained(0));
        let issuing_pem = issuing.signed_by(issuing_key.pair(), &root_issuer)?.pem();
        Self::load(&root_pem, &issuing_pem, issuing_key)
    }

    /// An authority that exists: PEM of its root and of its issuing certificate, and the issuing key.
    ///
    /// # Errors
    /// What can't be read, or doesn't belong together.
    pub fn load(root: &str, issuing: &str, issuing_key: PrivateKey) -> Result<Self, AuthorityError> {
        let (root, issuing_certificate) = (Certificate::from_pem(root)?, Certificate::from_pem(issuing)?);
        if !issuing_key.belongs_to(&issuing_certificate) {
            return Err(AuthorityError::OtherKey);
        }
        let issuer = Issuer::from_ca_cert_pem(issuing, issuing_key.into_pair())?;
        Ok(Self { root, issuing: issuing_certificate, issuer })
    }

    /// The root: what stations' certificates are verified by.
    #[must_use]
    pub const fn root(&self) -> &Certificate {
        &self.root
    }

    /// The issuing certificate.
    #[must_use]
    pub const fn issuing(&self) -> &Certificate {
        &self.issuing
    }

    /// Signs a request (PKCS #10, PEM) if it is one for this station. Nothing of it gets into the certificate but its key and its
    /// names, which were checked.
    ///
    /// # Errors
    /// What is wrong with the request, or with the authority.
    pub fn sign(&self, request: &str, terms: &Terms<'_>) -> Result<Issued, RequestError> {
        // Reading verifies the signature: who asks has the key.
        let request = CertificateSigningRequestParams::from_pem(request)
            .map_err(|error| RequestError::Unreadable(error.to_string()))?;
        let name = &request.params.distinguished_name;
        let found = text(name, &DnType::CommonName);
        if found.as_deref() != Some(terms.common_name) {
            return Err(RequestError::CommonName { expected: terms.common_name.into(), found });
        }
        let organization = text(name, &DnType::OrganizationName);
        if let Some(expected) = terms.organization
            && organization.as_deref() != Some(expected)
        {
            return Err(RequestError::Organization { expected: expected.into(), found: organization });
        }
        let organization = organization.unwrap_or_default();
        let until = terms.validity.until.min(self.issuing.not_after());
        let validity = Validity { from: terms.validity.from, until };
        let mut parameters = named(&organization, terms.common_name, validity, terms.serial);
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        parameters.use_authority_key_identifier_extension = true;
        let signed = parameters.signed_by(&request.public_key, &self.issuer).map_err(AuthorityError::from)?;
        let certificate = Certificate::from_der(signed.der()).map_err(AuthorityError::from)?;
        // A00.FR.501, A00.FR.502, A00.FR.503
        check_station_certificate(&certificate, terms.organization)?;
        let chain = signed.pem() + &self.issuing.to_pem();
        let max = terms.max_chain.min(MAX_CHAIN);
        if chain.len() > max {
            return Err(RequestError::TooLong { length: chain.len(), max });
        }
        Ok(Issued { chain, certificate })
    }

    /// A list of what is good no more, PEM. Its number grows from list to list.
    ///
    /// # Errors
    /// The key can't sign.
    pub fn revocation_list(
        &self,
        revoked: &[(Serial, Timestamp)],
        number: u64,
        validity: Validity,
    ) -> Result<String, AuthorityError> {
        let revoked = revoked.iter().map(|(serial, at)| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&serial.0),
            revocation_time: system_time(*at).into(),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: system_time(validity.from).into(),
            next_update: system_time(validity.until).into(),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(&self.issuer)?.pem()?)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("root", &self.root).field("issuing", &self.issuing).finish_non_exhaustive()
    }
}

impl From<rcgen::Error> for AuthorityError {
    fn from(error: rcgen::Error) -> Self {
        Self::Signing(error.to_string())
    }
}

fn named(organization: &str, common_name: &str, validity: Validity, serial: Serial) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::OrganizationName, organization);
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    parameters.not_before = system_time(validity.from).into();
    parameters.not_after = system_time(validity.until).into();
    parameters.serial_number = Some(SerialNumber::from_slice(&serial.0));
    parameters
}

fn authority(
    organization: &str,
    role: &str,
    validity: Validity,
    serial: Serial,
    constraints: BasicConstraints,
) -> CertificateParams {
    let mut parameters = named(organization, &format!("{organization} {role}"), validity, serial);
    parameters.is_ca = IsCa::Ca(constraints);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

/// Seconds are all that a certificate has.
fn system_time(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0))
}

fn text(name: &DistinguishedName, kind: &DnType) -> Option<String> {
    match name.get(kind)? {
        DnValue::Utf8String(text) => Some(text.clone()),
        DnValue::PrintableString(text) => Some(text.as_str().to_owned()),
        DnValue::Ia5String(text) => Some(text.as_str().to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ChainError, Purpose, RevocationList, Subject, verify_chain};
    use super::*;

    const CPO: &str = "Example CPO";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn years() -> Validity {
        Validity { from: at("2026-01-01T00:00:00Z"), until: at("2036-01-01T00:00:00Z") }
    }

    fn one_year() -> Validity {
        Validity { from: at("2026-11-20T10:00:00Z"), until: at("2027-11-20T10:00:00Z") }
    }

    fn serial(byte: u8) -> Serial {
        Serial::from_random([byte; 16])
    }

    fn authority() -> Authority {
        let (root, issuing) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
        Authority::create(CPO, &root, issuing, years(), [serial(1), serial(2)]).unwrap()
    }

    fn request(common_name: &str, organization: &str) -> (PrivateKey, String) {
        let key = PrivateKey::generate().unwrap();
        let request = key.signing_request(&Subject::new(common_name, organization)).unwrap();
        (key, request)
    }

    fn verify(issued: &Issued, authority: &Authority, revoked: &[RevocationList]) -> Result<(), ChainError> {
        let chain = Certificate::chain_from_pem(&issued.chain).unwrap();
        let roots = [authority.root().clone()];
        verify_chain(&chain, &roots, at("2026-12-01T00:00:00Z"), Purpose::Station, revoked)
    }

    /// A02.FR.04, A03.FR.04: the authority that stands ready where there is no other.
    #[test]
    fn a_stations_certificate_is_signed_and_leads_to_the_root() {
        let authority = authority();
        let (key, request) = request("CS-1", CPO);
        let issued = authority.sign(&request, &Terms::new("CS-1", CPO, one_year(), serial(3))).unwrap();
        assert!(key.belongs_to(&issued.certificate));
        assert_eq!(issued.certificate.common_name(), Some("CS-1"));
        assert_eq!(issued.certificate.not_after(), one_year().until);
        assert_eq!(issued.certificate.serial_number(), serial(3).to_string());
        assert_eq!(verify(&issued, &authority, &[]), Ok(()));
        assert!(verify(&issued, &self::authority(), &[]).is_err(), "another root");
    }

    #[test]
    fn what_is_signed_ends_with_its_authority() {
        let authority = authority();
        let forever = Validity { from: years().from, until: at("2099-01-01T00:00:00Z") };
        let issued = authority.sign(&request("CS-1", CPO).1, &Terms::new("CS-1", CPO, forever, serial(3))).unwrap();
        assert_eq!(issued.certificate.not_after(), years().until);
    }

    /// A00.FR.509, A00.FR.511
    #[test]
    fn a_request_for_another_name_is_refused() {
        let authority = authority();
        let sign = |request: &str| authority.sign(request, &Terms::new("CS-1", CPO, one_year(), serial(3)));
        assert!(matches!(sign(&request("CS-2", CPO).1), Err(RequestError::CommonName { .. })));
        assert!(matches!(sign(&request("CS-1", "Other").1), Err(RequestError::Organization { .. })));
        assert!(matches!(sign("nonsense"), Err(RequestError::Unreadable(_))));
        let (_, address) = request("10.0.0.1", CPO);
        let terms = Terms::new("10.0.0.1", CPO, one_year(), serial(3));
        assert_eq!(authority.sign(&address, &terms), Err(RequestError::Subject(SubjectError::Address)));
    }

    #[test]
    fn a_request_that_its_key_did_not_sign_is_refused() {
        let (_, text) = request("CS-1", CPO);
        let mut block = pem::parse(&text).unwrap().into_contents();
        // The last byte of the signature.
        *block.last_mut().unwrap() ^= 1;
        let forged = pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", block));
        let result = authority().sign(&forged, &Terms::new("CS-1", CPO, one_year(), serial(3)));
        assert!(matches!(result, Err(RequestError::Unreadable(_))));
    }

    #[test]
    fn a_chain_that_the_station_does_not_take_is_not_signed() {
        let mut terms = Terms::new("CS-1", CPO, one_year(), serial(3));
        terms.max_chain = 500;
        let result = authority().sign(&request("CS-1", CPO).1, &terms);
        assert!(matches!(result, Err(RequestError::TooLong { max: 500, .. })));
    }

    #[test]
    fn what_is_on_the_list_is_good_no_more() {
        let authority = authority();
        let sign = |byte| authority.sign(&request("CS-1", CPO).1, &Terms::new("CS-1", CPO, one_year(), serial(byte)));
        let (revoked, good) = (sign(3).unwrap(), sign(4).unwrap());
        let list = authority.revocation_list(&[(serial(3), one_year().from)], 1, one_year()).unwrap();
        let list = [RevocationList::parse(list.as_bytes()).unwrap()];
        assert!(verify(&revoked, &authority, &list).is_err());
        assert_eq!(verify(&good, &authority, &list), Ok(()));
    }

    #[test]
    fn an_authority_is_loaded_with_the_key_that_belongs_to_it() {
        let (root_key, key) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
        let pem = key.to_pem();
        let made = Authority::create(CPO, &root_key, key, years(), [serial(1), serial(2)]).unwrap();
        let (root, issuing) = (made.root().to_pem(), made.issuing().to_pem());
        let loaded = Authority::load(&root, &issuing, PrivateKey::from_pem(&pem).unwrap()).unwrap();
        let terms = Terms::new("CS-1", CPO, one_year(), serial(3));
        let issued = loaded.sign(&request("CS-1", CPO).1, &terms).unwrap();
        assert_eq!(verify(&issued, &made, &[]), Ok(()));
        let other = Authority::load(&root, &issuing, PrivateKey::generate().unwrap());
        assert!(matches!(other, Err(AuthorityError::OtherKey)));
    }
}
