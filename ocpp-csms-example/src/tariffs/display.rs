//! Shows the tariffs at the stations, to each in the way of its version, and the cost while it grows.
//!
//! 2.1 is given the tariff itself (I07), 2.x a message for who has no tariff of their own (I01, `TariffFallbackMessage`), and both the
//! running cost where time costs money (I02.FR.01). 1.6 has no words for prices; a station with the configuration key
//! `CustomDisplayCostAndPrice` is told by DataTransfer, see [`CostMessages`]. Only a station that says it can show prices is told (I01.FR.02).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ocpp_core::csms::{CallOutcome, Command, TransactionId, VariableKey};
use ocpp_core::types::Version;
use rust_decimal::Decimal;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::words::standard_tariff;
use super::{CostMessages, amount};
use crate::sessions::usage;
use crate::stations::{Stations, What};
use crate::store::{Registration, Transaction};

/// Sessions that are looked at for that.
const SESSIONS: u32 = 10_000;

/// How a station shows prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Display {
    /// By DataTransfer (1.6).
    DataTransfer,
    /// By messages (2.x).
    Message,
    /// It is given the tariff (2.1).
    Tariff,
}

/// Runs until the server stops.
pub(crate) async fn run(stations: Stations, stop: CancellationToken) {
    let mut notices = stations.notices();
    let mut changes = stations.tariffs().changes();
    let mut displays: HashMap<Arc<str>, Display> = HashMap::new();
    let (known, mut found) = mpsc::unbounded_channel::<(Arc<str>, Display)>();
    let mut tick = tokio::time::interval(Duration::from_secs(stations.config().cost_messages.interval.into()));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
                for (station, display) in &displays {
                    spawn_show(&stations, station, *display, &stop);
                }
            }
            Some((station, display)) = found.recv() => {
                // It may be gone by now.
                if stations.live(&station).connection.is_some() {
                    spawn_show(&stations, &station, display, &stop);
                    displays.insert(station, display);
                }
            }
            _ = tick.tick() => {
                if !displays.is_empty() {
                    tell_costs(&stations, &displays).await;
                }
            }
            notice = notices.recv() => match notice {
                Ok(notice) => match notice.what {
                    What::Booted { registration: Registration::Accepted, .. } => {
                        displays.remove(&notice.station);
                        // A station that takes its time keeps no other one waiting.
                        let (stations, known) = (stations.clone(), known.clone());
                        tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
                            if let Some(display) = display_of(&stations, &notice.station).await {
                                // The end of the program ends the other side first.
                                let _ = known.send((notice.station, display));
                            }
                        }));
                    }
                    What::Disconnected { .. } => {
                        displays.remove(&notice.station);
                    }
                    What::Metered(transaction) | What::Billed(transaction)
                        if displays.get(&notice.station) == Some(&Display::DataTransfer) =>
                    {
                        spawn(&stations, &notice.station, vec![cost_message(&stations.config().cost_messages, &transaction)], &stop);
                    }
                    _ => {}
                },
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
        }
    }
}

/// Whether a station shows prices, and how, by what it said of itself.
async fn display_of(stations: &Stations, station: &str) -> Option<Display> {
    let version = stations.live(station).connection?.version;
    let key = &stations.config().cost_messages.enabled_key;
    let mirrors = async || Some(Box::new(Box::pin(stations.inspect(station)).await.ok()?.mirrors));
    if version == Version::V1_6 && stations.config().inventory && mirrors().await?.configuration().get(key).is_none() {
        // Nobody has asked it: whether it shows prices is known after that. Thousands may be asked at once: nothing is held meanwhile.
        let names = vec![key.clone()];
        let _ = Box::pin(stations.call(station, Command::GetConfiguration { names })).await;
    }
    let mirrors = mirrors().await?;
    let is_on = |key: &VariableKey| mirrors.device_model().value(key).is_some_and(|value| value == "true");
    let enabled = VariableKey::new("TariffCostCtrlr", "Enabled");
    match version {
        Version::V1_6 => {
            let value = mirrors.configuration().value(key)?;
            value.eq_ignore_ascii_case("true").then_some(Display::DataTransfer)
        }
        Version::V2_1 if is_on(&enabled.clone().instance("Tariff")) => Some(Display::Tariff),
        _ => (is_on(&enabled) || is_on(&enabled.clone().instance("Tariff"))).then_some(Display::Message),
    }
}

