//! Secrets of the configuration.

use std::path::PathBuf;

use serde::Deserialize;

/// A secret of the configuration: never shown.
///
/// In the file it is the text itself, or where it is: `{ env = "NAME" }` for a variable of the environment, `{ file = "PATH" }` for a
/// file, of which the white space at the end does not count. It is read once, with the configuration.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Secret(String);

/// A secret as it is written.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Elsewhere(Elsewhere),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Elsewhere {
    Env(String),
    File(PathBuf),
}

/// Why there is no secret, and what to do.
#[derive(Debug, thiserror::Error)]
enum SecretError {
    #[error("the variable {0} is not set: set it, or write where the secret is")]
    Variable(String),
    #[error("the secret cannot be read from {}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("a secret is empty")]
    Empty,
}

impl Secret {
    /// Keeps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl TryFrom<Written> for Secret {
    type Error = SecretError;

    fn try_from(written: Written) -> Result<Self, SecretError> {
        let text = match written {
            Written::Text(text) => text,
            Written::Elsewhere(Elsewhere::Env(name)) => {
                std::env::var(&name).map_err(|_| SecretError::Variable(name))?
            }
            Written::Elsewhere(Elsewhere::File(path)) => {
                std::fs::read_to_string(&path).map_err(|source| SecretError::File { path, source })?
            }
        };
        // What editors and orchestrators put after it is no part of it.
        let text = text.trim_end();
        if text.is_empty() { Err(SecretError::Empty) } else { Ok(Self(text.to_owned())) }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Part {
        key: Secret,
    }

    fn read(toml: &str) -> Result<Secret, String> {
        toml::from_str::<Part>(toml).map(|part| part.key).map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_is_written_or_read_from_where_it_is() {
        let file = std::env::temp_dir().join(format!("ocpp-csms-secret-{}", uuid::Uuid::new_v4().simple()));
        std::fs::write(&file, "sk_file\n").unwrap();
        assert_eq!(read(r#"key = "sk_text""#).unwrap().reveal(), "sk_text");
        assert_eq!(read(&format!("key = {{ file = {:?} }}", file.to_str().unwrap())).unwrap().reveal(), "sk_file");
        // Cargo sets it for every test.
        assert_eq!(read(r#"key = { env = "CARGO_PKG_NAME" }"#).unwrap().reveal(), env!("CARGO_PKG_NAME"));
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn a_secret_that_is_not_there_is_refused_with_what_to_do() {
        for (toml, part) in [
            (r#"key = { env = "OCPP_CSMS_NO_SUCH_SECRET" }"#, "OCPP_CSMS_NO_SUCH_SECRET is not set"),
            (r#"key = { file = "/nowhere/at/all" }"#, "/nowhere/at/all"),
            (r#"key = " ""#, "empty"),
        ] {
            let error = read(toml).unwrap_err();
            assert!(error.contains(part), "{toml}: {error}");
        }
    }

    #[test]
    fn a_debug_print_shows_no_secret() {
        assert_eq!(format!("{:?}", Secret::new("whsec_test")), "…");
    }
}
