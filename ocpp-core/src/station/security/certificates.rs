//! The certificates that the station trusts and the one that it shows. Keys are the integrator's: here they only have names.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SecurityEvent;
use crate::certificate_hash::{CertificateHashData, HashAlgorithm};
use crate::station::settings::Key;
use crate::station::{Output, Station};

/// What a root certificate is trusted for (2.1 part 2, `InstallCertificateUseEnumType`; 1.6 has the first two).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RootUse {
    /// The CSMS.
    Csms,
    /// The maker, who signs firmware.
    Manufacturer,
    /// Vehicles and stations (ISO 15118).
    V2g,
    /// Providers of mobility (ISO 15118).
    MobilityOperator,
    /// Makers of vehicles (ISO 15118-20).
    Oem,
}

/// What is known about a certificate: `ocpp_core::pki` reads it (feature `pki`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CertificateFacts {
    /// Its hash data by every algorithm that the CSMS may name it with; the first one is what the station reports.
    pub hashes: Vec<CertificateHashData>,
    /// Valid from this instant on.
    #[serde(with = "crate::station::serial::time")]
    pub not_before: Timestamp,
    /// Valid until this instant.
    #[serde(with = "crate::station::serial::time")]
    pub not_after: Timestamp,
}

impl CertificateFacts {
    /// What is known about a certificate.
    #[must_use]
    pub const fn new(hashes: Vec<CertificateHashData>, not_before: Timestamp, not_after: Timestamp) -> Self {
        Self { hashes, not_before, not_after }
    }

    /// Whether the period of validity includes this instant.
    #[must_use]
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// Whether it is the one that the CSMS names so.
    fn is_named(&self, name: &CertificateHashData) -> bool {
        self.hashes.contains(name)
    }

    /// What the station names it by: SHA-256, if it has that (1.6 security, A00.FR.506).
    fn name(&self) -> Option<&CertificateHashData> {
        let preferred = self.hashes.iter().find(|known| known.algorithm == HashAlgorithm::Sha256);
        preferred.or_else(|| self.hashes.first())
    }
}

/// A root certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RootCertificate {
    /// What it is trusted for.
    pub root_use: RootUse,
    /// The certificate in PEM, at most 5,500 characters in 1.6 and 2.0.1, 10,000 in 2.1.
    pub pem: String,
    /// What is known about it.
    pub facts: CertificateFacts,
}

impl RootCertificate {
    /// A root certificate.
    #[must_use]
    pub fn new(root_use: RootUse, pem: impl Into<String>, facts: CertificateFacts) -> Self {
        Self { root_use, pem: pem.into(), facts }
    }
}

/// The station's own certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StationCertificate {
    /// The certificate and those that lead to its root, in PEM, the station's own first.
    pub chain: String,
    /// What the integrator calls its private key, which never comes here (1.6 security, A02.FR.05).
    pub key: String,
    /// What is known about it.
    pub facts: CertificateFacts,
}

impl StationCertificate {
    /// A station's certificate and what its key is called.
    #[must_use]
    pub fn new(chain: impl Into<String>, key: impl Into<String>, facts: CertificateFacts) -> Self {
        Self { chain: chain.into(), key: key.into(), facts }
    }
}

/// The store.
#[derive(Debug, Default)]
pub(in crate::station) struct Certificates {
    roots: VecDeque<Kept>,
    next: u64,
    /// The certificate in use, or on trial.
    pub(super) own: Option<StationCertificate>,
    /// The root that the certificate of the CSMS led to, if the integrator said so.
    in_use: Option<CertificateHashData>,
    /// Where a new root is to replace an old one: the old one is tried.
    takes_fallback: bool,
    is_provisioned: bool,
}

#[derive(Debug, Clone)]
struct Kept {
    number: u64,
    root: RootCertificate,
}

/// What became of an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::station) enum Installed {
    Accepted,
    Rejected,
    Failed,
}

/// What became of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::station) enum Deleted {
    Accepted,
    Failed,
    NotFound,
}

