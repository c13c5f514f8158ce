//! The certificates that a station starts out with, and its answers about others.

use std::fs;
use std::path::Path;

use ocpp_core::pki::{self, Certificate, Subject};
use ocpp_core::station::{
    Answer, CertificateToJudge, RootCertificate, RootUse, SigningRequestWanted, StationCertificate, StationConfig,
};
use ocpp_core::time::Now;

use super::keys::{CONFIGURED, Keys};
use crate::config::Security;
use crate::error::StartError;

/// What the files of the configuration hold.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    roots: Vec<RootCertificate>,
    own: Option<StationCertificate>,
    /// The private key, in PEM.
    pub(super) key: Option<String>,
}

impl Credentials {
    /// Reads the files.
    ///
    /// # Errors
    /// One can't be read, or holds something else; the error says which.
    pub(super) fn read(security: &Security) -> Result<Self, StartError> {
        let mut roots = Vec::new();
        if let Some(file) = &security.ca {
            for root in certificates(file)? {
                let facts = pki::facts(&root, &root);
                roots.push(RootCertificate::new(RootUse::Csms, root.to_pem(), facts));
            }
        }
        let (own, key) = match (&security.certificate, &security.key) {
            (Some(certificate), Some(key)) => {
                let (chain, key) = (certificates(certificate)?, text(key)?);
                (own(&chain, &key, certificate)?, Some(key))
            }
            (None, None) => (None, None),
            _ => return Err(StartError::Configuration("give --certificate and --key together".to_owned())),
        };
        Ok(Self { roots, own, key })
    }

    /// Equips a station with them.
    pub(super) fn equip(&self, security: &Security, station: &mut StationConfig) {
        station.root_certificates.clone_from(&self.roots);
        station.station_certificate.clone_from(&self.own);
        station.secure_csms_url = security.csms.as_ref().map(ToString::to_string);
        if let Some(profile) = security.profile {
            station.settings.push(("SecurityProfile".into(), profile.to_string()));
        }
        if let Some(name) = &security.cpo_name {
            station.settings.push(("CpoName".into(), name.clone()));
        }
    }
}

fn text(file: &Path) -> Result<String, StartError> {
    fs::read_to_string(file)
        .map_err(|error| StartError::Configuration(format!("{} can't be read: {error}", file.display())))
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, StartError> {
    Certificate::chain_from_pem(&text(file)?)
        .map_err(|error| StartError::Configuration(format!("{}: {error}", file.display())))
}

fn own(chain: &[Certificate], key: &str, file: &Path) -> Result<Option<StationCertificate>, StartError> {
    let wrong = |what: String| StartError::Configuration(format!("{}: {what}", file.display()));
    let key = pki::PrivateKey::from_pem(key).map_err(|error| wrong(error.to_string()))?;
    let Some(first) = chain.first() else { return Ok(None) };
    if !key.belongs_to(first) {
        return Err(wrong("the first certificate is not that of --key".to_owned()));
    }
    let facts = pki::facts(first, chain.get(1).unwrap_or(first));
    let text = chain.iter().map(Certificate::to_pem).collect::<String>();
    Ok(Some(StationCertificate::new(text, CONFIGURED, facts)))
}

/// Makes a key and asks for a certificate of it.
pub(super) fn signing_request(keys: &mut Keys, wanted: &SigningRequestWanted) -> Answer {
    let made = keys.generate().map_err(|error| error.to_string()).and_then(|(name, key)| {
        let subject = Subject::new(&wanted.common_name, &wanted.organization);
        key.signing_request(&subject).map(|csr| (name, csr)).map_err(|error| error.to_string())
    });
    match made {
        Ok((key, csr)) => Answer::SigningRequest { csr, key },
        Err(error) => {
            tracing::error!("no key could be made: {error}");
            Answer::Failed
        }
    }
}

/// Judges a certificate that the CSMS sends.
pub(super) fn judge(keys: &Keys, question: &CertificateToJudge, now: Now) -> Answer {
    let key = match question {
        CertificateToJudge::Station { key, .. } => keys.key(key),
        _ => None,
    };
    pki::judge(question, key.as_ref(), now.utc)
}
