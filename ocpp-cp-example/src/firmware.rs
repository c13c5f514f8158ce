//! The firmware of a simulated station: images on the disk, and the version that runs.
//!
//! An image can hold anything. Installing it means that it becomes the one that runs after the next restart; its version is the
//! file name of its location without the extension (`https://host/wallbox-2.0.0.bin` is version `wallbox-2.0.0`), and where that
//! runs already with other content, the same with the beginning of its SHA-256 appended. An empty image is refused.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use ocpp_core::station::{FirmwareFact, UpdateId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Longest version that every OCPP version reports, in characters.
const VERSION: usize = 50;
/// File with what is installed.
const INSTALLED: &str = "installed.json";

/// Where images are kept.
#[derive(Debug)]
pub(crate) struct Firmware {
    folder: PathBuf,
    /// Whether it ends with the process.
    is_temporary: bool,
}

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Installed {
    version: String,
    sha256: String,
}

impl Firmware {
    /// In the state folder, or without one in a folder that is removed with the station.
    pub(crate) fn open(state: Option<&Path>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let (folder, is_temporary) = match state {
            Some(state) => (state.join("firmware"), false),
            None => {
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                (std::env::temp_dir().join(format!("ocpp-cp-firmware-{}-{number}", std::process::id())), true)
            }
        };
        Self { folder, is_temporary }
    }

    /// The version that a station that starts now has.
    pub(crate) fn version(&self) -> String {
        installed(&self.folder).map_or_else(|| env!("CARGO_PKG_VERSION").to_owned(), |installed| installed.version)
    }

    /// Where the image of an update is kept.
    pub(crate) fn image(&self, update: UpdateId) -> PathBuf {
        self.folder.join(format!("image-{}", update.0))
    }

    /// Forgets the images of all updates but this one.
    pub(crate) fn forget_others(&self, update: UpdateId) {
        let keep = self.image(update);
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| *path != keep) {
            let is_image = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("image-"));
            if is_image && let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!("{} cannot be removed: {error}", path.display());
            }
        }
    }

    /// What installing needs, to be done where it may take its time.
    pub(crate) fn installation(
        &self,
        update: UpdateId,
        location: &str,
    ) -> impl FnOnce() -> FirmwareFact + Send + use<> {
        let (folder, image, name) = (self.folder.clone(), self.image(update), name(location));
        move || install(&folder, &image, &name).unwrap_or_else(|error| failed(&error))
    }
}

impl Drop for Firmware {
    fn drop(&mut self) {
        if self.is_temporary {
            // Nothing in it is of use to anybody.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn failed(error: &io::Error) -> FirmwareFact {
    FirmwareFact::InstallationFailed { reason: error.to_string() }
}

fn installed(folder: &Path) -> Option<Installed> {
    let text = std::fs::read_to_string(folder.join(INSTALLED)).ok()?;
    match serde_json::from_str(&text) {
        Ok(installed) => Some(installed),
        Err(error) => {
            tracing::error!("what is installed can't be read: {error}; the station runs its first firmware");
            None
        }
    }
}

/// The file name of a location, without its extension.
fn name(location: &str) -> String {
    let path = location.split(['?', '#']).next().unwrap_or_default();
    let file = path.rsplit('/').next().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let stem: String = stem.chars().filter(|character| !character.is_control()).take(VERSION).collect();
    if stem.is_empty() { "firmware".to_owned() } else { stem }
}

fn install(folder: &Path, image: &Path, name: &str) -> io::Result<FirmwareFact> {
    let content = std::fs::read(image)?;
    if content.is_empty() {
        return Ok(FirmwareFact::VerificationFailed { reason: "the image is empty".to_owned() });
    }
    let sha256: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
    let before = installed(folder);
    let runs = before.as_ref().map_or(env!("CARGO_PKG_VERSION"), |before| &before.version);
    if before.as_ref().is_some_and(|before| before.sha256 == sha256) {
        // It is at work already.
        return Ok(FirmwareFact::Installed);
    }
    let version = if runs == name {
        let short: String = name.chars().take(VERSION - 9).collect();
        format!("{short}+{}", sha256.get(..8).unwrap_or_default())
    } else {
        name.to_owned()
    };
    let record = serde_json::to_vec(&Installed { version, sha256 })?;
    let part = folder.join("installed.part");
    {
        use std::io::Write;
        let mut file = std::fs::File::create(&part)?;
        file.write_all(&record)?;
        file.sync_all()?;
    }
    std::fs::rename(part, folder.join(INSTALLED))?;
    Ok(FirmwareFact::RestartNeeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCATION: &str = "https://user:secret@x.example/files/wallbox-2.0.0.bin?key=1";

    fn installed_from(firmware: &Firmware, update: u64, content: &[u8]) -> FirmwareFact {
        std::fs::create_dir_all(&firmware.folder).unwrap();
        std::fs::write(firmware.image(UpdateId(update)), content).unwrap();
        firmware.installation(UpdateId(update), LOCATION)()
    }

    #[test]
    fn an_image_is_at_work_after_the_next_start_under_the_name_of_its_file() {
        let firmware = Firmware::open(None);
        assert_eq!(firmware.version(), env!("CARGO_PKG_VERSION"));
        assert_eq!(installed_from(&firmware, 1, b"new"), FirmwareFact::RestartNeeded);
        assert_eq!(firmware.version(), "wallbox-2.0.0");
        // The same again is nothing new, another content of the same name is.
        assert_eq!(installed_from(&firmware, 2, b"new"), FirmwareFact::Installed);
        assert_eq!(installed_from(&firmware, 3, b"newer"), FirmwareFact::RestartNeeded);
        assert!(firmware.version().starts_with("wallbox-2.0.0+"));
        firmware.forget_others(UpdateId(3));
        assert!(!firmware.image(UpdateId(1)).exists() && firmware.image(UpdateId(3)).exists());
        let folder = firmware.folder.clone();
        drop(firmware);
        assert!(!folder.exists());
    }

    #[test]
    fn an_image_that_is_empty_or_missing_is_not_installed() {
        let firmware = Firmware::open(None);
        assert!(matches!(installed_from(&firmware, 1, b""), FirmwareFact::VerificationFailed { .. }));
        let missing = firmware.installation(UpdateId(7), LOCATION)();
        assert!(matches!(missing, FirmwareFact::InstallationFailed { .. }));
        assert_eq!(firmware.version(), env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn a_location_without_a_file_name_has_a_version_all_the_same() {
        assert_eq!(name("ftp://x.example/"), "firmware");
        assert_eq!(name("ftp://x.example/a/b"), "b");
        assert_eq!(name(&format!("ftp://x.example/{}.bin", "x".repeat(80))).len(), VERSION);
    }
}
