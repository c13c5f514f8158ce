//! `DataTransfer` in both directions (2.1 part 2, block P).

use alloc::string::String;

use ocpp_types::v2_1::{DataTransferRequest, DataTransferResponse, DataTransferStatusEnumType};
use ocpp_types::{Text, encode};

use crate::station::Station;
use crate::station::dialect::Answered;
use crate::station::vendor_messages::{VendorAnswer, VendorMessage, VendorStatus};

/// P02
pub(super) fn request(message: &VendorMessage) -> DataTransferRequest {
    let mut request = DataTransferRequest::new(Text::truncated(&message.vendor_id));
    request.message_id = message.message_id.as_deref().map(Text::truncated);
    request.data.clone_from(&message.data);
    request
}

pub(super) fn answered(answer: DataTransferResponse) -> VendorAnswer {
    let status = match answer.status {
        DataTransferStatusEnumType::Accepted => VendorStatus::Accepted,
        DataTransferStatusEnumType::UnknownMessageId => VendorStatus::UnknownMessageId,
        DataTransferStatusEnumType::UnknownVendorId => VendorStatus::UnknownVendorId,
        // An unknown word is no acceptance.
        _ => VendorStatus::Rejected,
    };
    VendorAnswer { data: answer.data, ..VendorAnswer::new(status) }
}

/// P01
pub(super) fn ask(station: &Station, request: DataTransferRequest) -> Answered {
    if !station.knows_vendor(&request.vendor_id) {
        // P01.FR.05
        return Answered::Now(answer(&VendorAnswer::new(VendorStatus::UnknownVendorId)));
    }
    Answered::VendorMessage(VendorMessage {
        vendor_id: request.vendor_id.into_string(),
        message_id: request.message_id.map(Text::into_string),
        data: request.data,
    })
}

pub(in crate::station) fn answer(answer: &VendorAnswer) -> String {
    let mut response = DataTransferResponse::new(match answer.status {
        VendorStatus::Accepted => DataTransferStatusEnumType::Accepted,
        VendorStatus::Rejected => DataTransferStatusEnumType::Rejected,
        VendorStatus::UnknownMessageId => DataTransferStatusEnumType::UnknownMessageId,
        VendorStatus::UnknownVendorId => DataTransferStatusEnumType::UnknownVendorId,
    });
    response.data.clone_from(&answer.data);
    encode(&response)
}
