//! Whether a station's inventory is asked for by the session itself (2.1 part 2, B07.FR.14).

use alloc::boxed::Box;

use ocpp_types::Version;
use ocpp_types::v2_1::ReportBaseEnumType;

use super::config::RegistrationStatus;
use super::event::Boot;
use super::operations::inventory;
use super::session::Session;
use crate::time::Now;

impl Session {
    /// A station has booted: what is known of its variables may be another station's, or of another firmware.
    pub(super) fn renew_inventory(&mut self, now: Now, boot: &Boot) {
        let (Some(version), true) = (self.endpoint.version(), self.config.inventory) else { return };
        let accepted = boot.registration == RegistrationStatus::Accepted;
        let known = self.mirrors.inventory_of.as_ref() == boot.firmware_version.as_ref()
            && self.mirrors.inventory_of.is_some()
            && !self.mirrors.device_model.is_empty();
        if version == Version::V1_6 || !accepted || known {
            return;
        }
        self.mirrors.inventory_of.clone_from(&boot.firmware_version);
        // Where it can't be asked for now, it is the next time.
        if self.start(now, None, Box::new(inventory(ReportBaseEnumType::FullInventory))).is_err() {
            self.mirrors.inventory_of = None;
        }
    }
}
