//! What a certificate says about its owner.

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

/// The subject of a certificate, as far as OCPP looks at it (A00.FR.509 to A00.FR.511).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Subject {
    /// `O`: the organizations that own it.
    pub organizations: Vec<String>,
    /// `CN`: the host of a server, the serial number of a station.
    pub common_names: Vec<String>,
    /// Whether it names hosts or addresses in a subjectAltName, which then count instead of the common name (RFC 6125, 6.4.4).
    pub has_alternative_names: bool,
    /// The last second in which it is valid, since 1970 (UTC).
    pub not_after: i64,
}

impl Subject {
    /// Reads a certificate in DER; `None` when it is none.
    #[must_use]
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let subject = certificate.subject();
        let texts = |values: &mut dyn Iterator<Item = &x509_parser::x509::AttributeTypeAndValue<'_>>| {
            values.filter_map(|value| value.as_str().ok()).map(str::to_owned).collect()
        };
        let alternatives = certificate.subject_alternative_name().ok()?;
        let names_host = |name: &GeneralName<'_>| matches!(name, GeneralName::DNSName(_) | GeneralName::IPAddress(_));
        Some(Self {
            organizations: texts(&mut subject.iter_organization()),
            common_names: texts(&mut subject.iter_common_name()),
            has_alternative_names: alternatives
                .is_some_and(|extension| extension.value.general_names.iter().any(names_host)),
            not_after: certificate.validity().not_after.timestamp(),
        })
    }
}
