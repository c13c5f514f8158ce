//! A database for a test, of either kind.

use std::path::{Path, PathBuf};

use ocpp_csms::store::{Database, Store};

use crate::harness::Folder;
use crate::postgres;

/// Whether the whole suite is to run on PostgreSQL: `OCPP_CSMS_TEST_DATABASE=postgres`.
fn is_everything_on_postgres() -> bool {
    std::env::var("OCPP_CSMS_TEST_DATABASE").is_ok_and(|kind| kind == "postgres")
}

/// The database that a test calls by the name of a file: the file, unless the suite runs on PostgreSQL.
pub async fn database(path: &Path) -> Database {
    if !is_everything_on_postgres() {
        return path.into();
    }
    postgres::database(&name(path)).await.expect("the suite is to run on PostgreSQL")
}

/// What a program has to be told of the database that a test calls by the name of a file.
pub async fn address(path: &Path) -> String {
    if !is_everything_on_postgres() {
        return path.to_str().unwrap().to_owned();
    }
    database(path).await;
    postgres::address(&name(path), "postgres").unwrap()
}

/// Runs SQL in the database that a test calls by the name of a file, beside the program.
pub async fn run(path: &Path, text: &str) {
    if is_everything_on_postgres() {
        postgres::run(&name(path), text).await;
    } else {
        run_in_file(path, text).await;
    }
}

/// The one column of text of what a query returns, read beside the program.
pub async fn texts(path: &Path, query: &'static str) -> Vec<String> {
    if is_everything_on_postgres() {
        let address = postgres::address(&name(path), "postgres").unwrap();
        let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&address).await.unwrap();
        return sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap();
    }
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap()
}

fn name(path: &Path) -> String {
    let folder = path.parent().and_then(Path::file_name).unwrap().to_string_lossy();
    format!("{folder}_{}", path.file_stem().unwrap().to_string_lossy()).replace(['-', '.'], "_").to_lowercase()
}

/// Runs SQL in an SQLite file.
pub async fn run_in_file(path: &Path, text: &str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
}

/// A database that did not exist before.
pub struct Place {
    pub database: Database,
    /// Of the file, or of the server.
    name: String,
    /// Where a test may put files.
    pub folder: Folder,
}

impl Place {
    pub async fn on_sqlite() -> Option<Self> {
        let folder = Folder::new();
        let file = folder.file("csms.sqlite");
        Some(Self { database: file.as_path().into(), name: file.to_string_lossy().into_owned(), folder })
    }

    /// None where there is no PostgreSQL.
    pub async fn on_postgres() -> Option<Self> {
        let folder = Folder::new();
        let name = name(&folder.file("csms"));
        Some(Self { database: postgres::database(&name).await?, name, folder })
    }

    pub async fn open(&self) -> Store {
        Store::open(&self.database).await.unwrap()
    }

    /// Runs SQL beside the program.
    pub async fn run(&self, text: &str) {
        match self.database {
            Database::File(_) => run_in_file(&PathBuf::from(&self.name), text).await,
            Database::Server(_) => postgres::run(&self.name, text).await,
        }
    }
}

/// Tests that run on both databases: on PostgreSQL where it is installed.
macro_rules! on_both {
    ($($(#[$attribute:meta])* async fn $name:ident($place:ident: Place) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports, reason = "not every test needs all that the file names")]
            use super::*;
            use crate::place::Place;

            async fn test($place: Place) $body

            $(#[$attribute])*
            #[tokio::test]
            async fn on_sqlite() {
                if let Some(place) = Place::on_sqlite().await {
                    test(place).await;
                }
            }

            #[tokio::test]
            async fn on_postgres() {
                if let Some(place) = Place::on_postgres().await {
                    test(place).await;
                }
            }
        }
    )*};
}

pub(crate) use on_both;
