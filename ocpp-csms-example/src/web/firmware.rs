//! Firmware: images that stations fetch here, and their roll-outs.

use std::collections::BTreeMap;

use askama::Template;
use axum::Form;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::live::Failed;
use super::told::Told as _;
use super::{Fields, Flash, Page};
use crate::access::Actor;
use crate::maintenance::{self, ImageFacts, MaintenanceError, Plan, RolloutOrder, WaveSize};
use crate::server::Csms;
use crate::store::{FirmwareImage, Rollout, RolloutState, RolloutStation, Signing, UpdateState};

/// Images and roll-outs on a page.
const SIZE: usize = 50;
/// Characters of a field of the form with the file.
const LONGEST_FIELD: usize = 1_000;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    /// Images before this one.
    before: Option<String>,
    /// Roll-outs before this one.
    rollouts_before: Option<String>,
    /// What the form for a roll-out begins with.
    image: Option<String>,
}

#[derive(Template)]
#[template(path = "firmware.html")]
struct Firmware {
    page: Page,
    images: Vec<FirmwareImage>,
    older_images: Option<String>,
    rollouts: Vec<(Rollout, String)>,
    older_rollouts: Option<String>,
    /// What stations said that they are, with how many.
    kinds: Vec<(String, String, usize)>,
    fields: Fields,
}

/// What an image is called.
fn name(image: &FirmwareImage) -> String {
    format!("{} {} {}", image.vendor, image.model, image.version)
}

async fn view(csms: &Csms, page: Page, wanted: Wanted, fields: Fields) -> Result<Firmware, Failed> {
    let store = csms.store();
    let limit = u32::try_from(SIZE + 1).unwrap_or(u32::MAX);
    let mut images = store.firmware_images(wanted.before.as_deref(), limit).await?;
    let mut rollouts = store.rollouts(wanted.rollouts_before.as_deref(), limit).await?;
    let more = (images.len() > SIZE, rollouts.len() > SIZE);
    images.truncate(SIZE);
    rollouts.truncate(SIZE);
    let older_images = images.last().filter(|_| more.0).map(|last| format!("/firmware?before={}", last.id));
    let older_rollouts =
        rollouts.last().filter(|_| more.1).map(|last| format!("/firmware?rollouts_before={}", last.id));
    let mut named = Vec::with_capacity(rollouts.len());
    for rollout in rollouts {
        let image = match images.iter().find(|image| image.id == rollout.image) {
            Some(image) => Some(image.clone()),
            None => store.firmware_image(&rollout.image).await?,
        };
        named.push((rollout, image.as_ref().map(name).unwrap_or_default()));
    }
    let mut kinds: BTreeMap<(String, String), usize> = BTreeMap::new();
    for station in store.stations(None, 1_000).await? {
        if let Some(told) = station.identity {
            *kinds.entry((told.vendor, told.model)).or_default() += 1;
        }
    }
    let kinds = kinds.into_iter().map(|((vendor, model), number)| (vendor, model, number)).collect();
    Ok(Firmware { page, images, older_images, rollouts: named, older_rollouts, kinds, fields })
}

pub(super) async fn list(page: Page, State(csms): State<Csms>, Query(wanted): Query<Wanted>) -> Response {
    let fields = Fields::default()
        .with("image", wanted.image.as_deref().unwrap_or_default())
        .with("waves", "5%, 25%")
        .with("max_failures", 10)
        .with("patience_hours", 24)
        .with("signing", "by_version");
    match view(&csms, page.clone(), wanted, fields).await {
        Ok(view) => page.show(&view),
        Err(error) => page.broken(&error),
    }
}

/// Takes an image in. The file is the last field of the form, and goes to the disk as it comes.
pub(super) async fn upload(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    form: Multipart,
) -> Response {
    let flash = match take(&page, &csms, &actor, form).await {
        Ok(image) => Flash::good(page.with("maintenance.uploaded", "image", name(&image))),
        Err(text) => Flash::bad(text),
    };
    flash.by_htmx("/firmware")
}

