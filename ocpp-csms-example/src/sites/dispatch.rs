//! Plans sites anew whenever something changes, and sends what follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::LiveSite;
use super::held::{Control, Held};
use super::plan::{Target, plan};
use super::profile::{self, Meaning};
use super::scene::{self, Facts, Setting};
use super::service::{Inner, Site, Sites};
use super::steps::{Step, Traffic, What, steps};
use crate::stations;
use crate::store::StoreError;

/// What happens together is planned together.
const DEBOUNCE: Duration = Duration::from_millis(150);
/// Sites are planned this often although nothing was told: clocks, prices and what is measured change.
const PERIOD: Duration = Duration::from_secs(10);
/// Between a profile and a raise at the same station.
const CALM: Duration = Duration::from_secs(2);
/// How long a station is left alone that refused or did not answer; twice as long each time.
const REST: Duration = Duration::from_secs(5);
/// At most.
const LONGEST_REST: Duration = Duration::from_secs(600);
/// Failures after which a default profile is not tried in other ways any more.
const PATIENCE: u32 = 2;

/// The traffic with a station. It does not outlive the server.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// A call is under way.
    pub(super) busy: bool,
    /// When the last profile was sent.
    pub(super) sent: Option<Instant>,
    /// Until when it is left alone.
    pub(super) rests: Option<Instant>,
    failures: u32,
    /// Why it is left alone.
    pub(super) reason: Option<String>,
}

/// A site at a moment.
#[derive(Debug)]
pub(super) struct Look {
    facts: Facts,
    setting: Setting,
    targets: Vec<Option<Target>>,
    controls: BTreeMap<String, Control>,
}

impl Line {
    pub(super) fn is_resting(&self, now: Instant) -> bool {
        self.rests.is_some_and(|until| now < until)
    }

    fn failed(&mut self, reason: String) {
        let longer = 2_u32.saturating_pow(self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.rests = Some(Instant::now() + REST.saturating_mul(longer).min(LONGEST_REST));
        self.reason = Some(reason);
    }

    fn succeeded(&mut self) {
        (self.failures, self.rests, self.reason) = (0, None, None);
    }
}

impl Sites {
    /// Plans and sends until the server ends.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut notices = self.inner.stations.notices();
        let mut next = Instant::now();
        let mut again = None::<Instant>;
        loop {
            let wake = again.map_or(next, |again| again.min(next));
            tokio::select! {
                () = stop.cancelled() => return,
                notice = notices.recv() => {
                    self.heard(notice);
                    continue;
                }
                () = self.inner.watch.touched() => tokio::time::sleep(DEBOUNCE).await,
                () = tokio::time::sleep_until(wake) => self.inner.watch.touch_all(),
            }
            let touched = self.inner.watch.take();
            let is_all = touched.is_none();
            again = again.filter(|_| !is_all);
            for site in self.inner.sites() {
                let stations = &site.definition.stations;
                let is_touched =
                    |touched: &BTreeSet<Arc<str>>| stations.iter().any(|station| touched.contains(station.id.as_str()));
                if !touched.as_ref().is_none_or(is_touched) {
                    continue;
                }
                match self.plan_anew(&site).await {
                    Ok(at) => again = [again, at].into_iter().flatten().min(),
                    Err(error) => {
                        tracing::error!(site = site.id, %error, "the site cannot be planned; its stations keep to what they were told");
                    }
                }
            }
            if is_all {
                next = Instant::now() + PERIOD;
            }
        }
    }

    fn heard(&self, notice: Result<stations::Notice, tokio::sync::broadcast::error::RecvError>) {
        let Ok(notice) = notice else {
            // Something was missed.
            self.inner.watch.touch_all();
            return;
        };
        match notice.what {
            stations::What::Connected { .. } => {
                if let Some(line) = self.inner.lines().get_mut(&*notice.station) {
                    line.succeeded();
                }
                self.inner.change(&notice.station, |control| control.unsupported = None);
            }
            stations::What::Booted { .. } => {
                if let Some(line) = self.inner.lines().get_mut(&*notice.station) {
                    line.succeeded();
                }
                self.inner.change(&notice.station, |control| control.evses.values_mut().for_each(Held::doubt));
            }
            stations::What::Disconnected { .. }
            | stations::What::Connector { .. }
            | stations::What::Started(_)
            | stations::What::Billed(_) => {}
            _ => return,
        }
        self.inner.watch.touch(&notice.station);
    }

    /// How a site stands, and what is planned for it.
    pub(super) async fn look(&self, site: &Site) -> Result<Look, StoreError> {
        let inner = &self.inner;
        let facts = Facts::gather(inner, site).await?;
        let mut controls = BTreeMap::new();
        for station in &site.definition.stations {
            let control = inner.change_and_get(&station.id, |control| {
                for (evse, held) in &mut control.evses {
                    held.only(facts.session(&station.id, *evse).map(|session| session.transaction.as_str()));
                }
            });
            controls.insert(station.id.clone(), control);
        }
        let setting = scene::build(inner, site, &facts, &controls);
        let targets = plan(&setting.scene);
        Ok(Look { facts, setting, targets, controls })
    }