fn spawn_show(stations: &Stations, station: &Arc<str>, display: Display, stop: &CancellationToken) {
    let tariffs = stations.tariffs();
    let whole = tariffs.at(station, None);
    let words = whole.tariff.in_words();
    let fallback = |name: &str| Command::SetConfiguration { name: name.to_owned(), value: words.clone() };
    let commands = match display {
        Display::DataTransfer => {
            let value = json!({"priceText": words}).to_string();
            vec![Command::SetConfiguration { name: stations.config().cost_messages.default_price_key.clone(), value }]
        }
        Display::Message => vec![fallback("TariffCostCtrlr.TariffFallbackMessage")],
        Display::Tariff => {
            let tariff = |evse, applied: &super::Applied| Command::SetDefaultTariff {
                evse,
                tariff: Box::new(standard_tariff(applied)),
            };
            let own = tariffs.evses_of(station).into_iter();
            let mut commands = vec![tariff(0, &whole)];
            commands.extend(own.map(|evse| tariff(evse, &tariffs.at(station, Some(evse)))));
            commands
        }
    };
    spawn(stations, station, commands, stop);
}

fn spawn(stations: &Stations, station: &Arc<str>, commands: Vec<Command>, stop: &CancellationToken) {
    let (stations, station) = (stations.clone(), Arc::clone(station));
    let told = async move {
        for command in commands {
            match stations.call(&station, command).await {
                Ok(CallOutcome::Answered(_)) => {}
                outcome => tracing::info!(%station, ?outcome, "a price is not shown"),
            }
        }
    };
    tokio::spawn(stop.clone().run_until_cancelled_owned(told));
}

/// What a station of 1.6 is told of the cost of a session.
fn cost_message(names: &CostMessages, transaction: &Transaction) -> Command {
    let cost = amount(transaction.cost, transaction.currency);
    let id = transaction.id.parse::<i64>().unwrap_or_default();
    let (message, data) = match transaction.stopped_at {
        Some(_) => (
            &names.final_cost,
            json!({"transactionId": id, "cost": number(cost), "priceText": format!("{cost} {}", transaction.currency.code())}),
        ),
        None => {
            let at = transaction.meter_last_at.unwrap_or(transaction.started_at).to_string();
            let state = if transaction.course.is_idle() { "Idle" } else { "Charging" };
            let meter = transaction.meter_last.map(|wh| number(wh.trunc()));
            (
                &names.running_cost,
                json!({"transactionId": id, "timestamp": at, "meterValue": meter, "cost": number(cost), "state": state}),
            )
        }
    };
    Command::DataTransfer {
        vendor_id: names.vendor_id.clone(),
        message_id: Some(message.clone()),
        data: Some(data.to_string()),
    }
}

/// With every digit, which a binary fraction would not keep.
fn number(value: Decimal) -> Box<serde_json::value::RawValue> {
    serde_json::value::RawValue::from_string(value.to_string())
        .unwrap_or_else(|_| serde_json::value::RawValue::NULL.to_owned())
}

/// I02.FR.01: where the cost grows without anything being reported.
async fn tell_costs(stations: &Stations, displays: &HashMap<Arc<str>, Display>) {
    let running = match stations.store().running_transactions(SESSIONS).await {
        Ok(running) => running,
        Err(error) => {
            tracing::error!(%error, "what sessions cost cannot be told");
            return;
        }
    };
    for transaction in running {
        let shown = displays.get(transaction.station.as_str());
        if !matches!(shown, Some(Display::Message | Display::Tariff)) {
            continue;
        }
        let Ok(tariff) = stations.tariffs().version(&transaction.tariff).await else { continue };
        if !tariff.depends_on_time() || transaction.payer.as_deref() == Some("free") {
            continue;
        }
        let Ok(bill) = tariff.bill(&usage(&transaction, Timestamp::now())) else { continue };
        let total_cost = amount(bill.total.max(transaction.cost), transaction.currency);
        let (stations, station) = (stations.clone(), transaction.station.clone());
        let command = Command::CostUpdated { transaction: TransactionId::new(&transaction.id), total_cost };
        // Each on its own: one slow station must not keep the others from it.
        tokio::spawn(async move {
            let _ = stations.call(&station, command).await;
        });
    }
}