async fn take(page: &Page, csms: &Csms, actor: &Actor, mut form: Multipart) -> Result<FirmwareImage, String> {
    let broken = |_| page.t("maintenance.error_form").to_owned();
    let mut facts = BTreeMap::new();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let key = field.name().unwrap_or_default().to_owned();
        let Some(file_name) = field.file_name().map(str::to_owned) else {
            let text = field.text().await.map_err(broken)?;
            facts.insert(key, text.trim().chars().take(LONGEST_FIELD).collect::<String>());
            continue;
        };
        if file_name.is_empty() {
            return Err(page.t("maintenance.error_no_file").to_owned());
        }
        let mut fact = |name: &str| facts.remove(name).unwrap_or_default();
        let facts = ImageFacts { vendor: fact("vendor"), model: fact("model"), version: fact("version"), file_name };
        return maintenance::add_image(csms, actor, facts, field, None).await.map_err(|error| error.told(page));
    }
    Err(page.t("maintenance.error_no_file").to_owned())
}

/// Removes an image, or replaces its signature by that of its maker.
pub(super) async fn change(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let done = match fields.get("do") {
        "remove" => {
            let done = maintenance::delete_image(&csms, &actor, &id).await;
            done.map(|()| page.t("maintenance.image_removed").to_owned())
        }
        "sign" => {
            let (certificate, signature) = (fields.get("certificate"), fields.get("signature"));
            let done = maintenance::set_signature(&csms, &actor, &id, certificate, signature).await;
            done.map(|image| page.with("maintenance.signed", "image", name(&image)))
        }
        _ => return Flash::bad(page.t("stations.error_choice")).at("/firmware"),
    };
    match done {
        Ok(text) => Flash::good(text).at("/firmware"),
        Err(error) => Flash::bad(error.told(&page)).at("/firmware"),
    }
}

/// The certificate by which stations verify what is signed here.
pub(super) async fn root(page: Page, State(csms): State<Csms>) -> Response {
    match maintenance::signing_root(&csms).await {
        Ok(pem) => {
            let name = "attachment; filename=\"firmware-root.pem\"";
            ([(header::CONTENT_TYPE, "application/x-pem-file"), (header::CONTENT_DISPOSITION, name)], pem)
                .into_response()
        }
        Err(error) => page.broken(&error),
    }
}

/// What the form says, as a plan.
fn plan_of(page: &Page, fields: &mut Fields) -> Option<Plan> {
    let image = fields.text("image", 100, page.t("maintenance.error_image"));
    let stations: Vec<String> = fields.get("stations").split_whitespace().map(str::to_owned).collect();
    let mut waves = Vec::new();
    let typed = fields.get("waves").to_owned();
    for size in typed.split(',').map(str::trim).filter(|size| !size.is_empty()) {
        match size.parse::<WaveSize>() {
            Ok(size) => waves.push(size),
            Err(_) => fields.fail("waves", page.with("maintenance.error_waves", "size", size)),
        }
    }
    let starts_at = match fields.filled("starts_at").map(str::parse::<jiff::civil::DateTime>) {
        None => Some(Timestamp::now()),
        Some(typed) => typed.ok().and_then(|at| at.to_zoned(TimeZone::UTC).ok()).map(|at| at.timestamp()),
    };
    if starts_at.is_none() {
        let field = page.t("maintenance.starts_at").to_owned();
        fields.fail("starts_at", page.with("stations.error_moment", "field", field));
    }
    let whole = page.t("maintenance.error_whole");
    let max_failures = fields.optional::<u8>("max_failures", whole).unwrap_or(10);
    let patience = fields.optional::<u16>("patience_hours", whole).unwrap_or(24);
    let signing = fields.get("signing").parse::<Signing>().unwrap_or(Signing::ByVersion);
    Some(Plan {
        image,
        stations: Some(stations).filter(|stations| !stations.is_empty()),
        waves,
        starts_at: starts_at?,
        max_failures,
        patience: SignedDuration::from_hours(patience.into()),
        signing,
    })
    .filter(|_| fields.fine())
}

