//! The provider of what ISO 15118 needs and no CSMS has of its own: contract certificates (M01, M02) and their revocation status (M06).
//!
//! Pools of contracts and responders have interfaces of their own; a small service in front of them speaks this one. It is asked by
//! `POST {url}/contracts` with the members of Get15118EVCertificate, and answers `{"responses": ["base64", …]}`, the best first, or
//! `{"failed": "base64"}`; and by `POST {url}/certificate-status` with what names a certificate and its responder, and answers
//! `{"ocsp_result": "base64 of the DER"}` or `{}`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ocpp_core::csms::flows::{ContractAnswer, ContractRequest, OcspRequest};
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
        let body = json!({
            "algorithm": certificate.algorithm, "issuer_name_hash": certificate.issuer_name,
            "issuer_key_hash": certificate.issuer_key, "serial_number": certificate.serial_number,
            "responder_url": responder_url,
        });
        let Responder { ocsp_result } = serde_json::from_slice(&self.ask("certificate-status", &body).await?)?;
        ocsp_result.map(|text| STANDARD.decode(text).map_err(|_| ContractsError::Base64)).transpose()
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
