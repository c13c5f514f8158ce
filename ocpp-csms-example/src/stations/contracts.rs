//! The provider of what ISO 15118 needs and no CSMS has of its own: contract certificates (M01, M02) and revocation status (M06, M07).
//!
//! Pools of contracts and responders have interfaces of their own; a small service in front of them speaks this one. It is asked by
//! `POST {url}/contracts` with the members of Get15118EVCertificate, and answers `{"responses": ["base64", …]}`, the best first, or
//! `{"failed": "base64"}`; and by `POST {url}/certificate-status` with what names a certificate and its responder, and answers
//! `{"ocsp_result": "base64 of the DER"}` or `{}`. By `POST {url}/certificate-chain-status` it is asked after the certificates of a chain,
//! `{"certificates": [{…, "source": "OCSP" or "CRL", "urls": [...]}, …]}`, and answers `{"statuses": […]}` with one for each, in their order:
//! `{"status": "Good", "Revoked" or "Unknown", "next_update": "RFC 3339"}` of a responder, `{"revoked": ["serial number", …],
//! "next_update": …}` of a list, `{}` where nobody could be asked.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ocpp_core::csms::flows::{
    CertificateHash, ChainStatus, ChainStatusRequest, ContractAnswer, ContractRequest, OcspRequest, OcspStatus,
};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

/// Less than the station's question may go unanswered.
const TIMEOUT: Duration = Duration::from_secs(8);
/// The most that an answer may have, in bytes.
const MAX_ANSWER: usize = 256 * 1024;

/// The provider, if there is one.
#[derive(Debug)]
pub(super) struct Contracts(Option<(Url, reqwest::Client)>);

/// Why the provider gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ContractsError {
    #[error("no provider of contracts is set: name one with contract_provider")]
    NoProvider,
    #[error("the provider of contracts: {0}")]
    Http(#[from] reqwest::Error),
    #[error("the provider of contracts answered with more than {MAX_ANSWER} bytes")]
    TooLong,
    #[error("the provider of contracts answered with what is not understood: {0}")]
    Answer(#[from] serde_json::Error),
    #[error("the provider of contracts answered with what is no base64")]
    Base64,
}

#[derive(Deserialize)]
struct Pool {
    #[serde(default)]
    responses: Vec<String>,
    #[serde(default)]
    failed: String,
}

#[derive(Deserialize)]
struct Responder {
    ocsp_result: Option<String>,
}

#[derive(Deserialize)]
struct Chain {
    statuses: Vec<Link>,
}

/// What is known of one certificate of a chain.
#[derive(Deserialize)]
struct Link {
    status: Option<String>,
    revoked: Option<Vec<String>>,
    next_update: Option<Timestamp>,
}

impl From<Link> for ChainStatus {
    fn from(link: Link) -> Self {
        let Some(next_update) = link.next_update else { return Self::Failed };
        let status = match (link.status.as_deref(), link.revoked) {
            (None, Some(revoked)) => return Self::Crl { revoked, next_update },
            (Some("Good"), None) => OcspStatus::Good,
            (Some("Revoked"), None) => OcspStatus::Revoked,
            (Some("Unknown"), None) => OcspStatus::Unknown,
            _ => return Self::Failed,
        };
        Self::Ocsp { status, next_update }
    }
}

/// What names a certificate.
fn name(certificate: &CertificateHash) -> Value {
    json!({
        "algorithm": certificate.algorithm, "issuer_name_hash": certificate.issuer_name,
        "issuer_key_hash": certificate.issuer_key, "serial_number": certificate.serial_number,
    })
}

impl Contracts {
    pub(super) fn new(url: Option<Url>) -> Self {
        // A client without settings that could be wrong.
        let client = || reqwest::Client::builder().timeout(TIMEOUT).build().unwrap_or_default();
        Self(url.map(|url| (url, client())))
    }

    /// What the pool has for a vehicle.
    pub(super) async fn contract(&self, request: &ContractRequest) -> Result<ContractAnswer, ContractsError> {
        let body = json!({
            "schema_version": request.schema_version, "action": if request.update { "Update" } else { "Install" },
            "exi_request": request.exi_request, "maximum_contract_certificate_chains": request.maximum_chains,
            "prioritized_emaids": request.prioritized_emaids,
        });
        let Pool { responses, failed } = serde_json::from_slice(&self.ask("contracts", &body).await?)?;
        Ok(match responses.is_empty() {
            false => ContractAnswer::Responses(responses),
            true => ContractAnswer::Failed { exi_response: failed },
        })
    }

    /// What the responder of a certificate says, DER.
    pub(super) async fn status(&self, request: &OcspRequest) -> Result<Option<Vec<u8>>, ContractsError> {
        let OcspRequest { certificate, responder_url } = request;
        let mut body = name(certificate);
        body["responder_url"] = json!(responder_url);
        let Responder { ocsp_result } = serde_json::from_slice(&self.ask("certificate-status", &body).await?)?;
        ocsp_result.map(|text| STANDARD.decode(text).map_err(|_| ContractsError::Base64)).transpose()
    }

    /// What responders and lists say of the certificates of a chain, in their order.
    pub(super) async fn chain_status(
        &self,
        requests: &[ChainStatusRequest],
    ) -> Result<Vec<ChainStatus>, ContractsError> {
        let certificates: Vec<Value> = requests
            .iter()
            .map(|request| {
                let mut certificate = name(&request.certificate);
                certificate["source"] = json!(request.source);
                certificate["urls"] = json!(request.urls);
                certificate
            })
            .collect();
        let answer = self.ask("certificate-chain-status", &json!({"certificates": certificates})).await?;
        let Chain { statuses } = serde_json::from_slice(&answer)?;
        // Of a list that was asked for, no responder's word is taken, and the reverse.
        let mut statuses = statuses.into_iter().map(ChainStatus::from);
        let checked = requests.iter().map(|request| match (&*request.source, statuses.next()) {
            ("CRL", Some(status @ ChainStatus::Crl { .. })) | ("OCSP", Some(status @ ChainStatus::Ocsp { .. })) => {
                status
            }
            _ => ChainStatus::Failed,
        });
        Ok(checked.collect())
    }

    async fn ask(&self, what: &str, body: &Value) -> Result<Vec<u8>, ContractsError> {
        let (url, client) = self.0.as_ref().ok_or(ContractsError::NoProvider)?;
        let url = format!("{}/{what}", url.as_str().trim_end_matches('/'));
        let mut response = client.post(url).json(body).send().await?.error_for_status()?;
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            answer.extend_from_slice(&chunk);
            if answer.len() > MAX_ANSWER {
                return Err(ContractsError::TooLong);
            }
        }
        Ok(answer)
    }
}