/// Plans a roll-out.
pub(super) async fn plan(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Form(mut fields): Form<Fields>,
) -> Response {
    if let Some(plan) = plan_of(&page, &mut fields) {
        match maintenance::roll_out(&csms, &actor, plan).await {
            Ok(rollout) => {
                return Flash::good(page.t("maintenance.rollout_planned"))
                    .at(&format!("/firmware/rollouts/{}", rollout.id));
            }
            Err(error) => fields.fail("stations", error.told(&page)),
        }
    }
    match view(&csms, page.clone(), Wanted::default(), fields).await {
        Ok(view) => page.refuse(&view),
        Err(error) => page.broken(&error),
    }
}

#[derive(Template)]
#[template(path = "rollout.html")]
struct One {
    page: Page,
    rollout: Rollout,
    image: String,
    stations: Vec<RolloutStation>,
    done: usize,
    failed: usize,
}

impl One {
    fn is_over(&self) -> bool {
        matches!(self.rollout.state, RolloutState::Finished | RolloutState::Cancelled)
    }
}

/// The colour of how far a station is.
fn colour(state: &UpdateState) -> &'static str {
    match state {
        UpdateState::Installed => "free",
        UpdateState::Failed => "bad",
        UpdateState::Waiting | UpdateState::Skipped => "off",
        _ => "busy",
    }
}

/// The colour of how a roll-out stands.
fn colour_of(state: &RolloutState) -> &'static str {
    match state {
        RolloutState::Finished => "free",
        RolloutState::Stopped => "bad",
        RolloutState::Paused => "warn",
        RolloutState::Cancelled => "off",
        RolloutState::Scheduled | RolloutState::Running => "busy",
    }
}

async fn one(csms: &Csms, page: Page, id: &str) -> Result<One, MaintenanceError> {
    let rollout = maintenance::rollout(csms, id).await?;
    let stations = csms.store().rollout_stations(id, i64::MAX).await?;
    let image = csms.store().firmware_image(&rollout.image).await?.as_ref().map(name).unwrap_or_default();
    let count = |wanted: &[UpdateState]| stations.iter().filter(|station| wanted.contains(&station.state)).count();
    let (done, failed) = (count(&[UpdateState::Installed, UpdateState::Skipped]), count(&[UpdateState::Failed]));
    Ok(One { page, rollout, image, stations, done, failed })
}

pub(super) async fn show(page: Page, State(csms): State<Csms>, Path(id): Path<String>) -> Response {
    match one(&csms, page.clone(), &id).await {
        Ok(one) => page.show(&one),
        Err(MaintenanceError::Unknown { .. }) => {
            page.notice(StatusCode::NOT_FOUND, page.t("maintenance.unknown_rollout"), "")
        }
        Err(error) => page.broken(&error),
    }
}

/// Pauses, resumes or cancels a roll-out; leaves out one of its stations, or tells it again.
pub(super) async fn direct(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let here = format!(
        "/firmware/rollouts/{}",
        percent_encoding::utf8_percent_encode(&id, percent_encoding::NON_ALPHANUMERIC)
    );
    let order = match fields.get("do") {
        "pause" => Some(RolloutOrder::Pause),
        "resume" => Some(RolloutOrder::Resume),
        "cancel" => Some(RolloutOrder::Cancel),
        _ => None,
    };
    let done = match (order, fields.filled("station")) {
        (Some(order), _) => maintenance::direct(&csms, &actor, &id, order).await.map(drop),
        (None, Some(station)) => {
            maintenance::direct_station(&csms, &actor, &id, station, fields.is("do", "skip")).await
        }
        (None, None) => return Flash::bad(page.t("stations.error_choice")).at(&here),
    };
    match done {
        Ok(()) => Flash::good(page.t("people.saved")).at(&here),
        Err(error) => Flash::bad(error.told(&page)).at(&here),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_trouble_and_of_success_differ_in_colour() {
        assert_ne!(colour(&UpdateState::Installed), colour(&UpdateState::Failed));
        assert_ne!(colour_of(&RolloutState::Finished), colour_of(&RolloutState::Stopped));
        assert_eq!(colour(&UpdateState::Downloading), colour_of(&RolloutState::Running));
    }
}
