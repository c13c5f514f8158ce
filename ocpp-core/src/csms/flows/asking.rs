//! What a station asks that somebody else must answer: read, put to the application, and answered; in time, or as is safe.
//!
//! It signs nothing itself: what is to be signed is put to an authority (A02.FR.04, A03.FR.04; 1.6 security, A02.FR.04,
//! 1.6 security, A03.FR.04).

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

#[cfg(feature = "v1_6")]
use ocpp_types::v1_6;
use ocpp_types::v2_1::{
    GenericStatusEnumType, Get15118EVCertificateRequest, GetCertificateChainStatusRequest, GetCertificateStatusRequest,
    NotifyEVChargingNeedsRequest, SignCertificateRequest, SignCertificateResponse,
};

use super::certificates::{CertificateHash, CertificatePurpose};
use super::contracts::{self, ContractKey};
use super::flow::{CertificateDelivery, FlowEnd};
use super::needs::{self, Needs};
use super::question::{OcspRequest, Signing, SigningRequest};
use super::revocation::{self, Check};
use super::state::FlowOperation;
use super::steps::Notice;
use crate::csms::event::Event;
use crate::csms::input::Answer;
use crate::csms::message::ReplyMessage;
use crate::csms::output::Question;
use crate::csms::request::Reply;
use crate::csms::session::Session;
use crate::csms::work::Asked;
use crate::rpc::IncomingId;
use crate::time::Now;

/// What a station waits to be told.
#[derive(Debug)]
pub(in crate::csms) enum Asking {
    Signing { purpose: CertificatePurpose, request_id: Option<i64>, v1_6: bool },
    Contract(Option<ContractKey>),
    CertificateStatus,
    ChainStatus(Vec<Check>),
    Needs(Needs),
}

/// What a station of 2.x asks a certificate for.
pub(super) fn purpose(request: &SignCertificateRequest) -> CertificatePurpose {
    match request.certificate_type.as_ref().map(|kind| kind.as_str()) {
        Some("ChargingStationCertificate") => CertificatePurpose::ChargingStation,
        Some("V2GCertificate") => CertificatePurpose::V2g,
        Some("V2G20Certificate") => CertificatePurpose::V2g20,
        _ => CertificatePurpose::Combined,
    }
}

impl Session {
    /// SignCertificate of 1.6.
    #[cfg(feature = "v1_6")]
    pub(in crate::csms) fn ask_signing_v1_6(
        &mut self,
        now: Now,
        id: IncomingId,
        request: &v1_6::SignCertificateRequest,
    ) {
        let purpose = CertificatePurpose::ChargingStation;
        let flow = self.operations.renewing(purpose);
        let csr = request.csr.to_string();
        let about = SigningRequest { csr, purpose, request_id: None, root: None, flow };
        let asking = Asking::Signing { purpose, request_id: None, v1_6: true };
        self.ask(now, id, Question::SignCertificate(about), Asked::Flow(asking));
    }

    /// SignCertificate (A02, A03).
    pub(in crate::csms) fn ask_signing(&mut self, now: Now, id: IncomingId, request: &SignCertificateRequest) {
        let purpose = purpose(request);
        let request_id = request.request_id;
        // A station that names no purpose may have been asked for any.
        let flow = self.operations.renewing(purpose);
        let root = request.hash_root_certificate.as_deref().map(CertificateHash::from);
        let about = SigningRequest { csr: request.csr.to_string(), purpose, request_id, root, flow };
        let asking = Asking::Signing { purpose, request_id, v1_6: false };
        self.ask(now, id, Question::SignCertificate(about), Asked::Flow(asking));
    }

    /// Get15118EVCertificate (M01, M02).
    pub(in crate::csms) fn ask_contract(&mut self, now: Now, id: IncomingId, request: &Get15118EVCertificateRequest) {
        let key = ContractKey::of(request);
        // M01.FR.07
        if let Some(response) = key.as_ref().and_then(|key| self.flows.contracts.next(key)) {
            return self.reply(id, &Reply::Message(ReplyMessage::v2(response)));
        }
        let about = Question::Contract(contracts::read(request));
        self.ask(now, id, about, Asked::Flow(Asking::Contract(key)));
    }

    /// GetCertificateStatus (M06.FR.01).
    pub(in crate::csms) fn ask_certificate_status(
        &mut self,
        now: Now,
        id: IncomingId,
        request: &GetCertificateStatusRequest,
    ) {
        let data = &request.ocsp_request_data;
        let certificate = CertificateHash {
            algorithm: data.hash_algorithm.to_string(),
            issuer_name: data.issuer_name_hash.to_string(),
            issuer_key: data.issuer_key_hash.to_string(),
            serial_number: data.serial_number.to_string(),
        };
        let about = OcspRequest { certificate, responder_url: data.responder_url.to_string() };
        self.ask(now, id, Question::CertificateStatus(about), Asked::Flow(Asking::CertificateStatus));
    }

    /// GetCertificateChainStatus: the application asks the responders (M07.FR.01) and fetches the lists (M07.FR.04).
    pub(in crate::csms) fn ask_chain_status(
        &mut self,
        now: Now,
        id: IncomingId,
        request: GetCertificateChainStatusRequest,
    ) {
        let (about, checks) = revocation::read(request);
        self.ask(now, id, Question::CertificateChainStatus(about), Asked::Flow(Asking::ChainStatus(checks)));
    }

