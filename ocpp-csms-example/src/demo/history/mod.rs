//! A week of history, as if the demonstration had run before: everything goes the way of what stations report and people do, only with
//! moments that are over.

mod scenery;
mod week;

use std::collections::{BTreeMap, HashMap};

use anyhow::Context as _;
use iso_currency::Currency;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use self::scenery::{DEPOT, HOTEL, NEW, PEOPLE, PLACES, SITE, TARIFFS, ZONE};
use self::week::{Closure, DAYS, Visit};
use crate::access::Actor;
use crate::access::drivers::Payment as Pays;
use crate::ledger::Payer;
use crate::payments::{Outcome, take_over};
use crate::reports::{StationState, state_changed};
use crate::server::Csms;
use crate::sessions::Recorder;
use crate::sites::{Definition, PriceFile, PriceUnit};
use crate::store::{
    Capture, Connector, Driver, FaultKind, FaultState, Identity, Known, Payment, PaymentState, Plan, Progress,
    Registration, StationChange, Token, TokenStatus, TokenTerms, Trouble, Unit, close_fault, judge_fault, open_fault,
    put_connector, put_states, station_booted, station_connected,
};
use crate::tariffs::{Assignment, Scope, Tariff};

/// What a driver with less on the balance fills it up by, in cents.
const TOP_UP: i64 = 6_000;
/// The last of it was a while ago.
const UNTIL: SignedDuration = SignedDuration::from_mins(20);

/// How the driver signs in whose account can be looked at.
#[derive(Debug)]
pub(super) struct SignIn {
    pub(super) login: &'static str,
    pub(super) password: String,
}

/// Makes the history, unless the database has sessions already.
pub(super) async fn make(csms: &Csms) -> anyhow::Result<Option<SignIn>> {
    if !csms.store().stopped_transactions(1).await?.is_empty() || !csms.store().drivers(None, None, 1).await?.is_empty()
    {
        return Ok(None);
    }
    let now = Timestamp::now();
    let history = History {
        csms,
        now,
        until: now.checked_sub(UNTIL)?,
        begin: now.checked_sub(SignedDuration::from_hours(24 * (DAYS + 1)))?,
    };
    history.stations().await.context("the stations of the history")?;
    history.tariffs().await.context("the tariffs of the history")?;
    let (drivers, sign_in) = history.drivers().await.context("the drivers of the history")?;
    let closures = history.closures()?;
    let visits = week::visits(history.until, &csms.config().time_zone, &closures);
    history.sessions(&visits, &drivers).await.context("the sessions of the history")?;
    history.states(&visits, &closures).await.context("the states of the history")?;
    history.faults(&closures).await.context("the faults of the history")?;
    history.books(&drivers).await.context("the books of the history")?;
    Ok(Some(sign_in))
}

/// Enters the site, whose limit the stations that charge obey, and the prices of its zone.
pub(super) async fn site(csms: &Csms) -> anyhow::Result<()> {
    let (id, definition) = SITE;
    if csms.sites().get(id).await.is_err() {
        csms.sites().put(id, &serde_json::from_str::<Definition>(definition)?).await?;
    }
    let midnight = Timestamp::now().to_zoned(csms.config().time_zone.clone()).start_of_day()?.timestamp();
    let mut file = String::from("start,price\n");
    for hour in 0..48_i64 {
        let start = midnight.checked_add(SignedDuration::from_hours(hour))?;
        // Cheap at night and at noon, dear in the evening; in cents.
        let cents = [8, 7, 6, 6, 7, 9, 14, 19, 21, 17, 12, 8, 5, 5, 7, 11, 17, 24, 29, 27, 22, 17, 13, 10];
        let price = usize::try_from(hour % 24).ok().and_then(|hour| cents.get(hour)).copied().unwrap_or(10);
        file.push_str(&format!("{start},0.{price:02}\n"));
    }
    let file = PriceFile::from_csv(&file, Currency::EUR, PriceUnit::KilowattHour)?;
    Ok(csms.sites().import_prices(ZONE, &file).await?)
}

struct History<'a> {
    csms: &'a Csms,
    now: Timestamp,
    /// When the last of it happened.
    until: Timestamp,
    begin: Timestamp,
}

