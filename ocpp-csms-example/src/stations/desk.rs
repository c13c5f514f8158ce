//! What this CSMS knows and decides about one station: the answers to its session's questions, and what becomes of its events.

use std::sync::Arc;

use jiff::Timestamp;
use ocpp_core::csms::flows::{
    CertificatePurpose, ChainStatus, ChargingOffer, ContractAnswer, MonitoringEvent, Signing, SigningRequest,
};
use ocpp_core::csms::{
    self, Answer, Authorization, AuthorizationStatus, DataTransferStatus, Event, Mirrors, Question, Receipt,
    RegistrationStatus, Snapshot, TransactionAnswer, TransactionLimit,
};
use ocpp_core::transport::SecurityProfile;
use ocpp_core::types::Version;

use super::live;
use super::notice::{Alert, What};
use super::registry::Stations;
use crate::access::judge;
use crate::ledger::Payer;
use crate::sessions::{self, Recorded, Recorder, State, Step, json};
use crate::store::{
    Connector, Identity, Known, Registration, ReservationState, SessionState, Station, StoreError, Transaction,
    end_reservation, put_connector, put_reservation, station_booted, station_connected,
};
use crate::tariffs::amount;

/// The desk of one station.
#[derive(Debug)]
pub(super) struct Desk {
    stations: Stations,
    station: Arc<str>,
    /// Its running transactions.
    known: Known,
}

/// What is kept of a station that arrives.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) station: Station,
    pub(super) snapshot: Option<Snapshot>,
    /// Whether the mirrors are kept by themselves already.
    pub(super) has_mirrors: bool,
    /// Whether something that it was asked for has not ended.
    pub(super) has_operations: bool,
}

fn snapshot(kept: SessionState) -> Result<Option<Snapshot>, serde_json::Error> {
    let Some(state) = kept.state else { return Ok(None) };
    let snapshot: Snapshot = serde_json::from_str(&state)?;
    Ok(Some(match kept.mirrors {
        Some(mirrors) => snapshot.with_mirrors(serde_json::from_str(&mirrors)?),
        None => snapshot,
    }))
}

