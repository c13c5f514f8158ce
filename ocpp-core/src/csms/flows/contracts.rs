//! Contract certificates for EVs (M01, M02): asked of a provider once, handed out one after the other.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};

use ocpp_types::v2_1::{
    CertificateActionEnumType, Get15118EVCertificateRequest, Get15118EVCertificateResponse,
    Iso15118EVCertificateStatusEnumType,
};
use ocpp_types::{Text, Version};

use super::question::{ContractAnswer, ContractRequest};

/// How many EVs' contracts are kept until they are fetched.
const MAX_EVS: usize = 16;

/// What makes requests the same: those of ISO 15118-20 come again until all contracts are fetched (M01.FR.06).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::csms) struct ContractKey {
    exi_request: String,
    maximum: i64,
}

impl ContractKey {
    /// `None` where one response is all that is wanted (ISO 15118-2).
    pub(super) fn of(request: &Get15118EVCertificateRequest) -> Option<Self> {
        let maximum = request.maximum_contract_certificate_chains?;
        Some(Self { exi_request: request.exi_request.to_string(), maximum })
    }
}

/// Contracts that an EV has not fetched yet.
#[derive(Debug, Default)]
pub(in crate::csms) struct Contracts(VecDeque<(ContractKey, VecDeque<String>)>);

impl Contracts {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The next one of an EV that has some.
    pub(super) fn next(&mut self, key: &ContractKey) -> Option<Get15118EVCertificateResponse> {
        let place = self.0.iter().position(|(kept, _)| kept == key)?;
        let (_, rest) = self.0.get_mut(place)?;
        let exi = rest.pop_front()?;
        let remaining = rest.len();
        if remaining == 0 {
            self.0.remove(place);
        }
        Some(response(&exi, Some(remaining)))
    }

    /// The provider's answer: the first contract goes out, the others are kept.
    pub(super) fn answer(
        &mut self,
        key: Option<ContractKey>,
        answer: Option<ContractAnswer>,
        version: Option<Version>,
    ) -> Get15118EVCertificateResponse {
        let mut responses: VecDeque<String> = match answer {
            Some(ContractAnswer::Responses(responses)) => responses.into(),
            Some(ContractAnswer::Failed { exi_response }) => return failed(&exi_response),
            None => return failed(""),
        };
        if version == Some(Version::V2_0_1) {
            // What doesn't fit can't be cut.
            responses.retain(|exi| exi.len() <= 5_600);
        }
        let Some(key) = key else {
            return responses.pop_front().map_or_else(|| failed(""), |exi| response(&exi, None));
        };
        responses.truncate(usize::try_from(key.maximum).unwrap_or(0).max(1));
        let Some(first) = responses.pop_front() else { return failed("") };
        // M01.FR.04
        let reply = response(&first, Some(responses.len()));
        if !responses.is_empty() {
            if self.0.len() >= MAX_EVS {
                self.0.pop_front();
            }
            self.0.push_back((key, responses));
        }
        reply
    }
}

fn response(exi: &str, remaining: Option<usize>) -> Get15118EVCertificateResponse {
    // What doesn't fit can't be cut.
    let Ok(exi) = Text::new(exi) else { return failed("") };
    let mut response = Get15118EVCertificateResponse::new(Iso15118EVCertificateStatusEnumType::Accepted, exi);
    response.remaining_contracts = remaining.and_then(|remaining| i64::try_from(remaining).ok());
    response
}

fn failed(exi: &str) -> Get15118EVCertificateResponse {
    let exi = Text::new(exi).unwrap_or_else(|_| Text::truncated(""));
    Get15118EVCertificateResponse::new(Iso15118EVCertificateStatusEnumType::Failed, exi)
}

/// What the provider is told.
pub(super) fn read(request: &Get15118EVCertificateRequest) -> ContractRequest {
    ContractRequest {
        schema_version: request.iso15118_schema_version.to_string(),
        update: request.action == CertificateActionEnumType::Update,
        exi_request: request.exi_request.to_string(),
        maximum_chains: request.maximum_contract_certificate_chains,
        prioritized_emaids: request.prioritized_emai_ds.iter().flatten().map(ToString::to_string).collect(),
    }
}
