//! The database by itself, of either kind.

use std::sync::Arc;

use jiff::Timestamp;
use ocpp_csms::Server;
use ocpp_csms::config::ConfigFile;
use ocpp_csms::store::{
    Database, Direction, Known, MessageLog, OpenError, Registration, SecurityEvent, SessionState, Source,
    StationChange, Store, Token, TokenStatus,
};

use crate::place::on_both;
use crate::postgres;

fn now() -> Timestamp {
    "2026-06-01T10:00:00Z".parse().unwrap()
}

on_both! {
    async fn a_database_of_a_newer_program_is_refused(place: Place) {
        place.open().await.close().await;
        place.run(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'from the future', TRUE, '', 0)",
        )
        .await;
        match Store::open(&place.database).await {
            Err(error @ OpenError::Newer { migration: 9999, .. }) => {
                assert!(error.to_string().contains("newer ocpp-csms"));
            }
            other => panic!("{other:?}"),
        }
    }

    async fn a_database_of_another_program_is_refused_and_left_alone(place: Place) {
        place.run("CREATE TABLE recipes (name TEXT)").await;
        assert!(matches!(Store::open(&place.database).await, Err(OpenError::Foreign(_))));
        // Nothing but the table of before is there, so it opens without it.
        place.run("DROP TABLE recipes").await;
        place.open().await;
    }

    async fn those_that_open_a_new_database_at_once_all_find_it_up_to_date(place: Place) {
        let opened = futures_util::future::join_all((0..4).map(|_| Store::open(&place.database))).await;
        for store in opened {
            store.unwrap().check().await.unwrap();
        }
    }

    async fn a_migration_that_came_later_than_those_with_greater_numbers_is_still_applied(place: Place) {
        place.open().await.close().await;
        place.run("DROP INDEX unknown_stations; DELETE FROM _sqlx_migrations WHERE version = 5").await;
        place.open().await.close().await;
        // It fails if there is none.
        place.run("DROP INDEX unknown_stations").await;
    }

    async fn what_was_kept_is_there_after_opening_again(place: Place) {
        let store = place.open().await;
        let change = StationChange { free_vend: Some(true), ..StationChange::default() };
        assert!(store.put_station("CS", &change, now()).await.unwrap());
        assert!(!store.put_station("CS", &StationChange::default(), now()).await.unwrap());
        store.close().await;
        let station = place.open().await.station("CS").await.unwrap().unwrap();
        assert!(station.free_vend && station.provisioned);
        assert_eq!(station.registration, Registration::Accepted);
        assert_eq!(station.created_at, now());
    }

    async fn a_token_is_the_same_in_any_case_of_its_letters(place: Place) {
        let store = place.open().await;
        let mut token = Token {
            token: "AbC".to_owned(),
            kind: "ISO14443".to_owned(),
            status: TokenStatus::Accepted,
            expires_at: Some(now()),
            group: None,
            created_at: now(),
            updated_at: now(),
        };
        assert!(store.put_token(&token).await.unwrap());
        token.token = "ABC".to_owned();
        token.status = TokenStatus::NoCredit;
        assert!(!store.put_token(&token).await.unwrap());
        assert_eq!(store.token("abc").await.unwrap(), Some(token));
        assert!(store.delete_token("aBc").await.unwrap());
        assert_eq!(store.token("abc").await.unwrap(), None);
    }

    async fn only_so_many_unknown_stations_are_entered(place: Place) {
        let store = place.open().await;
        for number in 0..3 {
            let entered = store.onboard_station(&format!("CS-{number}"), Registration::Pending, 2, now()).await;
            assert_eq!(entered.unwrap(), number < 2);
        }
    }

    async fn security_events_are_numbered_by_their_order(place: Place) {
        let store = place.open().await;
        let event = |number: u32| SecurityEvent {
            at: now(),
            source: Source::Csms,
            station: number.is_multiple_of(2).then(|| "CS".to_owned()),
            kind: format!("Kind{number}"),
            remote: None,
            detail: None,
        };
        for number in 0..10 {
            store.put_security_event(&event(number)).await.unwrap();
        }
        let latest = store.security_events(None, 2).await.unwrap();
        assert_eq!(latest, [event(9), event(8)]);
        let of_station = store.security_events(Some("CS"), 100).await.unwrap();
        assert_eq!(of_station.first(), Some(&event(8)));
        assert_eq!(of_station.len(), 5);
    }

    async fn a_batch_that_is_not_committed_leaves_nothing(place: Place) {
        let store = place.open().await;
        store.put_station("CS", &StationChange::default(), now()).await.unwrap();
        let known = Known::default();
        let mut batch = store.batch("CS", &known);
        batch.put_session_state("{}");
        batch.put_meter_values("1", &[(now(), "{}".to_owned())]);
        // With this it has begun.
        batch.use_up_reservation(1, "1", now()).await.unwrap();
        drop(batch);
        assert_eq!(store.session_state("CS").await.unwrap(), SessionState::default());
        assert!(store.meter_values("CS", "1").await.unwrap().is_empty());
    }

    async fn a_meter_value_is_kept_once_however_often_it_is_sent(place: Place) {
        let store = place.open().await;
        store.put_station("CS", &StationChange::default(), now()).await.unwrap();
        for _ in 0..2 {
            let known = Known::default();
            let mut batch = store.batch("CS", &known);
            let values: Vec<_> = (0..1200).map(|number| (now(), format!("{{\"n\":{number:04}}}"))).collect();
            batch.put_meter_values("1", &values);
            batch.commit().await.unwrap();
        }
        let kept = store.meter_values("CS", "1").await.unwrap();
        assert_eq!(kept.len(), 1200);
        assert_eq!(kept[7], "{\"n\":0007}");
    }

    async fn what_many_stations_report_at_once_is_kept_and_who_fails_takes_nobody_along(place: Place) {
        let store = place.open().await;
        for number in (0..300).filter(|number| number % 100 != 7) {
            store.put_station(&format!("CS-{number}"), &StationChange::default(), now()).await.unwrap();
        }
        let keep = async |number: u32| {
            let station = format!("CS-{number}");
            let known = Known::default();
            let mut batch = store.batch(&station, &known);
            batch.put_meter_values("1", &[(now(), station.clone()), (now(), "{}".to_owned())]);
            // Of a station that there is not, this cannot be kept.
            batch.put_session_state(&station);
            batch.commit().await
        };
        let kept = futures_util::future::join_all((0..300).map(keep)).await;
        for (number, kept) in kept.into_iter().enumerate() {
            let station = format!("CS-{number}");
            assert_eq!(kept.is_ok(), number % 100 != 7, "{number}: {kept:?}");
            let state = store.session_state(&station).await.unwrap().state;
            assert_eq!(state.is_some(), kept.is_ok());
            assert_eq!(store.meter_values(&station, "1").await.unwrap().len(), if kept.is_ok() { 2 } else { 0 });
        }
    }

    async fn the_log_keeps_the_newest_frames_of_each_station(place: Place) {
        let store = place.open().await;
        let log = MessageLog::start(&store, 10).await.unwrap();
        let (busy, quiet): (Arc<str>, Arc<str>) = ("BUSY".into(), "QUIET".into());
        log.record(&quiet, Direction::Received, now(), "only one, with a \0 in it");
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

    async fn the_api_token_is_made_once(place: Place) {
        let config = || {
            let file = ConfigFile {
                listen: Some("127.0.0.1:0".parse().unwrap()),
                database: Some(place.database.clone()),
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
        // Only its hash is kept.
        if let Database::File(file) = &place.database {
            let content = std::fs::read(file).unwrap();
            assert!(!content.windows(token.len()).any(|window| window == token.as_bytes()));
        }
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_named_with_what_to_do_and_never_with_its_password() {
    let unreachable = Store::open("postgres://csms:s3cret@127.0.0.1:1/csms".parse::<Database>().unwrap());
    let error = unreachable.await.unwrap_err();
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("check that the server runs"), "{error}");
    let Some(absent) = postgres::address("nowhere", "postgres") else { return };
    let error = Store::open(absent.parse::<Database>().unwrap()).await.unwrap_err();
    assert!(matches!(error, OpenError::Absent(_)), "{error:?}");
    postgres::run("postgres", "CREATE ROLE guarded LOGIN PASSWORD 'right'").await;
    let guarded = postgres::address("postgres", "guarded:s3cret").unwrap();
    let error = Store::open(guarded.parse::<Database>().unwrap()).await.unwrap_err();
    assert!(matches!(error, OpenError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("password") && !format!("{error} {error:?}").contains("s3cret"), "{error}");
}
