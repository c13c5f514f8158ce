//! What the hardware is like, told to the station in its words.

use ocpp_core::station::{Fault, FaultCode, Input, Measurand, Phase, Reading, Vehicle};
use rust_decimal::Decimal;

use super::Driver;
use crate::hardware::{self, Evse};

/// What the station was last told of an EVSE; nothing is said twice.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    reading: Option<Reading>,
    vehicle: Option<Vehicle>,
    /// The EVSE as it was last saved.
    saved: Option<Evse>,
}

impl Told {
    /// What is to be saved of an EVSE, if it isn't.
    pub(super) fn unsaved(&mut self, evse: &Evse) -> Option<String> {
        if self.saved.as_ref() == Some(evse) {
            return None;
        }
        self.saved = Some(evse.clone());
        // An EVSE is numbers, texts and options of them: there is nothing that JSON can't say.
        serde_json::to_string(evse).ok()
    }
}

impl Driver {
    /// Lets the time pass and tells a fact, after what the meters and cars say at the same moment: a fact may begin or end
    /// a transaction, and the station takes the last reading for it.
    pub(super) fn tell(&mut self, input: Input) {
        self.tell_hardware();
        self.handle(input);
    }

    /// Lets the time pass and tells what is new about meters and cars.
    pub(super) fn tell_hardware(&mut self) {
        self.tell_meters();
        self.tell_vehicles();
    }

    fn tell_vehicles(&mut self) {
        let mut news = Vec::new();
        for ((id, evse), told) in self.hardware.iter().zip(&mut self.told) {
            let vehicle = vehicle(evse);
            if told.vehicle != Some(vehicle) {
                told.vehicle = Some(vehicle);
                news.push(Input::Vehicle { evse: id, vehicle });
            }
        }
        for input in news {
            self.handle(input);
        }
    }

    fn tell_meters(&mut self) {
        self.hardware.advance(self.clock.now().instant);
        let mut news = Vec::new();
        for ((id, evse), told) in self.hardware.iter().zip(&mut self.told) {
            let reading = reading(&evse.reading());
            if told.reading.as_ref() != Some(&reading) {
                told.reading = Some(reading.clone());
                news.push(Input::Meter { evse: id, reading });
            }
        }
        for input in news {
            self.handle(input);
        }
    }

    /// Tells that a cable was put in or pulled out, and then what the car says: a new cable is a new car.
    pub(super) fn tell_cable(&mut self, evse: u32, input: Input) {
        self.handle(input);
        if let Some(told) = evse.checked_sub(1).and_then(|index| self.told.get_mut(index as usize)) {
            told.vehicle = None;
        }
        self.tell_hardware();
    }

    /// Tells a station that has just started everything it can't know, the meters last: with their word it decides what
    /// becomes of transactions that were interrupted.
    pub(super) fn tell_everything(&mut self) {
        self.told.fill(Told::default());
        if !self.network {
            self.handle(Input::Network { up: false });
        }
        let mut inputs = Vec::new();
        for (id, evse) in self.hardware.iter() {
            if let Some(code) = evse.fault().and_then(FaultCode::from_name) {
                inputs.push(Input::Fault { evse: Some(id), connector: None, fault: Fault::new(code) });
            }
            if evse.bay_occupied() {
                inputs.push(Input::ParkingBay { evse: id, occupied: true });
            }
            if let Some(connector) = evse.plugged() {
                inputs.push(Input::PluggedIn { evse: id, connector });
            }
        }
        for input in inputs {
            self.handle(input);
        }
        self.tell_vehicles();
        self.tell_meters();
    }
}

/// The meter's words in the station's.
fn reading(meter: &hardware::Reading) -> Reading {
    let mut reading = Reading::energy(Decimal::from(meter.energy_wh))
        .with(Measurand::PowerActiveImport, meter.power_w)
        .with_phase(Measurand::CurrentImport, Phase::L1, meter.current_a)
        .with_phase(Measurand::CurrentImport, Phase::L2, meter.current_a)
        .with_phase(Measurand::CurrentImport, Phase::L3, meter.current_a)
        .with_phase(Measurand::Voltage, Phase::L1N, meter.voltage_v)
        .with_phase(Measurand::Voltage, Phase::L2N, meter.voltage_v)
        .with_phase(Measurand::Voltage, Phase::L3N, meter.voltage_v);
    if let Some(soc) = meter.soc {
        reading = reading.with(Measurand::StateOfCharge, soc);
    }
    reading
}

/// What the car says through the control pilot.
fn vehicle(evse: &Evse) -> Vehicle {
    let vehicle =
        if evse.plugged().is_some() && evse.ev().wants_energy() { Vehicle::ready() } else { Vehicle::suspended() };
    vehicle.with_max_power(Decimal::from(evse.ev().max_power_w))
}