    /// NotifyEVChargingNeeds (K15, K17, K18).
    pub(in crate::csms) fn ask_charging_needs(
        &mut self,
        now: Now,
        id: IncomingId,
        request: NotifyEVChargingNeedsRequest,
    ) {
        let evse = request.evse_id;
        let there = self.ledger.open().find(|(_, place)| place.is_some_and(|place| place.evse == evse));
        let transaction = there.map(|(transaction, _)| transaction.clone());
        let wire = transaction.as_ref().map(|transaction| self.ledger.wire_name(transaction).clone());
        let (about, needs) = needs::read(request, transaction, wire);
        self.ask(now, id, Question::ChargingNeeds(about), Asked::Flow(Asking::Needs(needs)));
    }

    /// The application answered, or did not in time.
    pub(in crate::csms) fn answer_asking(&mut self, now: Now, id: IncomingId, asking: Asking, answer: Option<Answer>) {
        match asking {
            Asking::Signing { purpose, request_id, v1_6 } => {
                let signing = match answer {
                    Some(Answer::Signing(signing)) => signing,
                    _ => Signing::Refused,
                };
                self.answer_signing(now, id, (purpose, request_id, v1_6), signing);
            }
            Asking::Contract(key) => {
                let answer = match answer {
                    Some(Answer::Contract(answer)) => Some(answer),
                    _ => None,
                };
                let version = self.connected();
                let response = self.flows.contracts.answer(key, answer, version);
                self.reply(id, &Reply::Message(ReplyMessage::v2(response)));
            }
            Asking::CertificateStatus => {
                let der = match answer {
                    Some(Answer::CertificateStatus(der)) => der,
                    _ => None,
                };
                self.reply(id, &Reply::Message(ReplyMessage::v2(revocation::status(der.as_deref(), self.connected()))));
            }
            Asking::ChainStatus(checks) => {
                let statuses = match answer {
                    Some(Answer::CertificateChainStatus(statuses)) => statuses,
                    _ => Vec::new(),
                };
                let response = revocation::chain_status(checks, statuses, now.utc);
                self.reply(id, &Reply::Message(ReplyMessage::v2(response)));
            }
            Asking::Needs(needs) => {
                let offer = match answer {
                    Some(Answer::ChargingNeeds(offer)) => Some(offer),
                    _ => None,
                };
                self.answer_needs(now, id, needs, offer);
            }
        }
    }

    fn answer_signing(
        &mut self,
        now: Now,
        id: IncomingId,
        (purpose, request_id, v1_6): (CertificatePurpose, Option<i64>, bool),
        signing: Signing,
    ) {
        // A02.FR.11, A02.FR.12, A03.FR.11, A03.FR.12; 1.6 security, A02.FR.11/12, 1.6 security, A03.FR.11/12
        let accepted = signing != Signing::Refused;
        self.reply(id, &Reply::Message(signing_reply(accepted, v1_6)));
        let renewed = self.operations.is_renewing(purpose);
        match signing {
            Signing::Signed { chain } if renewed => {
                self.tell_flows(now, &Notice::Signed { purpose, chain: Some(&chain) });
            }
            // A03: nobody waits but the station.
            Signing::Signed { chain } => {
                let delivery = CertificateDelivery { purpose, chain, request_id };
                // Where too much is under way, the station asks again (A03.FR.17).
                if let Err(outcome) = self.start(now, None, Box::new(FlowOperation::delivery(delivery))) {
                    let end = FlowEnd::CallFailed { action: "CertificateSigned".into(), outcome };
                    self.event(Event::CertificateDelivered { purpose, request_id, end });
                }
            }
            Signing::Refused if renewed => self.tell_flows(now, &Notice::Signed { purpose, chain: None }),
            Signing::Refused => {
                self.event(Event::CertificateDelivered { purpose, request_id, end: FlowEnd::NotSigned });
            }
            Signing::Later => {}
        }
    }
}

#[cfg(feature = "v1_6")]
fn signing_reply(accepted: bool, v1_6: bool) -> ReplyMessage {
    if !v1_6 {
        return signing_reply_v2(accepted);
    }
    let status = match accepted {
        true => v1_6::GenericStatusEnumType::Accepted,
        false => v1_6::GenericStatusEnumType::Rejected,
    };
    ReplyMessage::v1_6(v1_6::SignCertificateResponse::new(status))
}

#[cfg(not(feature = "v1_6"))]
fn signing_reply(accepted: bool, _: bool) -> ReplyMessage {
    signing_reply_v2(accepted)
}

fn signing_reply_v2(accepted: bool) -> ReplyMessage {
    let status = if accepted { GenericStatusEnumType::Accepted } else { GenericStatusEnumType::Rejected };
    ReplyMessage::v2(SignCertificateResponse::new(status))
}

/// What names a certificate, as the application is told.
impl From<&ocpp_types::v2_1::CertificateHashDataType> for CertificateHash {
    fn from(data: &ocpp_types::v2_1::CertificateHashDataType) -> Self {
        Self {
            algorithm: data.hash_algorithm.to_string(),
            issuer_name: String::from(data.issuer_name_hash.as_str()),
            issuer_key: String::from(data.issuer_key_hash.as_str()),
            serial_number: String::from(data.serial_number.as_str()),
        }
    }
}
