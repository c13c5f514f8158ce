//! Which concern reads which message: calls of the station that only 2.x knows, and the station's answers to calls of the CSMS.

use alloc::boxed::Box;
use alloc::string::String;

use ocpp_types::ErrorCode;
use ocpp_types::v2_1::StationRequest;

use super::event::Event;
use super::message::RequestMessage;
use super::mirrors::Mirror;
use super::session::Session;
use crate::rpc::IncomingId;

impl Session {
    /// A call of the station that a concern reads by itself. Each is answered here, once.
    pub(super) fn handle_message(&mut self, id: IncomingId, action: String, message: RequestMessage, payload: String) {
        match message {
            #[cfg(feature = "v1_6")]
            RequestMessage::V1_6(_) => self.refuse_unsupported(id),
            RequestMessage::V2(request) => match *request {
                StationRequest::NotifyEvent(request) => {
                    let mut changed = false;
                    for event in &request.event_data {
                        changed |= self.mirrors.device_model.notice(event);
                    }
                    self.take_note(id, Event::Notification { action, payload });
                    if changed {
                        self.event(Event::MirrorChanged(Mirror::DeviceModel));
                    }
                    for connector in request.event_data.iter().filter_map(super::v2::availability_state) {
                        self.event(Event::ConnectorStatus(Box::new(connector)));
                    }
                }
                StationRequest::NotifyReport(request) => self.receive_report(id, request),
                StationRequest::ReservationStatusUpdate(request) => self.receive_reservation_status(id, &request),
                // What is answered with nothing but an empty object.
                StationRequest::BatterySwap(_)
                | StationRequest::ClearedChargingLimit(_)
                | StationRequest::ClosePeriodicEventStream(_)
                | StationRequest::NotifyChargingLimit(_)
                | StationRequest::NotifyCustomerInformation(_)
                | StationRequest::NotifyDERAlarm(_)
                | StationRequest::NotifyDERStartStop(_)
                | StationRequest::NotifyDisplayMessages(_)
                | StationRequest::NotifyMonitoringReport(_)
                | StationRequest::NotifyPriorityCharging(_)
                | StationRequest::PublishFirmwareStatusNotification(_)
                | StationRequest::ReportChargingProfiles(_)
                | StationRequest::ReportDERControl(_) => {
                    self.take_note(id, Event::Notification { action, payload });
                }
                _ => self.refuse_unsupported(id),
            },
        }
    }

    fn refuse_unsupported(&mut self, id: IncomingId) {
        self.refuse(id, ErrorCode::NotSupported, "this CSMS does not do that");
    }
}