impl Installed {
    /// The standard's word.
    pub(in crate::station) const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Rejected => "Rejected",
            Self::Failed => "Failed",
        }
    }
}

impl Deleted {
    /// The standard's word.
    pub(in crate::station) const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Failed => "Failed",
            Self::NotFound => "NotFound",
        }
    }
}

fn record(number: u64) -> String {
    format!("root-certificate/{number:020}")
}

const OWN: &str = "station-certificate";
const PROVISIONED: &str = "provisioned";

impl Certificates {
    pub(in crate::station) fn restore_root(&mut self, number: u64, root: RootCertificate) {
        self.next = self.next.max(number + 1);
        self.roots.push_back(Kept { number, root });
        self.roots.make_contiguous().sort_by_key(|kept| kept.number);
    }

    pub(in crate::station) fn restore_own(&mut self, own: StationCertificate) {
        self.own = Some(own);
    }

    pub(in crate::station) const fn restore_provisioned(&mut self) {
        self.is_provisioned = true;
    }

    fn of(&self, root_use: RootUse) -> impl DoubleEndedIterator<Item = &Kept> {
        self.roots.iter().filter(move |kept| kept.root.root_use == root_use)
    }

    /// The roots for a use, in PEM.
    pub(in crate::station) fn roots(&self, root_use: RootUse) -> impl Iterator<Item = &str> {
        self.of(root_use).map(|kept| kept.root.pem.as_str())
    }

    /// How many certificates there are (2.1 part 2, `SecurityCtrlr.CertificateEntries`).
    pub(in crate::station) fn len(&self) -> usize {
        self.roots.len() + usize::from(self.own.is_some())
    }

    /// Whether a CSMS could be verified at this time.
    pub(super) fn has_csms_root(&self, at: Timestamp) -> bool {
        self.of(RootUse::Csms).any(|kept| kept.root.facts.is_valid_at(at))
    }

    /// The names of the roots for these uses; all where there are none.
    pub(in crate::station) fn names(&self, uses: &[RootUse]) -> Vec<(RootUse, &CertificateHashData)> {
        let is_wanted = |root_use| uses.is_empty() || uses.contains(&root_use);
        let wanted = self.roots.iter().filter(|kept| is_wanted(kept.root.root_use));
        wanted.filter_map(|kept| Some((kept.root.root_use, kept.root.facts.name()?))).collect()
    }
}

impl Station {
    /// The root certificates that firmware, vehicles or a CSMS are verified with, in PEM.
    pub fn root_certificates(&self, root_use: RootUse) -> impl Iterator<Item = &str> {
        self.certificates.roots(root_use)
    }

    /// Takes over what the configuration brings, once: what a CSMS deletes later doesn't come back.
    pub(in crate::station) fn provision_certificates(&mut self) {
        let roots = core::mem::take(&mut self.config.root_certificates);
        let own = self.config.station_certificate.take();
        if self.certificates.is_provisioned || (roots.is_empty() && own.is_none()) {
            return;
        }
        self.certificates.is_provisioned = true;
        self.journal.put(PROVISIONED.into(), &true);
        for root in roots {
            self.keep_root(root);
        }
        if let Some(own) = own {
            self.journal.put(OWN.into(), &own);
            self.certificates.own = Some(own);
        }
    }

    fn keep_root(&mut self, root: RootCertificate) {
        // M05.FR.17: a certificate that is there already is replaced.
        let known = self
            .certificates
            .roots
            .iter()
            .position(|kept| kept.root.root_use == root.root_use && kept.root.facts.hashes == root.facts.hashes);
        if let Some(kept) = known.and_then(|place| self.certificates.roots.remove(place)) {
            self.journal.delete(record(kept.number));
        }
        let number = self.certificates.next;
        self.certificates.next += 1;
        self.journal.put(record(number), &root);
        self.certificates.roots.push_back(Kept { number, root });
    }

