//! The certificates of a station, as far as its answers tell.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::call::{self, FlowAnswer};
use super::certificates::{CertificateHash, InstalledCertificate};
use super::single::KINDS_OF_1_6;
use crate::csms::message::{AnswerMessage, CallMessage};

/// How many certificates of a station are remembered.
const MAX_CERTIFICATES: usize = 1000;

/// What is installed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::csms) struct Certificates {
    /// Whether the station was asked for all kinds, and nothing unknown came since.
    pub(super) complete: bool,
    /// The kinds that 1.6 was asked for, one after the other.
    kinds: BTreeSet<String>,
    pub(super) installed: Vec<InstalledCertificate>,
}

impl Certificates {
    /// Whether the station reported this certificate.
    pub(super) fn has(&self, hash: &CertificateHash) -> bool {
        let mut known = self.installed.iter().flat_map(|one| core::iter::once(&one.hash).chain(&one.children));
        known.any(|known| known == hash)
    }

    /// Takes in what a call came to, whoever made it.
    pub(super) fn observe(&mut self, call: &CallMessage, answer: &AnswerMessage) {
        match call {
            #[cfg(feature = "v1_6")]
            CallMessage::V1_6(request) => match &**request {
                ocpp_types::v1_6::CsmsRequest::GetInstalledCertificateIds(request) => {
                    let kind = request.certificate_type.to_string();
                    self.listed(&[kind], answer);
                    self.complete = KINDS_OF_1_6.iter().all(|kind| self.kinds.contains(*kind));
                }
                ocpp_types::v1_6::CsmsRequest::InstallCertificate(_) if accepted(answer) => self.installed_another(),
                ocpp_types::v1_6::CsmsRequest::DeleteCertificate(request) if accepted(answer) => {
                    self.deleted(&super::v1_6::hash(request.certificate_hash_data.clone()));
                }
                _ => {}
            },
            CallMessage::V2(request) => match &**request {
                ocpp_types::v2_1::CsmsRequest::GetInstalledCertificateIds(request) => {
                    let kinds: Vec<String> =
                        request.certificate_type.iter().flatten().map(ToString::to_string).collect();
                    self.listed(&kinds, answer);
                    self.complete |= kinds.is_empty();
                }
                ocpp_types::v2_1::CsmsRequest::InstallCertificate(_) if accepted(answer) => self.installed_another(),
                ocpp_types::v2_1::CsmsRequest::DeleteCertificate(request) if accepted(answer) => {
                    self.deleted(&super::v2::hash(&request.certificate_hash_data));
                }
                _ => {}
            },
        }
    }

    fn listed(&mut self, kinds: &[String], answer: &AnswerMessage) {
        let FlowAnswer::Certificates(mut certificates) = call::read(answer.clone()) else { return };
        for certificate in &mut certificates {
            // 1.6 doesn't repeat what it was asked for.
            if let (true, [kind]) = (certificate.kind.is_empty(), kinds) {
                certificate.kind.clone_from(kind);
            }
        }
        self.installed.retain(|installed| !kinds.is_empty() && !kinds.contains(&installed.kind));
        self.kinds.extend(kinds.iter().cloned());
        let room = MAX_CERTIFICATES.saturating_sub(self.installed.len());
        self.installed.extend(certificates.into_iter().take(room));
    }

    /// What its hashes are is the station's to tell.
    fn installed_another(&mut self) {
        self.complete = false;
        self.kinds.clear();
    }

    fn deleted(&mut self, hash: &CertificateHash) {
        self.installed.retain(|installed| installed.hash != *hash);
    }
}

fn accepted(answer: &AnswerMessage) -> bool {
    matches!(call::read(answer.clone()), FlowAnswer::Status { status, .. } if status == "Accepted")
}
