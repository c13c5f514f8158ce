//! The private keys of the station. They stay here: what goes out are requests and certificates (1.6 security, A02.FR.05).

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ocpp_core::pki::{KeyError, PrivateKey};

/// What the key of `--key` is called.
pub(super) const CONFIGURED: &str = "configured";

/// Where keys are kept.
#[derive(Default)]
pub(super) struct Keys {
    /// A file for each; without a folder they are forgotten with the process.
    folder: Option<PathBuf>,
    memory: BTreeMap<String, String>,
}

impl Keys {
    /// Keeps keys in a folder, if there is one. `configured` is the key of `--key`, in PEM.
    pub(super) fn new(state: Option<&Path>, configured: Option<String>) -> Self {
        let memory = configured.map(|pem| (CONFIGURED.to_owned(), pem)).into_iter().collect();
        Self { folder: state.map(|state| state.join("keys")), memory }
    }

    /// Makes a key and keeps it under a name of its own.
    pub(super) fn generate(&mut self) -> io::Result<(String, PrivateKey)> {
        let key = PrivateKey::generate().map_err(other)?;
        let name = format!("key-{:032x}", rand::random::<u128>());
        match &self.folder {
            Some(folder) => write(folder, &name, &key.to_pem())?,
            None => _ = self.memory.insert(name.clone(), key.to_pem()),
        }
        Ok((name, key))
    }

    /// A key, in PEM.
    pub(super) fn pem(&self, name: &str) -> Option<String> {
        match (self.memory.get(name), &self.folder) {
            (Some(pem), _) => Some(pem.clone()),
            (None, Some(folder)) => fs::read_to_string(file(folder, name)?).ok(),
            (None, None) => None,
        }
    }

    /// A key.
    pub(super) fn key(&self, name: &str) -> Option<PrivateKey> {
        PrivateKey::from_pem(&self.pem(name)?).ok()
    }

    /// Destroys a key. That of `--key` belongs to the user.
    pub(super) fn forget(&mut self, name: &str) -> io::Result<()> {
        if name == CONFIGURED {
            return Ok(());
        }
        self.memory.remove(name);
        match self.folder.as_ref().and_then(|folder| file(folder, name)) {
            Some(path) if path.exists() => fs::remove_file(path),
            _ => Ok(()),
        }
    }
}

fn other(error: KeyError) -> io::Error {
    io::Error::other(error)
}

/// The file of a key; `None` where the name is none of ours.
fn file(folder: &Path, name: &str) -> Option<PathBuf> {
    let is_ours = name.strip_prefix("key-").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_ours.then(|| folder.join(format!("{name}.pem")))
}

/// Writes a key so that nobody else can read it, and that it is there after a power cut.
fn write(folder: &Path, name: &str, pem: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let path = file(folder, name).ok_or_else(|| io::Error::other("no name of a key"))?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_kept_for_its_owner_alone_until_it_is_forgotten() {
        let state = std::env::temp_dir().join(format!("ocpp-cp-keys-{:016x}", rand::random::<u64>()));
        let mut keys = Keys::new(Some(&state), Some("a key of the user".to_owned()));
        let (name, key) = keys.generate().unwrap();
        let path = state.join("keys").join(format!("{name}.pem"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let again = Keys::new(Some(&state), None);
        assert_eq!(again.pem(&name), Some(key.to_pem()));
        assert_eq!(again.pem("../../etc/passwd"), None);
        keys.forget(&name).unwrap();
        assert!(!path.exists() && keys.pem(&name).is_none());
        keys.forget(CONFIGURED).unwrap();
        assert_eq!(keys.pem(CONFIGURED).as_deref(), Some("a key of the user"));
        fs::remove_dir_all(state).unwrap();
    }

    #[test]
    fn without_a_folder_keys_live_in_memory() {
        let mut keys = Keys::new(None, None);
        let (name, key) = keys.generate().unwrap();
        assert_eq!(keys.pem(&name), Some(key.to_pem()));
        assert!(keys.key(&name).is_some());
        keys.forget(&name).unwrap();
        assert!(keys.key(&name).is_none());
    }
}