    /// How a site stands, for people.
    pub(super) async fn show(&self, site: &Site) -> Result<LiveSite, StoreError> {
        let Look { facts, setting, targets, controls } = self.look(site).await?;
        let reasons =
            self.inner.lines().iter().filter_map(|(id, line)| Some((id.clone(), line.reason.clone()?))).collect();
        Ok(scene::view(site, &facts, &setting, &targets, &controls, &reasons))
    }

    /// Plans a site and sends what follows; when to look at it again.
    async fn plan_anew(&self, site: &Site) -> Result<Option<Instant>, StoreError> {
        let inner = &self.inner;
        let Look { setting, targets, controls, facts, .. } = self.look(site).await?;
        inner.stations.changed();
        let now = Instant::now();
        let mut traffic = Traffic::default();
        let mut again: Option<Instant> = None;
        for (index, station) in site.definition.stations.iter().enumerate() {
            let mut lines = inner.lines();
            let line = lines.entry(station.id.clone()).or_default();
            let is_ready =
                controls.get(&station.id).is_some_and(|control| control.prepared && control.unsupported.is_none());
            let may_prepare = facts.version(&station.id).is_some() && !line.busy && !line.is_resting(now);
            if may_prepare
                && controls.get(&station.id).is_some_and(|control| !control.prepared && control.unsupported.is_none())
            {
                line.busy = true;
                let (sites, id) = (self.clone(), station.id.clone());
                let (most, volts) = (station.maximum_a.get(), site.definition.voltage);
                tokio::spawn(async move { sites.prepare(&id, most, volts).await });
            }
            if line.busy || !is_ready {
                traffic.busy.insert(index);
            }
            let calm = line.sent.map(|sent| sent + CALM).filter(|until| now < *until);
            if calm.is_some() {
                traffic.calm.insert(index);
            }
            let rest = line.rests.filter(|until| now < *until);
            again = [again, calm, rest].into_iter().flatten().min();
        }
        self.send_all(site, &setting, &targets, &traffic);
        Ok(again)
    }

    fn send_all(&self, site: &Site, setting: &Setting, targets: &[Option<Target>], traffic: &Traffic) {
        for Step { place, what } in steps(&setting.scene, targets, traffic) {
            let Some(of_place) = setting.scene.places.get(place) else { continue };
            let (station, evse) = &of_place.name;
            let transaction = of_place.session.as_ref().map(|session| session.transaction.clone());
            if let Some(line) = self.inner.lines().get_mut(station) {
                line.busy = true;
            }
            let (sites, station, evse, volts) = (self.clone(), station.clone(), *evse, site.definition.voltage);
            tokio::spawn(async move { sites.send(&station, evse, transaction, what, volts).await });
        }
    }

    /// Sends one profile, and keeps what became of it.
    async fn send(&self, station: &str, evse: i64, transaction: Option<String>, what: What, volts: u32) {
        let inner = &self.inner;
        let control = inner.control(station);
        let before = control.evses.get(&evse).cloned().unwrap_or_default();
        // What is sent is what counts: as many periods as the station takes.
        let what = match what {
            What::Session(schedule) => {
                What::Session(schedule.within(Timestamp::now().as_second(), profile::periods(&control)))
            }
            other => other,
        };
        let command = match (&what, &transaction) {
            (What::Default(tenths), _) => profile::default(evse, *tenths, &control, volts),
            (What::Session(schedule), Some(transaction)) => {
                profile::session(evse, transaction, schedule, &control, volts)
            }
            (What::Session(_), None) => return self.over(station, None),
        };
        inner.change(station, |control| {
            let held = control.evses.entry(evse).or_default();
            match (&what, &transaction) {
                (What::Default(tenths), _) => held.sending_default(*tenths),
                (What::Session(schedule), Some(transaction)) => held.sending(transaction, schedule),
                (What::Session(_), None) => {}
            }
        });
        // Nothing is sent that would be forgotten.
        if let Err(error) = inner.keep(station).await {
            tracing::error!(station, %error, "a profile is not sent, because it cannot be kept");
            inner.change(station, |control| {
                control.evses.insert(evse, before);
            });
            return self.over(station, Some("the database failed".to_owned()));
        }
        let meaning = match inner.stations.call(station, command).await {
            Ok(outcome) => profile::meaning(&outcome),
            Err(refused) => Meaning::Refused(refused.to_string()),
        };
        tracing::debug!(station, evse, ?what, ?meaning, "a profile was sent");
        let failures = inner.lines().get(station).map_or(0, |line| line.failures);
        inner.change(station, |control| {
            let held = control.evses.entry(evse).or_default();
            match (&meaning, &what, &transaction) {
                (Meaning::Accepted, What::Default(tenths), _) => held.accepted_default(*tenths),
                (Meaning::Accepted, What::Session(schedule), Some(id)) => held.accepted(id, schedule),
                (Meaning::Refused(_) | Meaning::Unsupported(_), What::Default(_), _) => held.default = before.default,
                (Meaning::Refused(_) | Meaning::Unsupported(_), What::Session(_), _) => {
                    held.transaction = before.transaction
                }
                _ => {}
            }
            match &meaning {
                Meaning::Unsupported(reason) => control.unsupported = Some(reason.clone()),
                Meaning::Refused(reason) if matches!(what, What::Default(_)) && before.default.most.is_none() => {
                    // Perhaps it understands the other unit; if not, it takes no profiles.
                    if failures >= PATIENCE {
                        control.unsupported = Some(reason.clone());
                    } else if failures == PATIENCE - 1 {
                        control.watts = !control.watts;
                    }
                }
                _ => {}
            }
        });
        if let Err(error) = inner.keep(station).await {
            tracing::error!(station, %error, "what a station holds cannot be kept; it counts as before");
        }
        let failure = match meaning {
            Meaning::Accepted => None,
            Meaning::Refused(reason) | Meaning::Unsupported(reason) | Meaning::Uncertain(reason) => Some(reason),
        };
        self.over(station, failure);
    }

