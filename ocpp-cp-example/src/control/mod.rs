//! The HTTP interface through which a simulated station is driven: `ocpp-cp run --control ADDR`.
//!
//! Bodies are JSON; an empty body is `{}`, and the content type doesn't matter. An action answers `200` with the EVSE
//! (paths below `/evses/{n}`) or the station (the others) as it is once the fact is taken in, in the form of
//! [`State`](crate::State); what the CSMS says to it shows later in `GET /state` and `GET /messages`.
//!
//! | request | body | does |
//! |---|---|---|
//! | `GET /state` | | everything that can be seen: [`State`](crate::State) |
//! | `GET /messages` | | the frames so far, oldest first: a list of [`Frame`](crate::messages::Frame) |
//! | `POST /evses/{n}/plug` | `{"connector": 1}` | puts a cable in |
//! | `POST /evses/{n}/unplug` | | pulls it out on the car's side |
//! | `POST /evses/{n}/tap` | `{"token": "04A2B3C4", "type": "ISO14443"}` | presents a token; `type` as in 2.x, `ISO14443` when absent |
//! | `POST /evses/{n}/stop` | `{"reason": "Local"}` | stops the transaction at the station; reasons as in 2.x |
//! | `POST /evses/{n}/fault` | `{"code": "GroundFailure"}` | breaks something; codes as in 1.6 |
//! | `POST /evses/{n}/clear-fault` | | repairs it |
//! | `POST /evses/{n}/ev` | `{"soc": 20, "max_power_w": 11000, "ready": true, "suspended": false}` | changes the car: percent, watts; what is absent stays |
//! | `POST /evses/{n}/lock` | `{"fails": true}` | jams the lock where it is, or frees it |
//! | `POST /evses/{n}/bay` | `{"occupied": true}` | a car is in the parking bay, or isn't |
//! | `POST /evses/{n}/priority` | `{"wanted": true}` | the driver asks for priority charging (2.1), or does without it again |
//! | `POST /limit` | `{"source": "EMS", "amperes": 10, "evse": 1, "local_generation": false}` | somebody else than the CSMS limits the station, or with `evse` one EVSE: `EMS`, `SO` or `Other`, in `amperes` of each phase or in `watts`; with neither the limit is released; `local_generation` adds what is generated on the spot (2.1) |
//! | `GET /settings/{name}` | | a 1.6 key or `Component.Variable[.Instance]`: [`Setting`](crate::Setting) |
//! | `PUT /settings/{name}` | `{"value": "60"}` | changes it at the station, where more may be changed than by a CSMS |
//! | `DELETE /settings/{name}` | | gives it back the value it has until somebody changes it |
//! | `PUT /auth-cache/{token}` | `{"status": "Accepted", "expires_at": "2026-11-20T08:00:00Z", "group": "FAMILY", "type": "ISO14443"}` | puts a token into the authorisation cache, where that is switched on; `status` as in 2.x, what else is absent is not said |
//! | `PUT /local-list/{token}` | the same | puts a token into the local authorisation list, whose version stays |
//! | `POST /power-cut` | `{"keep_transactions": true}` | the power fails and comes back; transactions go on, or with `false` end for `PowerLoss` |
//! | `POST /restart` | | restarts in an orderly way |
//! | `POST /network` | `{"up": false}` | takes the network away without a goodbye, or brings it back |
//! | `POST /align-clock` | | takes clock-aligned meter values now, as far as settings switch them on |
//!
//! A refusal is a problem of RFC 9457 (`application/problem+json`) whose `detail` says what to do: `400` the body can't be used,
//! `404` no such path, EVSE, connector or setting, `405` another method is meant, `409` not possible in the state that the
//! station is in, `501` not there yet, `503` the station has been shut down. Nothing has changed then.

mod body;
mod problem;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post, put};

use crate::command::Action;
use crate::simulator::Simulator;
use problem::Problem;

/// The control interface of a station, to be served with [`axum::serve()`].
pub fn router(simulator: Simulator) -> Router {
    Router::new()
        .route("/state", get(state))
        .route("/messages", get(messages))
        .route("/evses/{evse}/{action}", post(evse_action))
        .route("/settings/{name}", get(setting).put(put_setting).delete(delete_setting))
        .route("/auth-cache/{token}", put(auth_cache))
        .route("/local-list/{token}", put(local_list))
        .route("/limit", post(limit))
        .route("/power-cut", post(power_cut))
        .route("/restart", post(restart))
        .route("/network", post(network))
        .route("/align-clock", post(align_clock))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .with_state(simulator)
}

