//! Who guesses passwords waits longer and longer.
//!
//! Attempts are counted for each station at each address, so that nobody elsewhere can lock a station out, and a wrongly configured
//! station does not lock out the others behind the same address. An address from which many stations' passwords are guessed waits for
//! all of those that never succeeded from there.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Wrong passwords that a station may send before it has to wait.
const FREE: u32 = 5;
/// Wrong passwords that may come from one address before those behind it wait who never sent a right one.
const FREE_OF_ADDRESS: u32 = 100;
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(300);
/// After so long without a wrong password everything is forgiven.
const FORGIVEN: Duration = Duration::from_secs(900);
/// Addresses and stations that are remembered.
const REMEMBERED: usize = 20_000;

/// Wrong passwords of the recent past.
#[derive(Debug, Default)]
pub struct Throttle {
    records: Mutex<HashMap<Key, Record>>,
}

/// An address, and the station that it claims to be; `None` for all of them.
type Key = (IpAddr, Option<Arc<str>>);

#[derive(Debug, Clone, Copy)]
struct Record {
    failures: u32,
    last: Instant,
    /// It has proven once who it is.
    trusted: bool,
}

impl Record {
    /// How long it has to wait after that many failures beyond those that are free.
    fn wait(&self, free: u32) -> Duration {
        match self.failures.checked_sub(free) {
            None => Duration::ZERO,
            Some(excess) => Duration::from_secs(1_u64.checked_shl(excess).unwrap_or(u64::MAX)).min(LONGEST),
        }
    }

    fn left(&self, free: u32, now: Instant) -> Duration {
        self.wait(free).saturating_sub(now.saturating_duration_since(self.last))
    }
}

impl Throttle {
    /// Whether this address may try a password of this station now.
    ///
    /// # Errors
    /// How long it has to wait.
    pub fn check(&self, address: IpAddr, station: &str, now: Instant) -> Result<(), Duration> {
        let address = place(address);
        let records = self.records();
        let own = records.get(&(address, Some(station.into())));
        let left = own.map_or(Duration::ZERO, |record| record.left(FREE, now));
        let of_address = match own {
            Some(record) if record.trusted => Duration::ZERO,
            _ => records.get(&(address, None)).map_or(Duration::ZERO, |record| record.left(FREE_OF_ADDRESS, now)),
        };
        let left = left.max(of_address);
        if left.is_zero() { Ok(()) } else { Err(left) }
    }

    /// An attempt begins, and counts as a wrong password until [`Self::withdraw`] says otherwise: however many begin at once, they are counted.
    ///
    /// # Errors
    /// How long it has to wait.
    pub fn attempt(&self, address: IpAddr, account: &str, now: Instant) -> Result<(), Duration> {
        self.check(address, account, now)?;
        self.failed(address, account, now);
        Ok(())
    }

    /// An attempt was none, or the password was right.
    pub fn withdraw(&self, address: IpAddr, account: &str) {
        let address = place(address);
        let mut records = self.records();
        for key in [(address, Some(account.into())), (address, None)] {
            if let Some(record) = records.get_mut(&key) {
                record.failures = record.failures.saturating_sub(1);
            }
        }
    }

    /// A password was wrong.
    pub fn failed(&self, address: IpAddr, station: &str, now: Instant) {
        let address = place(address);
        let mut records = self.records();
        for key in [(address, Some(station.into())), (address, None)] {
            make_room(&mut records, &key, now);
            let record = records.entry(key).or_insert(Record { failures: 0, last: now, trusted: false });
            if now.saturating_duration_since(record.last) > FORGIVEN {
                record.failures = 0;
            }
            record.failures = record.failures.saturating_add(1);
            record.last = now;
        }
    }

    /// A station has proven who it is.
    pub fn succeeded(&self, address: IpAddr, station: &str, now: Instant) {
        let key = (place(address), Some(station.into()));
        let mut records = self.records();
        // Only where somebody guesses does it matter who does not.
        let is_watched = records.contains_key(&key) || records.contains_key(&(key.0, None));
        if is_watched {
            make_room(&mut records, &key, now);
            records.insert(key, Record { failures: 0, last: now, trusted: true });
        }
    }