/// Why a station cannot be served.
#[derive(Debug, thiserror::Error)]
pub(super) enum DeskError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the state of its session is not understood: {0}")]
    Snapshot(#[from] serde_json::Error),
    #[error("the operating system provides no random numbers: {0}")]
    Entropy(#[from] rand::rngs::SysError),
    #[error("the operator changed how it proves who it is")]
    Changed,
}

impl Desk {
    pub(super) fn new(stations: Stations, station: Arc<str>) -> Self {
        Self { stations, station, known: Known::default() }
    }

    /// The station, and the state of its session as it was last kept.
    pub(super) async fn arrived(&self) -> Result<Arrival, DeskError> {
        let store = self.stations.store();
        let (station, kept) = store.station_with_state(&self.station).await?.ok_or(DeskError::Changed)?;
        let (has_mirrors, has_operations) = (kept.mirrors.is_some(), kept.has_operations);
        Ok(Arrival { station, snapshot: snapshot(kept)?, has_mirrors, has_operations })
    }

    /// The state of the session as it was last kept.
    pub(super) async fn snapshot(&self) -> Result<Option<Snapshot>, DeskError> {
        Ok(snapshot(self.stations.store().session_state(&self.station).await?)?)
    }

    /// Decides once more whether a station may connect as it was admitted, and keeps that it did. `now` is the station as it is kept at
    /// this moment, if that was read already.
    ///
    /// From now on a lower security profile than the one with which it came is not enough (A05.FR.07; 1.6 security, A05.FR.09), unless
    /// its profile is 0 or nobody decided.
    pub(super) async fn confirm(
        &self,
        admitted: &Station,
        now: Option<Station>,
        profile: SecurityProfile,
        version: Version,
    ) -> Result<Station, DeskError> {
        let store = self.stations.store();
        let station = match now {
            Some(station) => station,
            None => store.station(&self.station).await?.ok_or(DeskError::Changed)?,
        };
        if (station.security_profile, &station.password_hash) != (admitted.security_profile, &admitted.password_hash) {
            return Err(DeskError::Changed);
        }
        if station.security_profile.is_some_and(|kept| kept > 0 && kept < profile.number()) {
            tracing::info!(station = %self.station, "the station changed over to security profile {profile}");
            store.raise_security_profile(&self.station, profile.number()).await?;
        }
        let mut unit = store.later_unit();
        station_connected(&mut unit, &self.station, version, Timestamp::now());
        self.stations.notifications().commit(unit, &self.station, &What::Connected { version }).await?;
        Ok(station)
    }

    /// A registration with the interval that the configuration gives it.
    pub(super) fn registration(&self, registration: Registration) -> csms::Registration {
        let config = self.stations.config();
        match registration {
            Registration::Accepted => csms::Registration::accepted(config.heartbeat_interval),
            Registration::Pending => csms::Registration::pending(config.boot_retry_interval),
            Registration::Rejected => csms::Registration::rejected(config.boot_retry_interval),
        }
    }

    /// Keeps facts for good, together with the state of the session, and tells what they mean.
    ///
    /// The answer is what the station is to be told about the transaction.
    pub(super) async fn keep(&self, events: &[Event], state: State<'_>) -> Result<TransactionAnswer, StoreError> {
        let Self { stations, station, known } = self;
        let recorder = Recorder {
            store: stations.store(),
            tariffs: stations.tariffs(),
            zone: &stations.config().time_zone,
            notifications: stations.notifications(),
        };
        let recorded = recorder.record(station, known, events, state).await?;
        if !recorded.is_empty() {
            stations.notifications().wake();
        }
        for event in events {
            self.observe(event).await;
        }
        let mut answer = TransactionAnswer::default();
        for Recorded { step, transaction } in recorded {
            // C20.FR.03, E16.FR.11, I02.FR.01, I03.FR.02: the cost while it goes on and in the end; nothing was charged at the start.
            answer.total_cost = (step != Step::Started).then(|| amount(transaction.cost, transaction.currency));
            answer.limit = self.limit(&transaction).await?;
            let told = events.iter().find_map(|event| match event {
                Event::TransactionStarted(event)
                | Event::TransactionUpdated(event)
                | Event::TransactionEnded(event) => (event.transaction.as_str() == transaction.id).then_some(&**event),
                _ => None,
            });
            self.stations.update(&self.station, |live| {
                live.session(&transaction, told);
                false
            });
            self.stations.notify(&self.station, step.told(transaction));
        }
        Ok(answer)
    }

    /// What a transaction may cost at most: what is set aside for it (C17.FR.03, C25.FR.24).
    async fn limit(&self, transaction: &Transaction) -> Result<Option<TransactionLimit>, StoreError> {
        if transaction.payer().is_none() || transaction.stopped_at.is_some() {
            return Ok(None);
        }
        let session = self.stations.store().prepaid_session_of(&self.station, &transaction.id).await?;
        Ok(session.and_then(|session| session.state).map(|state| {
            let mut limit = TransactionLimit::default();
            limit.max_cost = Some(amount(state.limit(), state.currency()));
            limit
        }))
    }

    /// Keeps the state of the session alone.
    pub(super) async fn keep_state(&self, state: State<'_>) -> bool {
        let result = self.keep(&[], state).await.map(drop);
        let is_kept = result.is_ok();
        self.kept("the state of its session", result);
        is_kept
    }

    /// Keeps the mirrors alone.
    pub(super) async fn keep_mirrors(&self, mirrors: &Mirrors) {
        let kept = match json(mirrors) {
            Ok(mirrors) => self.stations.store().put_mirrors(&self.station, &mirrors).await,
            Err(error) => Err(error),
        };
        self.kept("what is known of the station", kept);
    }

    /// Takes in what the station reported, and logs what is wrong with it.
    pub(super) async fn observe(&self, event: &Event) {
        let station = &self.station;
        let visible = self.stations.update(station, |live| live.observe(event));
        crate::maintenance::observe(self.stations.store(), station, event).await;
        // A connector that was not taken in is one too many.
        if visible || !matches!(event, Event::ConnectorStatus(_)) {
            self.stations.faults().observe(&self.stations, station, event).await;
        }
        self.stations.site_watch().observe(station, event);
        match event {
            Event::Booted(boot) => self.booted(boot).await,
            // One that was not taken in is one too many.
            Event::ConnectorStatus(status) if visible => self.connector_changed(status).await,
            Event::Reserved(reservation) => {
                let what = What::Reserved { reservation: reservation.id, evse: reservation.evse };
                let kept = async {
                    let mut unit = self.stations.store().unit().await?;
                    put_reservation(&mut unit, station, reservation, Timestamp::now()).await?;
                    self.stations.notifications().commit(unit, station, &what).await
                };
                self.kept("a reservation", kept.await);
                self.stations.notify(station, what);
            }
            Event::ReservationCancelled { reservation } => {
                self.reservation_ended(*reservation, ReservationState::Cancelled).await;
            }
            Event::ReservationEnded { reservation, status } => {
                self.reservation_ended(*reservation, ReservationState::of_update(status)).await;
            }
            Event::SecurityEvent { kind, at, detail } => {
                tracing::warn!(%station, kind, %at, detail, "the station reports a security event");
            }
            Event::FirmwareStatus { status, .. } => {
                self.tell(What::Firmware { status: status.clone() }).await;
            }
            Event::LogStatus { status, .. } => self.tell(What::Log { status: status.clone() }).await,
            Event::Monitored(event) => self.tell(What::Alert(Box::new(alert(event)))).await,
            Event::TransactionIncomplete(gaps) => {
                tracing::warn!(%station, transaction = %gaps.transaction, missing = ?gaps.missing, "messages are lost");
            }
            Event::CertificateDelivered { purpose, end, .. } => {
                tracing::info!(%station, ?purpose, ?end, "the station was handed its certificate");
            }
            Event::CertificateRenewed { purpose, end } => {
                tracing::info!(%station, ?purpose, ?end, "the renewal of the station's expired certificate ended");
            }
            Event::NotAccepted { action, registration } => {
                tracing::warn!(%station, action, ?registration, "refused: the station is not accepted");
            }
            _ => {}
        }
        // What is told of these was kept with the state of the conversation.
        if let Some(what) = What::of_record(event) {
            self.stations.notify(station, what);
        }
    }

    /// Tells of something of which nothing else is kept, so that who wants to know is told whatever happens.
    async fn tell(&self, what: What) {
        let notifications = self.stations.notifications();
        self.kept("what is to be told", notifications.commit(notifications.alone(), &self.station, &what).await);
        self.stations.notify(&self.station, what);
    }

    async fn reservation_ended(&self, reservation: i64, state: ReservationState) {
        let what = What::ReservationEnded { reservation, state: state.to_string() };
        let kept = async {
            let mut unit = self.stations.store().unit().await?;
            end_reservation(&mut unit, &self.station, reservation, state, Timestamp::now()).await?;
            self.stations.notifications().commit(unit, &self.station, &what).await
        };
        self.kept("the end of a reservation", kept.await);
        self.stations.notify(&self.station, what);
    }

    fn kept(&self, what: &str, result: Result<(), StoreError>) {
        if let Err(error) = result {
            tracing::error!(station = %self.station, %error, "{what} cannot be kept");
        }
    }

    async fn connector_changed(&self, status: &csms::ConnectorStatus) {
        let (evse, connector) = live::place(status);
        let kept = Connector {
            station: self.station.to_string(),
            evse,
            connector,
            status: status.status.clone(),
            error: status.error.clone(),
            since: status.at,
        };
        let (store, tariffs) = (self.stations.store(), self.stations.tariffs());
        self.kept(
            "whether a vehicle takes energy",
            sessions::connector_changed(store, tariffs, &self.station, &self.known, evse, &status.status, status.at)
                .await,
        );
        let what = What::Connector { evse: status.place.map(|place| place.evse), status: kept.status.clone() };
        let mut unit = self.stations.store().later_unit();
        put_connector(&mut unit, &kept);
        let kept = self.stations.notifications().commit(unit, &self.station, &what).await;
        self.kept("the state of a connector", kept);
        self.stations.notify(&self.station, what);
    }

    async fn booted(&self, boot: &csms::Boot) {
        let identity = Identity {
            vendor: boot.vendor.clone(),
            model: boot.model.clone(),
            serial_number: boot.serial_number.clone(),
            firmware_version: boot.firmware_version.clone(),
        };
        let registration = match boot.registration {
            RegistrationStatus::Accepted => Registration::Accepted,
            RegistrationStatus::Pending => Registration::Pending,
            RegistrationStatus::Rejected => Registration::Rejected,
        };
        let product = format!("{} {}", boot.vendor, boot.model);
        let what = What::Booted { product, registration };
        let mut unit = self.stations.store().later_unit();
        station_booted(&mut unit, &self.station, &identity, Timestamp::now());
        let kept = self.stations.notifications().commit(unit, &self.station, &what).await;
        self.kept("what the station said about itself", kept);
        self.stations.notify(&self.station, what);
    }

    /// The answer to a question; without one the session gives the safe answer in a while.
    pub(super) async fn answer(&self, about: Question) -> Option<Answer> {
        match about {
            // No contracts are checked here, so a contract's certificates count as not verified (C07.FR.17).
            Question::Authorize { token }
            | Question::AuthorizeContract { token, .. }
            | Question::Transaction { token, .. } => match self.judge_or_prepaid(&token.id).await {
                Ok(authorization) => Some(Answer::Authorization(authorization)),
                Err(error) => {
                    tracing::error!(station = %self.station, %error, "a token cannot be judged");
                    Some(Answer::Authorization(Authorization::new(AuthorizationStatus::Invalid)))
                }
            },
            Question::Cost { transaction } => {
                let store = self.stations.store();
                match store.transaction(&self.station, transaction.as_str()).await {
                    Ok(transaction) => {
                        let mut answer = TransactionAnswer::default();
                        answer.total_cost = transaction.map(|known| amount(known.cost, known.currency));
                        Some(Answer::Transaction(answer))
                    }
                    Err(error) => {
                        tracing::error!(station = %self.station, %error, "the cost of a transaction cannot be told");
                        None
                    }
                }
            }
            // K15.FR.05: its site plans for the vehicle, and sends the profile then.
            Question::ChargingNeeds(needs) => {
                self.stations.site_watch().needs(&self.station, &needs);
                let offer = match self.stations.store().is_in_site(&self.station).await {
                    Ok(true) => ChargingOffer::Processing,
                    Ok(false) => ChargingOffer::None,
                    Err(error) => {
                        tracing::error!(station = %self.station, %error, "nobody can say whether a site plans for the vehicle");
                        ChargingOffer::None
                    }
                };
                Some(Answer::ChargingNeeds(offer))
            }
            // Nobody is asked about VAT numbers here.
            Question::VatNumber { .. } => Some(Answer::VatNumber { valid: false, company: None }),
            // Without an answer the station tells it again.
            Question::Settlement(settlement) => {
                let kept = self.stations.store().put_settlement(&self.station, &settlement).await;
                let answer = kept.is_ok().then(|| Answer::Receipt(Receipt::default()));
                self.kept("a settlement", kept);
                answer
            }
            // No vendor's messages are known here.
            Question::DataTransfer { .. } => {
                Some(Answer::DataTransfer { status: DataTransferStatus::UnknownVendorId, data: None })
            }
            Question::SignCertificate(request) => Some(Answer::Signing(self.sign(&request).await)),
            // M01, M02
            Question::Contract(request) => {
                let answer = self.stations.contracts().contract(&request).await.unwrap_or_else(|error| {
                    tracing::warn!(station = %self.station, "no contract certificate: {error}");
                    ContractAnswer::Failed { exi_response: String::new() }
                });
                Some(Answer::Contract(answer))
            }
            // M06
            Question::CertificateStatus(request) => {
                let answer = self.stations.contracts().status(&request).await.unwrap_or_else(|error| {
                    tracing::warn!(station = %self.station, "no revocation status: {error}");
                    None
                });
                Some(Answer::CertificateStatus(answer))
            }
            // M07
            Question::CertificateChainStatus(requests) => {
                let statuses = self.stations.contracts().chain_status(&requests).await.unwrap_or_else(|error| {
                    tracing::warn!(station = %self.station, "no revocation status of a chain: {error}");
                    vec![ChainStatus::Failed; requests.len()]
                });
                Some(Answer::CertificateChainStatus(statuses))
            }
            // What is planned for a site is sent as profiles.
            Question::DynamicSchedule { .. } => Some(Answer::DynamicSchedule(None)),
            other => {
                tracing::error!(station = %self.station, question = ?other, "an unknown question");
                None
            }
        }
    }

    /// The authority of this installation signs for the connection to it, and for nothing else (A02.FR.04, A03.FR.04).
    async fn sign(&self, request: &SigningRequest) -> Signing {
        let station = &self.station;
        if !matches!(request.purpose, CertificatePurpose::ChargingStation | CertificatePurpose::Combined) {
            tracing::warn!(%station, purpose = ?request.purpose, "not signed: there is no authority for this");
            return Signing::Refused;
        }
        let known = match self.stations.store().station(station).await {
            Ok(known) => known,
            Err(error) => {
                tracing::error!(%station, %error, "not signed: what it may be called is not known");
                return Signing::Refused;
            }
        };
        // A00.FR.511: the serial number, as the operator entered it or the station told; or its identity.
        let (entered, told) = match known {
            Some(known) => (known.certificate_name, known.identity.and_then(|identity| identity.serial_number)),
            None => (None, None),
        };
        let serial_number = entered.or(told);
        let names: Vec<&str> = serial_number.as_deref().into_iter().chain([&**station]).collect();
        match self.stations.signer().sign(&request.csr, &names, Timestamp::now()) {
            Ok(chain) => {
                tracing::info!(%station, "a certificate was signed");
                Signing::Signed { chain }
            }
            Err(error) => {
                tracing::warn!(%station, "a certificate was not signed: {error}");
                Signing::Refused
            }
        }
    }

    /// A token that was made for a session that is paid for is accepted, and not kept by the station (C17.FR.01).
    async fn judge_or_prepaid(&self, token: &str) -> Result<Authorization, StoreError> {
        if token.starts_with('Q') && self.stations.store().is_prepaid(&self.station, token).await? {
            let mut accepted = Authorization::accepted();
            accepted.cache_expires_at = Some(Timestamp::now());
            return Ok(accepted);
        }
        self.judge(token).await
    }

    /// Whether a driver has a balance to charge from here, or charges from it already.
    async fn has_credit(&self, driver: &str) -> Result<bool, StoreError> {
        let currency = self.stations.tariffs().at(&self.station, None).tariff.currency();
        self.stations.store().has_credit(&Payer::Driver(driver.to_owned()), currency).await
    }

    async fn judge(&self, token: &str) -> Result<Authorization, StoreError> {
        let store = self.stations.store();
        Ok(judge(store, &self.station, token, Timestamp::now(), async |driver| self.has_credit(driver).await)
            .await?
            .authorization)
    }
}

/// What a monitor found, in short.
fn alert(event: &MonitoringEvent) -> Alert {
    let place = event.component.evse.as_ref().map(|evse| match evse.connector_id {
        Some(connector) => format!("[{}.{connector}]", evse.id),
        None => format!("[{}]", evse.id),
    });
    let component = &event.component.name;
    let detail = [&event.code, &event.detail].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(": ");
    Alert {
        variable: format!("{component}{}.{}", place.unwrap_or_default(), event.variable.name),
        value: event.value.clone(),
        severity: event.severity,
        cleared: event.cleared,
        detail: (!detail.is_empty()).then_some(detail),
    }
}