    /// The roots that the certificate of the CSMS may lead to now.
    pub(in crate::station) fn csms_roots(&self) -> Vec<String> {
        let roots = || self.certificates.of(RootUse::Csms);
        if !self.settings.boolean(Key::AdditionalRootCertificateCheck) {
            return roots().map(|kept| kept.root.pem.clone()).collect();
        }
        // 1.6 security, M05.FR.11/13: the new one, and when it doesn't help the one that it replaces.
        let one = if self.certificates.takes_fallback { roots().next() } else { roots().next_back() };
        one.map(|kept| kept.root.pem.clone()).into_iter().collect()
    }
}

impl Station {
    /// Whether there is room for another root (1.6 security, M05.FR.03; M05.FR.06).
    fn has_room_for_root(&self) -> bool {
        let limit = usize::try_from(self.settings.integer(Key::CertificateStoreMaxLength)).unwrap_or(0);
        self.certificates.roots.len() < limit
    }

    /// The root that a new one for the CSMS has to be signed by (1.6 security, M05.FR.09; M05.FR.10): the last one, if there is one.
    pub(super) fn root_to_replace(&self, root_use: RootUse) -> Option<String> {
        let checks = self.settings.boolean(Key::AdditionalRootCertificateCheck) && root_use == RootUse::Csms;
        let last = self.certificates.of(RootUse::Csms).next_back();
        last.filter(|_| checks).map(|kept| kept.root.pem.clone())
    }

    /// Installs a root that the integrator has judged; `None` where he found it wrong.
    pub(super) fn install_root(
        &mut self,
        root_use: RootUse,
        pem: String,
        facts: Option<CertificateFacts>,
    ) -> Installed {
        // 1.6 security, M05.FR.06, M05.FR.10; M05.FR.07, M05.FR.11
        let Some(facts) = facts.filter(|facts| !facts.hashes.is_empty()) else { return Installed::Rejected };
        let is_known = self.certificates.roots.iter().any(|kept| kept.root.facts.hashes == facts.hashes);
        if self.root_to_replace(root_use).is_some() && !is_known {
            // 1.6 security, M05.FR.08/11; M05.FR.09, M05.FR.12: the new one and one to fall back to.
            let fallbacks = self.certificates.of(RootUse::Csms).count() - 1;
            self.drop_oldest_csms_roots(fallbacks);
            self.certificates.takes_fallback = false;
        }
        if !is_known && !self.has_room_for_root() {
            return Installed::Rejected;
        }
        self.keep_root(RootCertificate { root_use, pem, facts });
        let info = "a root certificate was installed";
        self.security_event(SecurityEvent::ReconfigurationOfSecurityParameters, Some(info));
        // 1.6 security, M05.FR.02; M05.FR.02
        Installed::Accepted
    }

    fn drop_oldest_csms_roots(&mut self, count: usize) {
        let old: Vec<u64> = self.certificates.of(RootUse::Csms).take(count).map(|kept| kept.number).collect();
        for number in old {
            self.drop_root(number);
        }
    }

    fn drop_root(&mut self, number: u64) {
        self.certificates.roots.retain(|kept| kept.number != number);
        self.journal.delete(record(number));
    }

    /// Deletes the certificate that a CSMS names in the words of the wire. There is none of an algorithm that the standard doesn't
    /// have.
    pub(in crate::station) fn delete_certificate_of_hash(
        &mut self,
        algorithm: &str,
        [issuer_name, issuer_key, serial_number]: [&str; 3],
    ) -> Deleted {
        HashAlgorithm::from_wire(algorithm).map_or(Deleted::NotFound, |algorithm| {
            self.delete_certificate(&CertificateHashData::new(algorithm, issuer_name, issuer_key, serial_number))
        })
    }

