//! What takes one call only, and means more than its status.

use alloc::string::String;

use alloc::vec::Vec;

use ocpp_types::Version;
use serde::{Deserialize, Serialize};

use super::call::{FlowAnswer, FlowCall};
use super::certificates::{CertificateHash, InstalledCertificate};
use super::flow::{Completion, FlowEnd};
use super::installed::Certificates;
use super::steps::{Context, Next, Steps};

/// A call whose answer is the end. It waits for nothing else, so that a restored one is always interrupted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Single {
    #[serde(skip)]
    call: Option<FlowCall>,
}

impl Single {
    pub(super) const fn new(call: FlowCall) -> Self {
        Self { call: Some(call) }
    }
}

impl Steps for Single {
    fn begin(&mut self, _: &mut Context<'_>) -> Next {
        match &self.call {
            Some(call) => Next::Call(call.clone()),
            None => Next::End(FlowEnd::Interrupted),
        }
    }

    fn answered(&mut self, answer: FlowAnswer, _: &mut Context<'_>) -> Next {
        let accepted = match &self.call {
            // L04.FR.02
            Some(FlowCall::UnpublishFirmware { .. }) => "Unpublished",
            _ => "Accepted",
        };
        match answer {
            FlowAnswer::EventStreams(streams) => Next::End(FlowEnd::Completed(Completion::EventStreams(streams))),
            FlowAnswer::Status { status, .. } if status == accepted => Next::End(FlowEnd::Completed(Completion::Done)),
            // L04.FR.03, L04.FR.04
            answer => Next::refused(answer),
        }
    }

    fn overdue(&mut self, _: &mut Context<'_>) -> Next {
        Next::End(FlowEnd::Interrupted)
    }
}

/// Which certificates are installed (M03). 1.6 answers for one kind at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Listing {
    kinds: Vec<String>,
    /// The kinds that are still to be asked for, in 1.6; the first is under way.
    rest: Vec<String>,
    found: Vec<InstalledCertificate>,
    /// To be deleted when it is found (M04).
    deletes: Option<CertificateHash>,
    deleting: bool,
}

pub(super) const KINDS_OF_1_6: [&str; 2] = ["CentralSystemRootCertificate", "ManufacturerRootCertificate"];

impl Listing {
    pub(super) const fn new(kinds: Vec<String>) -> Self {
        Self { kinds, rest: Vec::new(), found: Vec::new(), deletes: None, deleting: false }
    }

    pub(super) const fn delete(certificate: CertificateHash) -> Self {
        Self { kinds: Vec::new(), rest: Vec::new(), found: Vec::new(), deletes: Some(certificate), deleting: false }
    }

    fn ask(&self) -> Next {
        Next::Call(FlowCall::InstalledCertificates(match self.rest.first() {
            Some(kind) => Vec::from([kind.clone()]),
            None => self.kinds.clone(),
        }))
    }

    /// M04.FR.07: a certificate is deleted by the hashes that the station gave it, with the algorithm that it uses.
    /// 1.6 security, M04.FR.07: in the words in which the station told it
    fn delete_known(&mut self, hash: CertificateHash, certificates: &Certificates) -> Next {
        if !certificates.has(&hash) {
            return Next::not_allowed("the station has no certificate with these hashes");
        }
        self.deleting = true;
        Next::Call(FlowCall::DeleteCertificate(hash))
    }
}

impl Steps for Listing {
    fn begin(&mut self, context: &mut Context<'_>) -> Next {
        if let Some(hash) = self.deletes.take() {
            if context.certificates.complete {
                return self.delete_known(hash, context.certificates);
            }
            self.deletes = Some(hash);
        }
        if context.version == Some(Version::V1_6) {
            self.rest = if self.kinds.is_empty() { KINDS_OF_1_6.map(String::from).into() } else { self.kinds.clone() };
        }
        self.ask()
    }

    fn answered(&mut self, answer: FlowAnswer, context: &mut Context<'_>) -> Next {
        match answer {
            FlowAnswer::Certificates(certificates) => {
                let kind = (!self.rest.is_empty()).then(|| self.rest.remove(0));
                self.found.extend(certificates.into_iter().map(|mut certificate| {
                    if let Some(kind) = &kind {
                        certificate.kind.clone_from(kind);
                    }
                    certificate
                }));
                if !self.rest.is_empty() {
                    return self.ask();
                }
                match self.deletes.take() {
                    Some(hash) => self.delete_known(hash, context.certificates),
                    None => {
                        let found = core::mem::take(&mut self.found);
                        Next::End(FlowEnd::Completed(Completion::Certificates(found)))
                    }
                }
            }
            FlowAnswer::Status { status, .. } if self.deleting && status == "Accepted" => {
                Next::End(FlowEnd::Completed(Completion::Done))
            }
            answer => Next::refused(answer),
        }
    }

    fn overdue(&mut self, _: &mut Context<'_>) -> Next {
        Next::End(FlowEnd::Interrupted)
    }
}
