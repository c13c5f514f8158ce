//! Which concern reads which message: calls of the station that only 2.x knows, and the station's answers to calls of the CSMS.

use alloc::boxed::Box;
use alloc::string::String;

use ocpp_types::ErrorCode;
#[cfg(feature = "v1_6")]
use ocpp_types::v1_6;
use ocpp_types::v2_1::StationRequest;

use super::event::Event;
use super::message::RequestMessage;
use super::mirrors::Mirror;
use super::session::Session;
use crate::rpc::IncomingId;
use crate::time::Now;

impl Session {
    /// A call of the station that a concern reads by itself. Each is answered here, once.
    pub(super) fn handle_message(
        &mut self,
        now: Now,
        id: IncomingId,
        action: String,
        message: RequestMessage,
        payload: String,
    ) {
        match message {
            #[cfg(feature = "v1_6")]
            RequestMessage::V1_6(request) => match *request {
                v1_6::StationRequest::SignCertificate(request) => self.ask_signing_v1_6(now, id, &request),
                _ => self.refuse_unsupported(id),
            },
            RequestMessage::V2(request) => {
                if let StationRequest::NotifyEVChargingNeeds(request) = &*request {
                    self.mirrors.charging_profiles.note_needs(request);
                }
                self.handle_v2(now, id, action, *request, payload);
            }
        }
    }

    fn handle_v2(&mut self, now: Now, id: IncomingId, action: String, request: StationRequest, payload: String) {
        match request {
            StationRequest::SignCertificate(request) => self.ask_signing(now, id, &request),
            StationRequest::Get15118EVCertificate(request) => self.ask_contract(now, id, &request),
            StationRequest::GetCertificateStatus(request) => self.ask_certificate_status(now, id, &request),
            StationRequest::GetCertificateChainStatus(request) => self.ask_chain_status(now, id, request),
            StationRequest::NotifyEVChargingNeeds(request) => self.ask_charging_needs(now, id, request),
            StationRequest::OpenPeriodicEventStream(request) => self.open_stream(id, &request),
            StationRequest::ClosePeriodicEventStream(request) => self.close_stream(id, request.id),
            StationRequest::NotifyMonitoringReport(request) => {
                self.take_monitors(request.monitor.as_deref().unwrap_or_default());
                // G05.FR.03
                self.take_note(id, Event::Notification { action, payload });
            }
            StationRequest::NotifyEvent(request) => {
                let mut changed = false;
                for event in &request.event_data {
                    changed |= self.mirrors.device_model.notice(event);
                }
                // N07.FR.03, N08.FR.02
                self.take_note(id, Event::Notification { action, payload });
                if changed {
                    self.event(Event::MirrorChanged(Mirror::DeviceModel));
                }
                self.tell_monitoring_events(&request);
                for connector in request.event_data.iter().filter_map(super::v2::availability_state) {
                    self.inquire_after_status(now, &connector);
                    self.event(Event::ConnectorStatus(Box::new(connector)));
                }
            }
            StationRequest::NotifyReport(request) => self.receive_report(id, request),
            StationRequest::ReservationStatusUpdate(request) => self.receive_reservation_status(id, &request),
            StationRequest::ReportChargingProfiles(request) => self.receive_charging_profiles(id, request),
            StationRequest::NotifyChargingLimit(request) => self.receive_charging_limit(id, request),
            StationRequest::ClearedChargingLimit(request) => self.receive_cleared_limit(id, &request),
            StationRequest::NotifyPriorityCharging(request) => self.receive_priority_charging(id, &request),
            StationRequest::NotifyEVChargingSchedule(request) => self.receive_ev_schedule(id, request),
            StationRequest::PullDynamicScheduleUpdate(request) => {
                self.receive_pull(now, id, request.charging_profile_id);
            }
            StationRequest::NotifyDisplayMessages(request) => {
                let messages = request.message_info.unwrap_or_default();
                self.mirrors.display_messages.report(&messages);
                let last = !request.tbc.unwrap_or(false);
                let request_id = request.request_id;
                self.take_note(id, Event::DisplayMessagesReported { request_id, last, messages });
                self.event(Event::MirrorChanged(Mirror::DisplayMessages));
            }
            StationRequest::ReportDERControl(request) => {
                self.take_note(id, Event::DERControlsReported(Box::new(request)));
            }
            StationRequest::NotifyDERAlarm(request) => self.take_note(id, Event::DERAlarm(Box::new(request))),
            StationRequest::NotifyDERStartStop(request) => {
                self.take_note(id, Event::DERStartStop(Box::new(request)));
            }
            StationRequest::BatterySwap(request) => self.take_note(id, Event::BatterySwap(Box::new(request))),
            // What is answered with nothing but an empty object.
            StationRequest::NotifyCustomerInformation(_) | StationRequest::PublishFirmwareStatusNotification(_) => {
                self.take_note(id, Event::Notification { action, payload });
            }
            _ => self.refuse_unsupported(id),
        }
    }

    fn refuse_unsupported(&mut self, id: IncomingId) {
        self.refuse(id, ErrorCode::NotSupported, "this CSMS does not do that");
    }
}