impl History<'_> {
    async fn stations(&self) -> anyhow::Result<()> {
        let store = self.csms.store();
        for place in &PLACES {
            let change = StationChange { registration: Some(Registration::Accepted), ..StationChange::default() };
            store.put_station(place.station, &change, self.begin).await?;
            let away = self.closures()?.into_iter().find(|closure| closure.station == place.station);
            let seen = away.filter(|closure| closure.until == self.now).map_or(self.until, |closure| closure.from);
            let mut unit = store.unit().await?;
            station_connected(&mut unit, place.station, place.version, seen);
            let identity = Identity {
                vendor: place.vendor.to_owned(),
                model: place.model.to_owned(),
                serial_number: None,
                firmware_version: Some("1.4.2".to_owned()),
            };
            station_booted(&mut unit, place.station, &identity, seen);
            for evse in 1..=place.evses {
                let (station, status) = (place.station.to_owned(), "Available".to_owned());
                let connector = Connector { station, evse, connector: 1, status, error: None, since: seen };
                put_connector(&mut unit, &connector);
            }
            unit.commit().await?;
        }
        store.onboard_station(NEW, Registration::Pending, 10, self.until).await?;
        Ok(())
    }

    async fn tariffs(&self) -> anyhow::Result<()> {
        let tariffs = self.csms.tariffs();
        for (id, name, tariff) in TARIFFS {
            tariffs.put(id, name, &serde_json::from_str::<Tariff>(tariff)?, "demo").await?;
        }
        for place in &PLACES {
            let Some(tariff) = place.tariff else { continue };
            let (target, tariff) = (place.station.to_owned(), tariff.to_owned());
            tariffs.assign(&Assignment { scope: Scope::Station, target, evse: 0, tariff }).await?;
        }
        Ok(())
    }

    async fn drivers(&self) -> anyhow::Result<(Vec<Driver>, SignIn)> {
        let store = self.csms.store();
        let mut drivers = Vec::new();
        let password = Uuid::new_v4().simple().to_string()[..12].to_owned();
        let hash = self.csms.gate().hash_password(&password).await?;
        for (index, person) in PEOPLE.iter().enumerate() {
            let driver = Driver {
                id: Uuid::now_v7().to_string(),
                login: person.login.to_owned(),
                name: person.name.to_owned(),
                password_hash: (index == 0).then(|| hash.clone()),
                disabled: false,
                payment: person.payment,
                created_at: self.begin,
                updated_at: self.begin,
                last_sign_in_at: None,
            };
            store.add_driver(&driver).await?;
            let app = format!("APP{}", &Uuid::new_v4().simple().to_string().to_uppercase()[..16]);
            for (token, kind) in [(person.card.to_owned(), "ISO14443"), (app, "Central")] {
                let kept = Token {
                    token,
                    kind: kind.to_owned(),
                    status: TokenStatus::Accepted,
                    expires_at: None,
                    group: None,
                    created_at: self.begin,
                    updated_at: self.begin,
                };
                store.put_token(&kept).await?;
                let terms = TokenTerms { driver: Some(driver.id.clone()), payment: None, stations: None };
                store.put_token_terms(&kept.token, &terms).await?;
            }
            drivers.push(driver);
        }
        Ok((drivers, SignIn { login: PEOPLE[0].login, password }))
    }

    /// What the stations reported, day by day, and what the drivers paid before.
    async fn sessions(&self, visits: &[Visit], drivers: &[Driver]) -> anyhow::Result<()> {
        let (csms, zone) = (self.csms, &self.csms.config().time_zone);
        let recorder = Recorder {
            store: csms.store(),
            tariffs: csms.tariffs(),
            zone,
            notifications: csms.stations().notifications(),
        };
        let mut meters: HashMap<(&str, i64), u64> = HashMap::new();
        let mut days: BTreeMap<_, BTreeMap<&str, Vec<(usize, &Visit)>>> = BTreeMap::new();
        for (number, visit) in visits.iter().enumerate() {
            let day = visit.arrives.to_zoned(zone.clone()).date();
            days.entry(day).or_default().entry(visit.place.station).or_default().push((number, visit));
        }
        for (day, stations) in days {
            self.top_up(drivers, day.to_zoned(zone.clone())?.timestamp()).await?;
            for (station, visits) in stations {
                let known = Known::default();
                let mut batch = csms.store().batch(station, &known);
                for (number, visit) in visits {
                    // Those of 1.6 are numbers; these are above all that the program gives itself for a while.
                    let id = (500_000 + number).to_string();
                    let meter = meters.entry((station, visit.evse)).or_insert(120_000);
                    for (at, event) in visit.events(&id, *meter) {
                        recorder.take(station, &mut batch, std::slice::from_ref(&event), at).await?;
                    }
                    *meter += u64::from(visit.energy);
                }
                batch.commit().await?;
            }
        }
        Ok(())
    }

    /// Whoever has little on the balance fills it up.
    async fn top_up(&self, drivers: &[Driver], at: Timestamp) -> anyhow::Result<()> {
        for driver in drivers.iter().filter(|driver| driver.payment == Pays::Balance) {
            let balances = self.csms.payments().balances(&driver.id).await?;
            if balances.iter().any(|(_, amount)| *amount >= TOP_UP) {
                continue;
            }
            let mut unit = self.csms.store().serial_unit().await?;
            self.pay(&mut unit, driver, at, Outcome::Confirmed(None)).await?;
            unit.commit().await?;
        }
        Ok(())
    }

    async fn pay(&self, unit: &mut Unit, driver: &Driver, at: Timestamp, outcome: Outcome) -> anyhow::Result<()> {
        let id = Uuid::now_v7().to_string();
        let mut progress = Progress::begun(at);
        (progress.reference, progress.due_at) = (Some(format!("history-{id}")), None);
        let payment = Payment {
            id,
            provider: "sandbox".to_owned(),
            payer: Payer::Driver(driver.id.clone()),
            session: None,
            amount: TOP_UP,
            currency: Currency::EUR,
            method: None,
            state: PaymentState::Requested,
            action: None,
            capture: Capture::None,
            captured: None,
            progress,
        };
        Ok(take_over(unit, &payment, &outcome, at).await?)
    }

    /// When stations were out of service: one was broken for some hours, one is away.
    fn closures(&self) -> anyhow::Result<[Closure; 2]> {
        let ago = |hours| self.until.checked_sub(SignedDuration::from_hours(hours));
        Ok([
            Closure { station: DEPOT, from: ago(75)?, until: ago(70)?, state: StationState::Faulted },
            Closure { station: HOTEL, from: ago(20)?, until: self.now, state: StationState::Offline },
        ])
    }

    /// In which state each station was when.
    async fn states(&self, visits: &[Visit], closures: &[Closure]) -> anyhow::Result<()> {
        let zone = &self.csms.config().time_zone;
        for place in &PLACES {
            let mut changes = vec![(self.begin, 0, None)];
            for visit in visits.iter().filter(|visit| visit.place.station == place.station) {
                changes.extend([(visit.arrives, 1, None), (visit.leaves, -1, None)]);
            }
            for closure in closures.iter().filter(|closure| closure.station == place.station) {
                changes.push((closure.from, 0, Some(closure.state)));
                if closure.until < self.now {
                    changes.push((closure.until, 0, None));
                }
            }
            changes.sort_unstable_by_key(|(at, ..)| *at);
            let (mut there, mut before, mut states) = (0, None, Vec::new());
            for (at, change, state) in changes {
                there += change;
                let usual = if there > 0 { StationState::Occupied } else { StationState::Available };
                let state = state.unwrap_or(usual);
                if before.is_none_or(|(before, _)| before != state) {
                    states.push(state_changed(place.station, zone, before, state, at));
                    before = Some((state, at));
                }
            }
            let mut unit = self.csms.store().later_unit();
            put_states(&mut unit, &states);
            unit.commit().await?;
        }
        Ok(())
    }

    /// What was on the board of faults, and what still is.
    async fn faults(&self, closures: &[Closure]) -> anyhow::Result<()> {
        let trouble = |kind, code: &str, severity, evse: Option<i64>, detail: &str| Trouble {
            kind,
            key: format!("{} {}", evse.unwrap_or(0), evse.map_or(0, |_| 1)),
            code: code.to_owned(),
            severity,
            evse,
            connector: evse.map(|_| 1),
            detail: Some(detail.to_owned()),
        };
        let mut unit = self.csms.store().unit().await?;
        for closure in closures {
            let (at, station) = (closure.from, closure.station);
            if closure.state == StationState::Offline {
                let away =
                    Trouble { key: String::new(), ..trouble(FaultKind::Offline, "Offline", 4, None, "no connection") };
                open_fault(&mut unit, station, &away, at).await?;
                continue;
            }
            let broken = trouble(FaultKind::Connector, "GroundFailure", 1, Some(1), "RCD tripped");
            let (fault, _) = open_fault(&mut unit, station, &broken, at).await?;
            let seen = at.checked_add(SignedDuration::from_mins(25))?;
            judge_fault(&mut unit, &fault.id, FaultState::Acknowledged, "demo", None, seen).await?;
            close_fault(&mut unit, station, broken.kind, &broken.key, closure.until).await?;
        }
        let opened = self.until.checked_sub(SignedDuration::from_hours(51))?;
        let tamper = trouble(FaultKind::Security, "TamperDetectionActivated", 1, None, "door opened");
        let (fault, _) = open_fault(&mut unit, "MARKET-1", &tamper, opened).await?;
        let seen = opened.checked_add(SignedDuration::from_mins(40))?;
        judge_fault(&mut unit, &fault.id, FaultState::Acknowledged, "demo", None, seen).await?;
        Ok(unit.commit().await?)
    }

    /// A payment that was refused, a plan and who has it, and an invoice.
    async fn books(&self, drivers: &[Driver]) -> anyhow::Result<()> {
        let store = self.csms.store();
        let [first, second, ..] = drivers else { return Ok(()) };
        let mut unit = store.serial_unit().await?;
        let declined = Outcome::Declined("insufficient funds".to_owned());
        self.pay(&mut unit, second, self.until, declined).await?;
        unit.commit().await?;
        let plan = Plan {
            id: "commuter".to_owned(),
            name: "Commuter".to_owned(),
            currency: Currency::EUR,
            fee: 990,
            tax_percent: 21.into(),
            included_wh: 20_000,
            discount_percent: 5.into(),
            retired_at: None,
        };
        store.put_plan(&plan, self.begin).await?;
        let payments = self.csms.payments();
        payments.subscribe(&second.id, &plan.id).await?;
        let payer = Payer::Driver(first.id.clone());
        let invoice = payments.invoice(&payer, Currency::EUR, self.begin, self.now).await?;
        self.csms.audit(&Actor::anonymous(None), "invoice.made", invoice.number, "").await;
        Ok(())
    }
}
