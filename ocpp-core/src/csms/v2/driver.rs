//! What drivers meet, as 2.x writes it: the local list, messages, tariffs, battery swaps (2.1 part 2, D, I, O, S).

use alloc::vec::Vec;

use ocpp_types::v2_1::{
    ChangeTransactionTariffRequest, ClearDisplayMessageRequest, ClearTariffsRequest, CsmsRequest,
    GetLocalListVersionRequest, GetTariffsRequest, RequestBatterySwapRequest, SetDefaultTariffRequest,
    SetDisplayMessageRequest,
};

use super::calls::{ACCEPTED, id_token};
use crate::csms::command::{CallOutcome, Command};
use crate::csms::dialect::AnswerForm;
use crate::csms::wire::bounded;

/// The call for one of these commands; any other is not in this version, or takes several calls.
pub(super) fn to_request(command: &Command) -> Result<(CsmsRequest, AnswerForm), CallOutcome> {
    Ok(match command {
        // D02
        Command::GetLocalListVersion => (GetLocalListVersionRequest::new().into(), AnswerForm::LocalListVersion),
        // O01.FR.04, O01.FR.05
        Command::SetDisplayMessage { message } => (SetDisplayMessageRequest::new((**message).clone()).into(), ACCEPTED),
        // O05
        Command::ClearDisplayMessage { id } => (ClearDisplayMessageRequest::new(*id).into(), ACCEPTED),
        // I07
        Command::SetDefaultTariff { evse, tariff } => {
            (SetDefaultTariffRequest::new(*evse, (**tariff).clone()).into(), ACCEPTED)
        }
        // I09
        Command::GetTariffs { evse } => (GetTariffsRequest::new(*evse).into(), AnswerForm::Tariffs),
        // I10
        Command::ClearTariffs { evse, tariffs } => {
            let ids: Vec<_> = tariffs.iter().map(|id| bounded("/tariffIds", id)).collect::<Result<_, _>>()?;
            let mut request = ClearTariffsRequest::new();
            request.tariff_ids = (!ids.is_empty()).then_some(ids);
            request.evse_id = *evse;
            (request.into(), AnswerForm::TariffsCleared)
        }
        // I11
        Command::ChangeTransactionTariff { transaction, tariff } => {
            let id = bounded("/transactionId", transaction.as_str())?;
            (ChangeTransactionTariffRequest::new((**tariff).clone(), id).into(), ACCEPTED)
        }
        // S02
        Command::RequestBatterySwap { token, authorization: _, request_id } => {
            (RequestBatterySwapRequest::new(id_token("/idToken", token)?, *request_id).into(), ACCEPTED)
        }
        _ => return Err(CallOutcome::NotSupported),
    })
}
