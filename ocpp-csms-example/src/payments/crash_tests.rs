//! Money under storms: whatever happens, in whatever order, told once, twice or never, and wherever the process dies, the ledger
//! balances, no session is billed twice or for nothing, and no hold is forgotten.

use iso_currency::Currency;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::provider::{Paid, ProviderError, Refunded};
use super::settings::Patience;
use super::{Happened, Outcome, steps};
use crate::ledger::{Account, Payer};
use crate::sessions::{Course, billing};
use crate::store::{
    BillRecord, Capture, Payment, PaymentState, PrepaidSession, Progress, SessionStage, Store, StoreError, Transaction,
    Unit, payments, prepaid,
};
use crate::tariffs::{Tariff, TariffVersion};

const EUR: Currency = Currency::EUR;
const PAID: i64 = 1_000;
const PATIENCE: Patience = Patience { pay: SignedDuration::from_mins(30), start: SignedDuration::from_mins(5) };

/// What can happen.
#[derive(Debug, Clone, Copy)]
enum Step {
    Confirm,
    /// The provider only keeps the money ready.
    Hold,
    /// It answers about what is to be taken of that: all of it is there, or nothing any more, or it does not know.
    Capture(Option<bool>),
    Decline,
    Expire,
    /// The station refused, or did not start in time.
    GiveUp,
    Start,
    /// So many Wh were taken.
    Meter(i64),
    /// The end, with so many Wh; or what is known has to do.
    End(i64, bool),
    /// A refund is answered by the provider.
    Refund(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Confirm),
        2 => Just(Step::Hold),
        2 => prop::option::of(prop::bool::weighted(0.8)).prop_map(Step::Capture),
        1 => Just(Step::Decline),
        1 => Just(Step::Expire),
        1 => Just(Step::GiveUp),
        3 => Just(Step::Start),
        3 => (0..4_000_i64).prop_map(Step::Meter),
        3 => (0..6_000_i64, any::<bool>()).prop_map(|(wh, is_final)| Step::End(wh, is_final)),
        2 => any::<bool>().prop_map(Step::Refund),
    ]
}

struct World {
    store: Store,
    tariff: Tariff,
    transaction: Transaction,
    started: bool,
    now: Timestamp,
}

const SESSION: &str = "s";

impl World {
    async fn new(store: Store, driver: bool) -> Self {
        let now: Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
        let payer = if driver { Payer::Driver("ada".into()) } else { Payer::Guest(SESSION.into()) };
        let session = PrepaidSession {
            id: SESSION.into(),
            payer: payer.clone(),
            station: "CS".into(),
            evse: Some(1),
            token: "Q1".into(),
            remote_start_id: 1,
            currency: EUR,
            amount: PAID,
            stage: SessionStage::Unpaid,
            state: None,
            revision: 0,
            transaction: None,
            failure: None,
            attempts: 0,
            due_at: None,
            give_up_at: None,
            clock: None,
            created_at: now,
            updated_at: now,
        };
        let payment = Payment {
            id: "p".into(),
            provider: "sandbox".into(),
            payer,
            session: Some(SESSION.into()),
            amount: PAID,
            currency: EUR,
            method: None,
            state: PaymentState::Requested,
            action: None,
            capture: Capture::None,
            captured: None,
            progress: Progress { reference: Some("r".into()), ..Progress::begun(now) },
        };
        let mut unit = store.serial_unit().await.unwrap();
        prepaid::put_prepaid(&mut unit, &session).await.unwrap();
        payments::put_payment(&mut unit, &payment).await.unwrap();
        unit.commit().await.unwrap();
        let transaction = Transaction {
            station: "CS".into(),
            id: "t".into(),
            evse: Some(1),
            connector: Some(1),
            token: None,
            started_at: now,
            stopped_at: None,
            stop_reason: None,
            meter_start: Some(Decimal::ZERO),
            meter_start_at: None,
            meter_last: Some(Decimal::ZERO),
            meter_last_at: Some(now),
            power: None,
            tariff: TariffVersion { tariff: "t".into(), version: 1 },
            currency: EUR,
            course: Course::default(),
            payer: None,
            cost: 0,
        };
        let tariff = r#"{"currency":"EUR","energy":"0.40","start":"0.35","tax":{"percent":"20","included":true}}"#;
        Self { store, tariff: serde_json::from_str(tariff).unwrap(), transaction, started: false, now }
    }