    /// Removes what others have told a station, so that nothing overrules what it is told from now on.
    async fn prepare(&self, station: &str, most: u32, volts: u32) {
        let inner = &self.inner;
        let Some(version) = inner.stations.live(station).connection.map(|connection| connection.version) else {
            return self.over(station, None);
        };
        if let Ok(outcome) = inner.stations.call(station, profile::abilities(version)).await {
            inner.change(station, |control| profile::read_abilities(control, &outcome));
        }
        for purpose in profile::PURPOSES {
            let outcome = inner.stations.call(station, profile::clear(purpose)).await;
            let meaning = outcome
                .map_or_else(|refused| Meaning::Uncertain(refused.to_string()), |outcome| profile::meaning(&outcome));
            match meaning {
                // Refused: there were none (1.6 edition 2, 7.21; K10.FR.08).
                Meaning::Accepted => {}
                Meaning::Refused(status) if status.starts_with("Unknown") => {}
                Meaning::Unsupported(reason) => {
                    tracing::warn!(
                        station,
                        reason,
                        "the station takes no charging profiles: all that it can draw is kept for it"
                    );
                    inner.change(station, |control| control.unsupported = Some(reason.clone()));
                    return self.over(station, Some(reason));
                }
                Meaning::Refused(reason) | Meaning::Uncertain(reason) => return self.over(station, Some(reason)),
            }
        }
        // Where it is not supported the station is limited by its EVSEs alone.
        let outcome = inner.stations.call(station, profile::station(most, &inner.control(station), volts)).await;
        tracing::debug!(station, ?outcome, "the station was told its limit");
        inner.change(station, |control| {
            control.prepared = true;
            control.evses.clear();
        });
        let kept = inner.keep(station).await;
        self.over(station, kept.err().map(|error| error.to_string()));
    }

    /// Takes back what a station was told that belongs to no site any more.
    pub(super) async fn release(&self, station: String) {
        let was = self.inner.control(&station);
        self.inner.change(&station, |control| *control = Control::default());
        if let Err(error) = self.inner.keep(&station).await {
            tracing::error!(station, %error, "that a station is free cannot be kept");
        }
        if was.prepared {
            for purpose in profile::PURPOSES {
                // Another site that it came to meanwhile does this itself.
                let is_taken = |site: &Arc<Site>| site.definition.stations.iter().any(|other| other.id == station);
                if self.inner.sites().iter().any(is_taken) {
                    return;
                }
                let outcome = self.inner.stations.call(&station, profile::clear(purpose)).await;
                tracing::debug!(station, ?outcome, "what the station was told is taken back");
            }
        }
    }

    /// A call came to its end.
    fn over(&self, station: &str, failure: Option<String>) {
        if let Some(line) = self.inner.lines().get_mut(station) {
            line.busy = false;
            line.sent = Some(Instant::now());
            match failure {
                None => line.succeeded(),
                Some(reason) => {
                    tracing::info!(station, reason, "the station did not take what it was sent");
                    line.failed(reason);
                }
            }
        }
        self.inner.watch.touch(station);
    }
}

impl Inner {
    /// Changes what a station of a site is known to hold.
    fn change(&self, station: &str, change: impl FnOnce(&mut Control)) {
        if let Some(control) = self.controls().get_mut(station) {
            change(control);
        }
    }

    fn change_and_get(&self, station: &str, change: impl FnOnce(&mut Control)) -> Control {
        let mut controls = self.controls();
        let control = controls.entry(station.to_owned()).or_default();
        change(control);
        control.clone()
    }

    fn control(&self, station: &str) -> Control {
        self.controls().get(station).cloned().unwrap_or_default()
    }

    /// Keeps what a station is known to hold, on the disk when this returns.
    async fn keep(&self, station: &str) -> Result<(), StoreError> {
        let control = self.control(station);
        let json = serde_json::to_string(&control)
            .map_err(|error| StoreError::Content { what: "what a station holds", value: error.to_string() })?;
        self.store.put_site_control(station, &json, Timestamp::now()).await
    }
}