    /// The CSMS wants a certificate deleted (1.6 security, M04; M04).
    pub(in crate::station) fn delete_certificate(&mut self, name: &CertificateHashData) -> Deleted {
        // 1.6 security, M04.FR.05; M04.FR.06
        if self.certificates.own.as_ref().is_some_and(|own| own.facts.is_named(name)) {
            return Deleted::Failed;
        }
        let Some(kept) = self.certificates.roots.iter().find(|kept| kept.root.facts.is_named(name)).cloned() else {
            // 1.6 security, M04.FR.04; M04.FR.04
            return Deleted::NotFound;
        };
        // 1.6 security, M04.FR.03/06; M04.FR.03
        if kept.root.root_use == RootUse::Csms && self.is_root_in_use(&kept) {
            return Deleted::Failed;
        }
        // 1.6 security, M04.FR.02; M04.FR.02
        self.drop_root(kept.number);
        let info = "a root certificate was deleted";
        self.security_event(SecurityEvent::ReconfigurationOfSecurityParameters, Some(info));
        Deleted::Accepted
    }

    /// Whether the connection was verified with this root, or the next one can only be verified with it.
    fn is_root_in_use(&self, kept: &Kept) -> bool {
        if self.security_profile() < 2 {
            return false;
        }
        let now = self.utc();
        let others = |other: &&Kept| other.number != kept.number && other.root.facts.is_valid_at(now);
        let is_last = !self.certificates.of(RootUse::Csms).any(|other| others(&other));
        is_last || self.certificates.in_use.as_ref().is_some_and(|name| kept.root.facts.is_named(name))
    }

    /// The integrator says which root the certificate of the CSMS led to.
    pub(in crate::station) fn csms_verified(&mut self, root: CertificateHashData) {
        self.certificates.in_use = Some(root);
    }

    /// A connection begins that is verified anew.
    pub(super) fn forget_root_in_use(&mut self) {
        self.certificates.in_use = None;
    }

    /// The CSMS has spoken on a connection that was verified with the roots at hand.
    pub(super) fn root_proven(&mut self) {
        if !self.settings.boolean(Key::AdditionalRootCertificateCheck) || self.security_profile() < 2 {
            return;
        }
        if !core::mem::take(&mut self.certificates.takes_fallback) {
            // 1.6 security, M05.FR.12; M05.FR.13
            let fallbacks = self.certificates.of(RootUse::Csms).count().saturating_sub(1);
            self.drop_oldest_csms_roots(fallbacks);
        }
    }

    /// The certificate of the CSMS leads to none of the roots at hand (1.6 security, M05.FR.13; M05.FR.14).
    pub(super) fn try_other_root(&mut self) {
        let has_fallback = self.certificates.of(RootUse::Csms).count() > 1;
        self.certificates.takes_fallback = has_fallback && !self.certificates.takes_fallback;
    }

    /// The new certificate didn't work where the old one does (A02.FR.28, A02.FR.29).
    pub(super) fn discard_renewed_certificate(&mut self, old: StationCertificate) {
        self.journal.put(OWN.into(), &old);
        if let Some(renewed) = self.certificates.own.replace(old) {
            self.forget_key_of(&renewed);
        }
        self.security_event(SecurityEvent::DiscardedRenewedClientCertificate, None);
    }

    /// Nothing is signed with a key any more.
    pub(super) fn forget_key_of(&mut self, certificate: &StationCertificate) {
        let is_used = self.certificates.own.as_ref().is_some_and(|own| own.key == certificate.key);
        if !is_used {
            self.effect(Output::ForgetKey { key: certificate.key.clone() });
        }
    }

    /// A new certificate for the station: the old one stays beside it until the new one has proven itself.
    pub(super) fn take_own_certificate(&mut self, renewed: StationCertificate) {
        self.journal.put(OWN.into(), &renewed);
        let old = self.certificates.own.replace(renewed);
        // A02.FR.08; 1.6 security, A02.FR.08/10, A03.FR.08/10
        if self.security_profile() == 3 {
            if let Some(old) = old {
                let way_back = self.access.way_back.get_or_insert_default();
                match way_back.certificate {
                    // The one between was never proven.
                    Some(_) => self.forget_key_of(&old),
                    None => way_back.certificate = Some(old),
                }
            }
            self.try_new_access();
        } else if let Some(old) = old {
            self.forget_key_of(&old);
        }
        let info = "the certificate of the station";
        self.security_event(SecurityEvent::ReconfigurationOfSecurityParameters, Some(info));
    }
}