    /// A step, of which nothing is kept where the process dies.
    async fn take(&mut self, step: Step, dies: bool) {
        let later = self.now.checked_add(SignedDuration::from_mins(1)).unwrap();
        let mut unit = self.store.serial_unit().await.unwrap();
        let mut transaction = self.transaction.clone();
        let started = self.perform(&mut unit, &mut transaction, step, later).await.unwrap();
        if dies {
            return;
        }
        unit.commit().await.unwrap();
        (self.transaction, self.started, self.now) = (transaction, started, later);
    }

    async fn perform(
        &self,
        unit: &mut Unit,
        transaction: &mut Transaction,
        step: Step,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let runs = self.started && transaction.stopped_at.is_none();
        match step {
            Step::Confirm => steps::payment_is(unit, "p", &Outcome::Confirmed(None), PATIENCE, now).await?,
            Step::Hold => {
                // Only of a guest's money it is enough that it is kept ready.
                let payment = payments::payment(unit, "p").await?.unwrap();
                if payment.payer.driver().is_none() {
                    let paid = Paid { amount: PAID, currency: Some(EUR) };
                    steps::payment_is(unit, "p", &Outcome::Held(paid), PATIENCE, now).await?;
                }
            }
            Step::Capture(answer) => {
                let payment = payments::payment(unit, "p").await?.unwrap();
                if payment.capture == Capture::Due {
                    let taken = match answer {
                        Some(true) => Ok(payment.paid()),
                        Some(false) => Ok(0),
                        None => Err(ProviderError::Temporary("later".into())),
                    };
                    steps::payment_captured(unit, "p", taken, now).await?;
                }
            }
            Step::Decline => steps::payment_is(unit, "p", &Outcome::Declined("no".into()), PATIENCE, now).await?,
            Step::Expire => steps::payment_expired(unit, "p", now).await?,
            Step::GiveUp => {
                if let Some(mut session) = prepaid::prepaid(unit, SESSION).await?
                    && session.stage == SessionStage::Held
                {
                    billing::tell(unit, &mut session, Happened::NotStarted, now).await?;
                }
            }
            // A station starts only what it was told to.
            Step::Start => {
                let session = prepaid::prepaid(unit, SESSION).await?.unwrap();
                if !self.started && matches!(session.stage, SessionStage::Held | SessionStage::Released) {
                    transaction.token = Some("Q1".into());
                    transaction.started_at = now;
                    billing::begun(unit, transaction, now).await?;
                    return Ok(true);
                }
            }
            Step::Meter(wh) if runs => {
                let before = transaction.cost;
                self.read(transaction, wh, now);
                billing::went_on(unit, transaction, &self.tariff, before, now).await?;
            }
            // The end may come again, and after what was known had to do.
            Step::End(wh, is_final) if self.started => {
                transaction.stopped_at = Some(now);
                self.read(transaction, wh, now);
                billing::ended(unit, transaction, &self.tariff, is_final, now).await?;
            }
            Step::Meter(_) | Step::End(..) => {}
            Step::Refund(done) => {
                let due = unit.fetch_all(crate::store::sql("SELECT id FROM payment_refunds")).await?;
                for row in due {
                    let answer = match done {
                        true => Ok(Refunded { reference: "back".into(), done: true }),
                        false => Err(ProviderError::Temporary("later".into())),
                    };
                    steps::refund_is(unit, &row.text("id")?, answer, now).await?;
                }
            }
        }
        Ok(self.started)
    }

    fn read(&self, transaction: &mut Transaction, wh: i64, now: Timestamp) {
        let last = transaction.meter_last.unwrap_or_default();
        transaction.meter_last = Some(last.max(Decimal::from(wh)));
        transaction.meter_last_at = Some(now);
        if let Ok(bill) = self.tariff.bill(&crate::sessions::usage(transaction, now)) {
            transaction.cost = bill.total;
        }
    }

    /// Everything that is begun comes to its end, as the worker and the station see to it.
    async fn calm_down(&mut self) {
        let stage = self.session().await.stage;
        if stage == SessionStage::Unpaid {
            self.take(Step::Expire, false).await;
        }
        if self.started && self.transaction.stopped_at.is_none() {
            self.take(Step::End(5_000, true), false).await;
        }
        self.take(Step::GiveUp, false).await;
        self.take(Step::Capture(Some(true)), false).await;
        self.take(Step::Refund(true), false).await;
    }

