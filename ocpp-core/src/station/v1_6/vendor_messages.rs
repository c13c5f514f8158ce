//! `DataTransfer` in both directions (1.6 edition 2, 4.3, 5.6).

use alloc::string::String;

use ocpp_types::v1_6::{DataTransferRequest, DataTransferResponse, DataTransferStatus};
use ocpp_types::{Text, encode};

use crate::station::Station;
use crate::station::dialect::Answered;
use crate::station::vendor_messages::{VendorAnswer, VendorMessage, VendorStatus, from_text, to_text};

pub(super) fn request(message: &VendorMessage) -> DataTransferRequest {
    let mut request = DataTransferRequest::new(Text::truncated(&message.vendor_id));
    request.message_id = message.message_id.as_deref().map(Text::truncated);
    request.data = message.data.as_ref().map(to_text);
    request
}

pub(super) fn answered(answer: DataTransferResponse) -> VendorAnswer {
    let status = match answer.status {
        DataTransferStatus::Accepted => VendorStatus::Accepted,
        DataTransferStatus::UnknownMessageId => VendorStatus::UnknownMessageId,
        DataTransferStatus::UnknownVendorId => VendorStatus::UnknownVendorId,
        // An unknown word is no acceptance.
        _ => VendorStatus::Rejected,
    };
    VendorAnswer { data: answer.data.as_deref().and_then(from_text), ..VendorAnswer::new(status) }
}

/// Whose messages nobody knows are answered at once; the integrator answers the others.
pub(super) fn ask(station: &Station, request: DataTransferRequest) -> Answered {
    if !station.knows_vendor(&request.vendor_id) {
        return Answered::Now(answer(&VendorAnswer::new(VendorStatus::UnknownVendorId)));
    }
    Answered::VendorMessage(VendorMessage {
        vendor_id: request.vendor_id.into_string(),
        message_id: request.message_id.map(Text::into_string),
        data: request.data.as_deref().and_then(from_text),
    })
}

pub(in crate::station) fn answer(answer: &VendorAnswer) -> String {
    let mut response = DataTransferResponse::new(match answer.status {
        VendorStatus::Accepted => DataTransferStatus::Accepted,
        VendorStatus::Rejected => DataTransferStatus::Rejected,
        VendorStatus::UnknownMessageId => DataTransferStatus::UnknownMessageId,
        VendorStatus::UnknownVendorId => DataTransferStatus::UnknownVendorId,
    });
    response.data = answer.data.as_ref().map(to_text);
    encode(&response)
}
