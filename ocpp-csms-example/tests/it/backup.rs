//! Back-ups: made while the program runs, restored into a database of either kind, or not at all.

use std::sync::Arc;

use jiff::Timestamp;
use ocpp_csms::store::{
    BackupError, Database, Direction, Known, MessageLog, StationChange, Store, Token, TokenStatus, back_up, restore,
};

use crate::place::{Place, on_both, run_in_file};

fn now() -> Timestamp {
    "2026-06-01T10:00:00Z".parse().unwrap()
}

/// Enters a station, a token, meter values and frames.
async fn fill(store: &Store) {
    let change = StationChange { password_hash: Some("hash".to_owned()), ..StationChange::default() };
    store.put_station("CS", &change, now()).await.unwrap();
    let token = Token {
        token: "TAG".to_owned(),
        kind: "ISO14443".to_owned(),
        status: TokenStatus::Accepted,
        expires_at: None,
        group: None,
        created_at: now(),
        updated_at: now(),
    };
    store.put_token(&token).await.unwrap();
    let known = Known::default();
    let mut batch = store.batch("CS", &known);
    batch.put_session_state("{}");
    batch.put_meter_values("1", &(0..500).map(|number| (now(), format!("{number:03}"))).collect::<Vec<_>>());
    batch.commit().await.unwrap();
    let log = MessageLog::start(store, 100).await.unwrap();
    log.record(&Arc::from("CS"), Direction::Received, now(), "[2,\"1\",\"Heartbeat\",{}]");
    log.flush().await;
}

async fn assert_filled(database: &Database) {
    let store = Store::open(database).await.unwrap();
    let station = store.station("CS").await.unwrap().unwrap();
    assert_eq!((station.password_hash.as_deref(), station.security_profile), (Some("hash"), Some(1)));
    assert_eq!(store.token("tag").await.unwrap().unwrap().expires_at, None);
    assert_eq!(store.session_state("CS").await.unwrap().state.as_deref(), Some("{}"));
    let values = store.meter_values("CS", "1").await.unwrap();
    assert_eq!((values.len(), values[499].as_str()), (500, "499"));
    assert_eq!(store.messages("CS", None, 10).await.unwrap().len(), 1);
    store.close().await;
}

async fn is_new(database: &Database) -> bool {
    let store = Store::open(database).await.unwrap();
    let stations = store.stations(None, 10).await.unwrap();
    store.close().await;
    stations.is_empty()
}

on_both! {
    async fn a_back_up_of_a_running_database_is_restored_into_either_kind(place: Place) {
        let store = place.open().await;
        fill(&store).await;
        let file = place.folder.file("back-up");
        back_up(&place.database, &file).await.unwrap();
        // What comes after it is not part of it.
        store.put_station("LATER", &StationChange::default(), now()).await.unwrap();
        for target in [Place::on_sqlite().await, Place::on_postgres().await].into_iter().flatten() {
            restore(&target.database, &file, false).await.unwrap();
            assert_filled(&target.database).await;
            let store = target.open().await;
            assert_eq!(store.station("LATER").await.unwrap(), None);
            store.close().await;
        }
        assert!(matches!(back_up(&place.database, &file).await, Err(BackupError::Exists(_))));
    }

    async fn a_back_up_takes_the_place_of_what_is_there_only_by_force(place: Place) {
        let source = Place::on_sqlite().await.unwrap();
        fill(&source.open().await).await;
        let file = place.folder.file("back-up");
        back_up(&source.database, &file).await.unwrap();
        let store = place.open().await;
        store.put_station("OTHER", &StationChange::default(), now()).await.unwrap();
        let error = restore(&place.database, &file, false).await.unwrap_err();
        assert!(matches!(error, BackupError::NotEmpty(_)) && error.to_string().contains("--force"), "{error}");
        assert!(store.station("OTHER").await.unwrap().is_some());
        restore(&place.database, &file, true).await.unwrap();
        assert_filled(&place.database).await;
        assert_eq!(store.station("OTHER").await.unwrap(), None);
    }

    async fn a_damaged_back_up_changes_nothing(place: Place) {
        let source = Place::on_sqlite().await.unwrap();
        fill(&source.open().await).await;
        let file = place.folder.file("back-up");
        back_up(&source.database, &file).await.unwrap();
        let whole = std::fs::read(&file).unwrap();
        // Cut off at the end of a page, and within one; notes of somebody; nothing at all.
        let broken = [
            whole[..whole.len() / 4096 / 2 * 4096].to_vec(),
            whole[..whole.len() - 100].to_vec(),
            b"these are notes\n".repeat(1000),
            Vec::new(),
        ];
        for content in broken {
            std::fs::write(&file, content).unwrap();
            let error = restore(&place.database, &file, true).await.unwrap_err();
            assert!(matches!(error, BackupError::Damaged { .. }), "{error:?}");
            assert!(error.to_string().contains("nothing was changed"), "{error}");
            assert!(is_new(&place.database).await);
        }
    }

    async fn a_back_up_of_a_newer_program_changes_nothing(place: Place) {
        let source = Place::on_sqlite().await.unwrap();
        fill(&source.open().await).await;
        let file = place.folder.file("back-up");
        back_up(&source.database, &file).await.unwrap();
        let future = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'from the future', TRUE, '', 0)";
        run_in_file(&file, future).await;
        match restore(&place.database, &file, true).await {
            Err(BackupError::Newer { migration: 9999, .. }) => {}
            other => panic!("{other:?}"),
        }
        assert!(is_new(&place.database).await);
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_backed_up_and_leaves_no_file() {
    let place = Place::on_sqlite().await.unwrap();
    let file = place.folder.file("back-up");
    assert!(matches!(back_up(&place.database, &file).await, Err(BackupError::NoDatabase(_))));
    place.open().await.close().await;
    let nowhere = place.folder.file("nowhere/back-up");
    let error = back_up(&place.database, &nowhere).await.unwrap_err();
    assert!(matches!(error, BackupError::File { .. }), "{error:?}");
    assert!(!file.exists() && !nowhere.exists());
}