    async fn session(&self) -> PrepaidSession {
        self.store.prepaid_session(SESSION).await.unwrap().unwrap()
    }

    async fn balance(&self, account: Account) -> i64 {
        self.store.balance(&account, EUR).await.unwrap()
    }

    /// What has to be so at every instant.
    async fn check(&self) {
        let faults = self.store.check_ledger().await.unwrap();
        assert!(faults.is_empty(), "{faults:?}");
        let all = self.store.balances("").await.unwrap();
        assert_eq!(all.iter().map(|(.., amount)| amount).sum::<i64>(), 0, "{all:?}");
        let session = self.session().await;
        let held = session.state.as_ref().map_or(0, super::Prepaid::held);
        assert_eq!(self.balance(Account::Hold(SESSION.into())).await, -held);
        let bill = self.store.bill("CS", "t").await.unwrap();
        let earned = -self.balance(Account::Revenue).await - self.balance(Account::Tax).await;
        assert_eq!(earned, bill.as_ref().map_or(0, BillRecord::due));
    }

    async fn check_end(&self) {
        self.check().await;
        let session = self.session().await;
        assert!(!matches!(session.stage, SessionStage::Unpaid | SessionStage::Held | SessionStage::Running));
        assert_eq!(self.balance(Account::Hold(SESSION.into())).await, 0);
        let bill = self.store.bill("CS", "t").await.unwrap();
        let cost = bill.as_ref().map_or(0, BillRecord::due);
        if self.transaction.energy_wh().is_zero() {
            assert_eq!(cost, 0, "billed for nothing");
        }
        // What was paid was used, is owed to the payer, or went back; only what was taken beyond that is owed by the payer.
        let payment = self.store.payment("p").await.unwrap().unwrap();
        assert!(matches!(payment.capture, Capture::None | Capture::Done | Capture::Failed), "money is kept for ever");
        let back: i64 = self.store.refunds("p").await.unwrap().iter().map(|refund| refund.amount).sum();
        let left = -self.balance(session.payer.account()).await;
        assert_eq!(left, payment.paid() - back - cost);
        if session.payer.driver().is_none() {
            assert!(left <= 0, "{left} of a guest's money are kept");
        }
    }
}

fn run(steps: Vec<(Step, bool)>, driver: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let file = std::env::temp_dir().join(format!("ocpp-csms-money-{}.sqlite", uuid::Uuid::new_v4().simple()));
        let store = Store::open(&file).await.unwrap();
        let mut world = World::new(store, driver).await;
        for (step, dies) in steps {
            world.take(step, dies).await;
            world.check().await;
        }
        world.calm_down().await;
        world.check_end().await;
        world.store.close().await;
        for suffix in ["", "-wal", "-shm"] {
            let mut file = file.clone().into_os_string();
            file.push(suffix);
            let _ = std::fs::remove_file(file);
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_storm_loses_or_makes_money(steps in prop::collection::vec((step(), any::<bool>()), 1..24), driver in any::<bool>()) {
        run(steps, driver);
    }
}

#[test]
fn of_what_a_provider_keeps_ready_only_what_was_used_is_taken() {
    let steps = [
        Step::Hold,
        Step::Start,
        Step::End(500, true),
        Step::Capture(None),
        Step::End(700, true),
        Step::Capture(Some(true)),
        Step::End(600, true),
        Step::Refund(true),
    ];
    run(steps.into_iter().map(|step| (step, false)).collect(), false);
}

#[test]
fn what_a_provider_does_not_keep_ready_any_more_is_owed() {
    let steps = [Step::Hold, Step::Start, Step::End(500, true), Step::Capture(Some(false)), Step::Hold];
    run(steps.into_iter().map(|step| (step, false)).collect(), false);
}

#[test]
fn a_start_that_comes_after_the_money_went_back_is_owed_and_not_billed_twice() {
    let steps =
        [Step::Confirm, Step::GiveUp, Step::Refund(true), Step::Start, Step::End(1_000, true), Step::End(1_000, true)];
    run(steps.into_iter().map(|step| (step, false)).collect(), false);
}

#[test]
fn an_end_that_becomes_known_later_changes_the_bill_by_an_adjustment() {
    let steps = [
        Step::Confirm,
        Step::Start,
        Step::Meter(500),
        Step::End(500, false),
        Step::Refund(true),
        Step::End(1_500, true),
    ];
    run(steps.into_iter().map(|step| (step, false)).collect(), false);
}
