//! The database by itself.

use std::sync::Arc;

use jiff::Timestamp;
use ocpp_csms::Server;
use ocpp_csms::config::ConfigFile;
use ocpp_csms::store::{Direction, MessageLog, OpenError, Registration, StationChange, Store};

use crate::harness::Folder;

fn now() -> Timestamp {
    "2026-06-01T10:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let folder = Folder::new();
    let file = folder.file("csms.sqlite");
    Store::open(&file).await.unwrap().close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'from the future', TRUE, x'00', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    match Store::open(&file).await {
        Err(error @ OpenError::Newer { migration: 9999, .. }) => {
            assert!(error.to_string().contains("newer ocpp-csms"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let folder = Folder::new();
    let file = folder.file("other.sqlite");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("CREATE TABLE recipes (name TEXT)").execute(&pool).await.unwrap();
    assert!(matches!(Store::open(&file).await, Err(OpenError::Foreign(_))));
    let tables: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'").fetch_one(&pool).await.unwrap();
    assert_eq!(tables, 1);
}

#[tokio::test]
async fn what_was_kept_is_there_after_opening_again() {
    let folder = Folder::new();
    let file = folder.file("csms.sqlite");
    let store = Store::open(&file).await.unwrap();
    let change = StationChange { free_vend: Some(true), ..StationChange::default() };
    assert!(store.put_station("CS", &change, now()).await.unwrap());
    assert!(!store.put_station("CS", &StationChange::default(), now()).await.unwrap());
    store.close().await;
    let station = Store::open(&file).await.unwrap().station("CS").await.unwrap().unwrap();
    assert!(station.free_vend && station.provisioned);
    assert_eq!(station.registration, Registration::Accepted);
    assert_eq!(station.created_at, now());
}

#[tokio::test]
async fn a_batch_that_is_not_committed_leaves_nothing() {
    let folder = Folder::new();
    let store = Store::open(&folder.file("csms.sqlite")).await.unwrap();
    store.put_station("CS", &StationChange::default(), now()).await.unwrap();
    let mut batch = store.batch("CS").await.unwrap();
    batch.put_session_state("{}").await.unwrap();
    batch.put_meter_values("1", &[(now(), "{}".to_owned())]).await.unwrap();
    drop(batch);
    assert_eq!(store.session_state("CS").await.unwrap(), None);
    assert!(store.meter_values("CS", "1").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_meter_value_is_kept_once_however_often_it_is_sent() {
    let folder = Folder::new();
    let store = Store::open(&folder.file("csms.sqlite")).await.unwrap();
    store.put_station("CS", &StationChange::default(), now()).await.unwrap();
    for _ in 0..2 {
        let mut batch = store.batch("CS").await.unwrap();
        let values: Vec<_> = (0..1200).map(|number| (now(), format!("{{\"n\":{number:04}}}"))).collect();
        batch.put_meter_values("1", &values).await.unwrap();
        batch.commit().await.unwrap();
    }
    let kept = store.meter_values("CS", "1").await.unwrap();
    assert_eq!(kept.len(), 1200);
    assert_eq!(kept[7], "{\"n\":0007}");
}

#[tokio::test]
async fn the_log_keeps_the_newest_frames_of_each_station() {
    let folder = Folder::new();
    let store = Store::open(&folder.file("csms.sqlite")).await.unwrap();
    let log = MessageLog::start(&store, 10).await.unwrap();
    let (busy, quiet): (Arc<str>, Arc<str>) = ("BUSY".into(), "QUIET".into());
    log.record(&quiet, Direction::Received, now(), "only one");
    for number in 0..100 {
        log.record(&busy, Direction::Sent, now(), &number.to_string());
        if number % 7 == 0 {
            log.flush().await;
        }
    }
    log.flush().await;
    let kept = store.messages("BUSY", None, 1000).await.unwrap();
    assert!((10..=11).contains(&kept.len()), "{}", kept.len());
    assert_eq!(kept.last().unwrap().text, "99");
    assert_eq!(store.messages("QUIET", None, 1000).await.unwrap().len(), 1);
    // Numbers go on where they were.
    let last = kept.last().unwrap().number;
    let log = MessageLog::start(&store, 10).await.unwrap();
    log.record(&quiet, Direction::Sent, now(), &"é".repeat(40_000));
    log.flush().await;
    let newest = store.messages("QUIET", None, 1).await.unwrap().remove(0);
    assert!(newest.number > last);
    assert_eq!(newest.text.len(), 65_536);
}

#[tokio::test]
async fn the_api_token_is_made_once_and_only_its_hash_is_kept() {
    let folder = Folder::new();
    let file = folder.file("csms.sqlite");
    let config = || {
        let file = ConfigFile {
            listen: Some("127.0.0.1:0".parse().unwrap()),
            database: Some(file.as_path().into()),
            ..ConfigFile::default()
        };
        file.check().unwrap()
    };
    let server = Server::start(config(), None).await.unwrap();
    let token = server.new_api_token().expect("a new database has no token").to_owned();
    server.shut_down().await;
    let server = Server::start(config(), None).await.unwrap();
    assert_eq!(server.new_api_token(), None);
    let url = format!("http://{}/api/v1/stations", server.address());
    let response = reqwest::Client::new().get(url).bearer_auth(&token).send().await.unwrap();
    assert_eq!(response.status(), 200);
    server.shut_down().await;
    let content = std::fs::read(&file).unwrap();
    assert!(!content.windows(token.len()).any(|window| window == token.as_bytes()));
}