type Answer = Result<Response, Problem>;

async fn state(State(simulator): State<Simulator>) -> Answer {
    Ok(Json(simulator.state().await?).into_response())
}

async fn messages(State(simulator): State<Simulator>) -> Answer {
    Ok(Json(simulator.messages().await?).into_response())
}

async fn evse_action(
    State(simulator): State<Simulator>,
    Path((evse, name)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let number = evse
        .parse()
        .map_err(|_| Problem::new(StatusCode::NOT_FOUND, format!("`{evse}` is no EVSE: EVSEs are numbered from 1")))?;
    let action = evse_action_of(number, &name, &body)?;
    simulator.act(action).await?;
    let state = simulator.state().await?;
    Ok(Json(state.evse(number)).into_response())
}

fn evse_action_of(evse: u32, name: &str, body: &Bytes) -> Result<Action, Problem> {
    Ok(match name {
        "plug" => Action::Plug { evse, connector: body::read::<body::Plug>(body)?.connector },
        "unplug" => {
            body::read::<body::Nothing>(body)?;
            Action::Unplug { evse }
        }
        "tap" => Action::Tap { evse, token: body::read::<body::Tap>(body)?.token() },
        "stop" => Action::Stop { evse, reason: body::read::<body::Stop>(body)?.reason()? },
        "fault" => Action::Fault { evse, code: body::read::<body::Fault>(body)?.code()? },
        "clear-fault" => {
            body::read::<body::Nothing>(body)?;
            Action::ClearFault { evse }
        }
        "ev" => Action::Ev { evse, change: body::ev(body)? },
        "lock" => Action::Lock { evse, fails: body::read::<body::Lock>(body)?.fails },
        "bay" => Action::Bay { evse, occupied: body::read::<body::Bay>(body)?.occupied },
        "priority" => Action::Priority { evse, wanted: body::read::<body::Priority>(body)?.wanted },
        _ => {
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                format!(
                    "`{name}` can't be done to an EVSE; what can is plug, unplug, tap, stop, fault, clear-fault, ev, lock, bay and priority"
                ),
            ));
        }
    })
}

async fn setting(State(simulator): State<Simulator>, Path(name): Path<String>) -> Answer {
    Ok(Json(simulator.setting(name).await?).into_response())
}

async fn put_setting(State(simulator): State<Simulator>, Path(name): Path<String>, body: Bytes) -> Answer {
    Ok(Json(simulator.set(name, body::setting(&body)?).await?).into_response())
}

async fn delete_setting(State(simulator): State<Simulator>, Path(name): Path<String>) -> Answer {
    Ok(Json(simulator.reset(name).await?).into_response())
}

async fn auth_cache(State(simulator): State<Simulator>, Path(token): Path<String>, body: Bytes) -> Answer {
    let entry = body::read::<body::Entry>(&body)?.of(token)?;
    done(&simulator, Action::Cache { entry }).await
}

async fn local_list(State(simulator): State<Simulator>, Path(token): Path<String>, body: Bytes) -> Answer {
    let entry = body::read::<body::Entry>(&body)?.of(token)?;
    done(&simulator, Action::List { entry }).await
}

async fn limit(State(simulator): State<Simulator>, body: Bytes) -> Answer {
    let limit = body::read::<body::Limit>(&body)?.limit()?;
    done(&simulator, Action::Limit { limit }).await
}

async fn power_cut(State(simulator): State<Simulator>, body: Bytes) -> Answer {
    let keep_transactions = body::read::<body::PowerCut>(&body)?.keep_transactions;
    done(&simulator, Action::PowerCut { keep_transactions }).await
}

async fn restart(State(simulator): State<Simulator>, body: Bytes) -> Answer {
    body::read::<body::Nothing>(&body)?;
    done(&simulator, Action::Restart).await
}

async fn network(State(simulator): State<Simulator>, body: Bytes) -> Answer {
    let up = body::read::<body::Network>(&body)?.up;
    done(&simulator, Action::Network { up }).await
}

async fn align_clock(State(simulator): State<Simulator>, body: Bytes) -> Answer {
    body::read::<body::Nothing>(&body)?;
    done(&simulator, Action::AlignClock).await
}

async fn done(simulator: &Simulator, action: Action) -> Answer {
    simulator.act(action).await?;
    Ok(Json(simulator.state().await?).into_response())
}

async fn no_such_path(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing at {}; start with GET /state", uri.path()))
}

async fn no_such_method(method: Method, uri: Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{} can't be reached with {method}: look is GET, do is POST, set is PUT", uri.path()),
    )
}
