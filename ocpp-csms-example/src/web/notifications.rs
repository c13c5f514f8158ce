//! Who is told of what happens, by webhook or mail.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::told::Told as _;
use super::{Fields, Flash, Page};
use crate::access::Actor;
use crate::notifications::SubscriptionChange;
use crate::server::Csms;
use crate::stations::What;
use crate::store::{Delivery, DeliveryState, Subscription};

/// Deliveries on a page.
const DELIVERIES: u32 = 100;

#[derive(Template)]
#[template(path = "notifications.html")]
struct List {
    page: Page,
    subscriptions: Vec<Subscription>,
    kinds: [&'static str; What::KINDS.len()],
    fields: Fields,
    /// What was made just now: where to, and what it is signed with.
    secret: Option<(String, String)>,
}

fn answer(csms: &Csms, page: &Page, fields: Fields, secret: Option<(String, String)>) -> Response {
    let fine = fields.fine();
    let subscriptions = csms.stations().notifications().subscriptions();
    let list = List { page: page.clone(), subscriptions, kinds: What::KINDS, fields, secret };
    if fine { page.show(&list) } else { page.refuse(&list) }
}

pub(super) async fn list(page: Page, State(csms): State<Csms>) -> Response {
    answer(&csms, &page, Fields::default(), None)
}

/// Has somebody told. What webhooks are signed with is shown once.
pub(super) async fn subscribe(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Form(mut fields): Form<Fields>,
) -> Response {
    let target = fields.text("target", 1_000, page.t("operation.error_target"));
    let kinds: Vec<String> = match fields.get("kinds") {
        "" => vec!["*".to_owned()],
        chosen => chosen.lines().map(str::to_owned).collect(),
    };
    let station = fields.filled("station").map(str::to_owned);
    let secret = fields.filled("secret").map(str::to_owned);
    if fields.fine() {
        // An address alone is one of mail.
        let is_mail = target.contains('@') && !target.contains(':');
        let target = if is_mail { format!("mailto:{target}") } else { target };
        let made = csms.stations().notifications().subscribe(&target, kinds, station, secret, actor.name()).await;
        match made {
            Ok(made) => {
                csms.audit(&actor, "subscription.created", &made.id, made.kinds.join(", ")).await;
                if made.target.starts_with("mailto:") {
                    return Flash::good(page.with("operation.subscribed", "target", &made.target)).at("/notifications");
                }
                return answer(&csms, &page, Fields::default(), Some((made.target, made.secret)));
            }
            Err(error) => fields.fail("target", error.told(&page)),
        }
    }
    answer(&csms, &page, fields, None)
}

#[derive(Template)]
#[template(path = "notification.html")]
struct One {
    page: Page,
    subscription: Subscription,
    deliveries: Vec<Delivery>,
}

/// The word and the colour of how a delivery stands.
fn state(state: &DeliveryState) -> (&'static str, &'static str) {
    match state {
        DeliveryState::Pending => ("pending", "busy"),
        DeliveryState::Delivered => ("delivered", "free"),
        DeliveryState::GivenUp => ("given_up", "bad"),
    }
}

pub(super) async fn show(page: Page, State(csms): State<Csms>, Path(id): Path<String>) -> Response {
    let known = csms.stations().notifications().subscriptions().into_iter().find(|known| known.id == id);
    let Some(subscription) = known else {
        return page.notice(StatusCode::NOT_FOUND, page.t("operation.unknown_subscription"), "");
    };
    match csms.store().deliveries(&id, DELIVERIES).await {
        Ok(deliveries) => page.show(&One { page: page.clone(), subscription, deliveries }),
        Err(error) => page.broken(&error),
    }
}

/// Pauses, resumes or ends it.
pub(super) async fn change(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let notifications = csms.stations().notifications();
    let (done, action) = match fields.get("do") {
        "remove" => (notifications.unsubscribe(&id).await, "subscription.removed"),
        chosen => {
            let change = SubscriptionChange { active: Some(chosen == "resume"), ..SubscriptionChange::default() };
            (notifications.change(&id, change).await.map(drop), "subscription.changed")
        }
    };
    match done {
        Ok(()) => {
            csms.audit(&actor, action, &id, fields.get("do")).await;
            Flash::good(page.t("people.saved")).at("/notifications")
        }
        Err(error) => Flash::bad(error.told(&page)).at("/notifications"),
    }
}