    fn records(&self) -> MutexGuard<'_, HashMap<Key, Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where somebody is: an address of IPv4, however the socket shows it, or the network of one of IPv6, of whose addresses anybody has as
/// many as they like.
fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address => address,
    }
}

/// Forgets whoever is forgiven, and if need be the one who has been quiet for longest.
fn make_room(records: &mut HashMap<Key, Record>, key: &Key, now: Instant) {
    if records.len() < REMEMBERED || records.contains_key(key) {
        return;
    }
    records.retain(|_, record| now.saturating_duration_since(record.last) <= FORGIVEN);
    if records.len() >= REMEMBERED {
        let oldest = records.iter().min_by_key(|(_, record)| record.last).map(|(key, _)| key.clone());
        oldest.map(|key| records.remove(&key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn addresses() -> [IpAddr; 2] {
        ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().unwrap())
    }

    #[test]
    fn whoever_guesses_waits_longer_and_longer_and_is_forgiven_in_the_end() {
        let (throttle, start, [here, _]) = (Throttle::default(), Instant::now(), addresses());
        for _ in 0..FREE {
            assert!(throttle.check(here, "CS", start).is_ok());
            throttle.failed(here, "CS", start);
        }
        let mut waits = Vec::new();
        let mut now = start;
        for _ in 0..10 {
            let wait = throttle.check(here, "CS", now).unwrap_err();
            waits.push(wait.as_secs());
            now += wait;
            assert!(throttle.check(here, "CS", now).is_ok());
            throttle.failed(here, "CS", now);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        now += FORGIVEN + MINUTE;
        throttle.failed(here, "CS", now);
        assert!(throttle.check(here, "CS", now).is_ok());
    }

    #[test]
    fn nobody_else_waits() {
        let (throttle, now, [here, there]) = (Throttle::default(), Instant::now(), addresses());
        (0..20).for_each(|_| throttle.failed(here, "CS", now));
        assert!(throttle.check(here, "CS", now).is_err());
        assert!(throttle.check("::ffff:10.0.0.1".parse().unwrap(), "CS", now).is_err());
        assert!(throttle.check(there, "CS", now).is_ok(), "the station itself, at another address");
        assert!(throttle.check(here, "CS-2", now).is_ok(), "another station behind the same address");
    }

    #[test]
    fn an_address_that_guesses_for_many_stations_waits_except_for_those_that_are_known_there() {
        let (throttle, now, [here, _]) = (Throttle::default(), Instant::now(), addresses());
        throttle.failed(here, "KNOWN", now);
        throttle.succeeded(here, "KNOWN", now);
        (0..FREE_OF_ADDRESS).for_each(|number| throttle.failed(here, &format!("CS-{number}"), now));
        assert!(throttle.check(here, "NEW", now).is_err());
        assert!(throttle.check(here, "KNOWN", now).is_ok());
    }

    #[test]
    fn another_address_of_the_same_network_is_the_same_guesser() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        (0..20).for_each(|number| throttle.failed(at(&format!("2001:db8:1:2::{number:x}")), "CS", now));
        assert!(throttle.check(at("2001:db8:1:2:ffff::1"), "CS", now).is_err());
        assert!(throttle.check(at("2001:db8:1:3::1"), "CS", now).is_ok());
    }

    #[test]
    fn attempts_count_before_they_end_and_right_ones_do_not_count() {
        let (throttle, now, [here, _]) = (Throttle::default(), Instant::now(), addresses());
        let begun = (0..20).filter(|_| throttle.attempt(here, "ada", now).is_ok()).count();
        assert_eq!(begun, FREE as usize);
        for number in 0..2 * FREE_OF_ADDRESS {
            let name = format!("driver {number}");
            assert!(throttle.attempt(here, &name, now).is_ok(), "{number}");
            throttle.withdraw(here, &name);
            throttle.succeeded(here, &name, now);
        }
        assert!(throttle.attempt(here, "ada", now).is_err());
    }

    #[test]
    fn any_number_of_guessers_is_remembered_in_bounded_room() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for number in 0..12_000_u32 {
            throttle.failed(IpAddr::from(number.to_be_bytes()), "CS", now + Duration::from_millis(number.into()));
        }
        assert!(throttle.records().len() <= REMEMBERED);
    }
}
