//! Where the database is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use sqlx::postgres::PgConnectOptions;

/// The database of an installation: a file of its own, or one of a PostgreSQL server.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub enum Database {
    /// An SQLite file, made when it does not exist.
    File(PathBuf),
    /// A database of a PostgreSQL server. Boxed: it is large.
    Server(Box<PgConnectOptions>),
}

/// The address of a PostgreSQL database is not understood.
#[derive(Debug, thiserror::Error)]
#[error("{reason}; a database is the name of a file, or postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
pub struct DatabaseError {
    reason: String,
}

impl Database {
    /// A file beside the database, or with the name of the database in the current folder.
    #[must_use]
    pub fn beside(&self, extension: &str) -> PathBuf {
        match self {
            Self::File(path) => path.with_extension(extension),
            Self::Server(options) => Path::new(options.get_database().unwrap_or("ocpp-csms")).with_extension(extension),
        }
    }
}

impl FromStr for Database {
    type Err = DatabaseError;

    fn from_str(text: &str) -> Result<Self, DatabaseError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            // What the error says holds no password: it is about the form.
            let options = text.parse().map_err(|error: sqlx::Error| DatabaseError { reason: error.to_string() })?;
            return Ok(Self::Server(Box::new(options)));
        }
        match text.split_once("://") {
            Some((scheme, _)) => {
                Err(DatabaseError { reason: format!("there are no databases of the kind {scheme:?}") })
            }
            None if text.is_empty() => Err(DatabaseError { reason: "the name of the database is empty".to_owned() }),
            None => Ok(Self::File(text.into())),
        }
    }
}

impl TryFrom<String> for Database {
    type Error = DatabaseError;

    fn try_from(text: String) -> Result<Self, DatabaseError> {
        text.parse()
    }
}

impl From<PathBuf> for Database {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&PathBuf> for Database {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<&Path> for Database {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<&Self> for Database {
    fn from(database: &Self) -> Self {
        database.clone()
    }
}

/// As people see it, without its password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(options) => {
                let name = options.get_database().unwrap_or(options.get_username());
                match options.get_socket() {
                    Some(socket) => write!(f, "postgres://{}@{}/{name}", options.get_username(), socket.display()),
                    None => {
                        let (user, host, port) = (options.get_username(), options.get_host(), options.get_port());
                        write!(f, "postgres://{user}@{host}:{port}/{name}")
                    }
                }
            }
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let database: Database = "postgres://csms:s3cret@db.example:5433/charging".parse().unwrap();
        assert_eq!(database.to_string(), "postgres://csms@db.example:5433/charging");
        assert!(!format!("{database:?}").contains("s3cret"));
        let error = "postgres://csms:s3cret@db.example:port/charging".parse::<Database>().unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }

    #[test]
    fn what_is_no_address_of_a_server_is_a_file() {
        assert!(matches!("data/csms.sqlite".parse(), Ok(Database::File(_))));
        let error = "mysql://csms@localhost/csms".parse::<Database>().unwrap_err();
        assert!(error.to_string().contains("mysql") && error.to_string().contains("postgres://"), "{error}");
        assert!("".parse::<Database>().is_err());
    }
}
