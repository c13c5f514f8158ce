//! An authority of this installation: its root, and the certificate of the server, which is renewed every few hours.
//!
//! The certificate of the server names its host (1.6 security, A00.FR.510).

use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ocpp_core::pki;
use ocpp_core::transport::CertificateAndKey;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};

/// How long the root is valid.
const ROOT: Duration = Duration::from_secs(20 * 365 * 24 * 3600);
/// How long a certificate of the server is valid: less than a day, so that nobody needs to ask whether it was revoked (A00.FR.701;
/// 1.6 security, A00.FR.701).
const SERVER: Duration = Duration::from_secs(23 * 3600);
/// Clocks of stations differ by so much.
const TOLERANCE: Duration = Duration::from_secs(3600);

/// The authority of this installation cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file of it cannot be read or written.
    #[error("the certificate authority of this installation: {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What its files hold is no authority.
    #[error(
        "the certificate authority of this installation in {folder} is damaged: {source}; restore it from a backup, or remove the \
         folder, and every station has to trust the new one"
    )]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        source: rcgen::Error,
    },
    /// What signs for stations cannot be used.
    #[error(
        "the issuing certificate in {folder} cannot be used: {error}; restore issuing.pem and issuing.key from a backup, or remove both, \
         and others are made"
    )]
    Issuing {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        error: String,
    },
    /// A name of the server can be none.
    #[error("{0:?} can be no name of a server")]
    Name(String),
}

/// The root of this installation, with its key.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: String,
    organization: String,
}

impl Authority {
    /// The certificate that stations and browsers have to trust.
    pub(super) fn root(folder: &Path) -> PathBuf {
        folder.join("ca.pem")
    }

    /// Whether it is time for a new certificate of the server.
    pub(super) fn is_half_used(folder: &Path) -> bool {
        let written = std::fs::metadata(folder.join("server.pem")).and_then(|file| file.modified());
        let age = written.ok().and_then(|written| SystemTime::now().duration_since(written).ok());
        age.is_none_or(|age| age > SERVER / 2)
    }

    /// Reads the authority of a folder, or makes it.
    pub(super) fn open(folder: &Path, organization: &str) -> Result<Self, AuthorityError> {
        let damaged = |source| AuthorityError::Damaged { folder: folder.to_owned(), source };
        let (root_file, key_file) = (Self::root(folder), folder.join("ca.key"));
        let (root, key) = if root_file.exists() {
            (read(&root_file)?, KeyPair::from_pem(&read(&key_file)?).map_err(damaged)?)
        } else {
            std::fs::create_dir_all(folder)
                .map_err(|source| AuthorityError::File { path: folder.to_owned(), source })?;
            let key = KeyPair::generate().map_err(damaged)?;
            let mut parameters = parameters("OCPP CSMS root", organization, ROOT);
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            let root = parameters.self_signed(&key).map_err(damaged)?.pem();
            // The key first: a root without its key would be of no use at the next start.
            write_secret(&key_file, &key.serialize_pem())?;
            write(&root_file, &root)?;
            (root, key)
        };
        let issuer = Issuer::from_ca_cert_pem(&root, key).map_err(damaged)?;
        Ok(Self { issuer, root, organization: organization.to_owned() })
    }

    /// What signs for stations: an issuing certificate under the root, made when it is needed first.
    pub(super) fn stations(&self, folder: &Path) -> Result<pki::Authority, AuthorityError> {
        let damaged = |source| AuthorityError::Damaged { folder: folder.to_owned(), source };
        let unusable = |error: String| AuthorityError::Issuing { folder: folder.to_owned(), error };
        let (issuing_file, key_file) = (folder.join("issuing.pem"), folder.join("issuing.key"));
        if !issuing_file.exists() {
            let key = KeyPair::generate().map_err(damaged)?;
            let name = format!("{} issuing", self.organization);
            let mut parameters = parameters(&name, &self.organization, ROOT / 2);
            parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            let issuing = parameters.signed_by(&key, &self.issuer).map_err(damaged)?;
            write_secret(&key_file, &key.serialize_pem())?;
            write(&issuing_file, &issuing.pem())?;
        }
        let key = pki::PrivateKey::from_pem(&read(&key_file)?).map_err(|error| unusable(error.to_string()))?;
        pki::Authority::load(&self.root, &read(&issuing_file)?, key).map_err(|error| unusable(error.to_string()))
    }

    pub(super) fn root_pem(&self) -> &str {
        &self.root
    }

    /// A new certificate of the server. The first name is its common name (A00.FR.510); all of them are subjectAltNames, which browsers
    /// want and the standard allows for a server (A00.FR.511).
    pub(super) fn server(&self, folder: &Path, names: &[String]) -> Result<CertificateAndKey, AuthorityError> {
        let damaged = |source| AuthorityError::Damaged { folder: folder.to_owned(), source };
        let common_name = names.first().map_or("localhost", String::as_str);
        let mut parameters = parameters(common_name, &self.organization, SERVER);
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.subject_alt_names = names
            .iter()
            .map(|name| match name.parse::<IpAddr>() {
                Ok(address) => Ok(SanType::IpAddress(address)),
                Err(_) => {
                    name.as_str().try_into().map(SanType::DnsName).map_err(|_| AuthorityError::Name(name.clone()))
                }
            })
            .collect::<Result<_, _>>()?;
        let key = KeyPair::generate().map_err(damaged)?;
        let certificate = parameters.signed_by(&key, &self.issuer).map_err(damaged)?;
        // For whoever wants to look at it; its key never leaves the process.
        write(&folder.join("server.pem"), &certificate.pem())?;
        Ok(CertificateAndKey::new(certificate.pem(), key.serialize_pem()))
    }
}

fn parameters(common_name: &str, organization: &str, validity: Duration) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::OrganizationName, organization);
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    let from = SystemTime::now() - TOLERANCE;
    parameters.not_before = from.into();
    parameters.not_after = (from + validity).into();
    parameters
}

fn read(path: &Path) -> Result<String, AuthorityError> {
    std::fs::read_to_string(path).map_err(|source| AuthorityError::File { path: path.to_owned(), source })
}

fn write(path: &Path, text: &str) -> Result<(), AuthorityError> {
    std::fs::write(path, text).map_err(|source| AuthorityError::File { path: path.to_owned(), source })
}

/// A file that only its owner reads (A00.FR.603; 1.6 security, A00.FR.602).
fn write_secret(path: &Path, text: &str) -> Result<(), AuthorityError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written =
        options.open(path).and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|source| AuthorityError::File { path: path.to_owned(), source })
}
