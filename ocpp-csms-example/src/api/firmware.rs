//! Firmware images: uploaded, signed, listed, removed.

use axum::Extension;
use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use super::body::{Json, Path, Query};
use super::logs::attach;
use super::tokens::limit;
use crate::access::Actor;
use crate::maintenance::{self, ImageFacts};
use crate::server::Csms;
use crate::store::{FirmwareImage, Signer};

/// A firmware image.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImageView {
    /// Its id.
    id: String,
    /// Whose stations it is for, as they say when they boot.
    vendor: String,
    /// For which model.
    model: String,
    /// The version that stations tell when they run it.
    version: String,
    /// The name of the file.
    file_name: String,
    /// Its bytes.
    size: u64,
    /// Its SHA-256 in hexadecimal digits.
    sha256: String,
    /// The signature, Base64.
    signature: String,
    /// The certificate of the signer, PEM.
    certificate: String,
    /// Whose signature it is.
    signed_by: Signer,
    /// When it was uploaded.
    #[schema(value_type = String, format = DateTime)]
    uploaded_at: Timestamp,
    /// By whom.
    uploaded_by: String,
}

impl From<FirmwareImage> for ImageView {
    fn from(image: FirmwareImage) -> Self {
        let FirmwareImage { id, vendor, model, version, file_name, size, sha256, certificate, .. } = image;
        let FirmwareImage { signature, signed_by, uploaded_at, uploaded_by, .. } = image;
        Self {
            id,
            vendor,
            model,
            version,
            file_name,
            size,
            sha256,
            signature,
            certificate,
            signed_by,
            uploaded_at,
            uploaded_by,
        }
    }
}

/// What the image is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Facts {
    /// Whose stations it is for, as they say when they boot: 1 to 50 characters.
    vendor: String,
    /// For which model.
    model: String,
    /// The version that stations tell when they run it.
    version: String,
    /// The name of the file. Default: that of the form, or `firmware.bin`.
    file_name: Option<String>,
}

/// Uploads an image: the file as body, or as the file of a form. It is signed with the key of this installation.
#[utoipa::path(post, path = "/api/v1/firmware", tag = "maintenance", operation_id = "upload_firmware", params(Facts),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), security(("bearer" = ["operate"])),
    responses((status = 201, body = ImageView), (status = 400, body = Problem),
        (status = 413, description = "It is larger than max_firmware_size", body = Problem),
        (status = 507, description = "The disk is full", body = Problem)))]
pub(super) async fn upload(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Query(facts): Query<Facts>,
    request: Request,
) -> Result<Response, Problem> {
    let Facts { vendor, model, version, file_name } = facts;
    let mut facts = ImageFacts { vendor, model, version, file_name: file_name.unwrap_or_default() };
    let (is_form, announced) = {
        let text = |name| request.headers().get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
        let is_form = text(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("multipart/form-data"));
        (is_form, text(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok()))
    };
    let image = if is_form {
        let misunderstood = |error| Problem::bad_request(format!("the form is not understood: {error}"));
        let mut form = Multipart::from_request(request, &())
            .await
            .map_err(|error| Problem::bad_request(format!("the form is not understood: {error}")))?;
        loop {
            let field = form.next_field().await.map_err(misunderstood)?;
            let field = field.ok_or_else(|| Problem::bad_request("there is no file in the form"))?;
            let Some(name) = field.file_name().map(str::to_owned) else { continue };
            if facts.file_name.is_empty() {
                facts.file_name = name;
            }
            break maintenance::add_image(&csms, &actor, facts, field, None).await?;
        }
    } else {
        maintenance::add_image(&csms, &actor, facts, request.into_body().into_data_stream(), announced).await?
    };
    let location = format!("/api/v1/firmware/{}", image.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(ImageView::from(image))).into_response())
}

/// Which images.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// Only those made before the one with this id.
    pub(super) before: Option<String>,
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    pub(super) limit: Option<u32>,
}

/// Images, the newest first.
#[utoipa::path(get, path = "/api/v1/firmware", tag = "maintenance", operation_id = "list_firmware", params(Part),
    security(("bearer" = ["view"])), responses((status = 200, body = Vec<ImageView>)))]
pub(super) async fn list(
    State(csms): State<Csms>,
    Query(part): Query<Part>,
) -> Result<axum::Json<Vec<ImageView>>, Problem> {
    let images = csms.store().firmware_images(part.before.as_deref(), limit(part.limit)?).await?;
    Ok(axum::Json(images.into_iter().map(ImageView::from).collect()))
}

/// One image.
#[utoipa::path(get, path = "/api/v1/firmware/{id}", tag = "maintenance", operation_id = "get_firmware", security(("bearer" = ["view"])),
    params(("id", description = "The id of the image")), responses((status = 200, body = ImageView), (status = 404, body = Problem)))]
pub(super) async fn get(State(csms): State<Csms>, Path(id): Path<String>) -> Result<axum::Json<ImageView>, Problem> {
    Ok(axum::Json(maintenance::image(&csms, &id).await?.into()))
}

/// Removes an image to which no roll-out refers.
#[utoipa::path(delete, path = "/api/v1/firmware/{id}", tag = "maintenance", operation_id = "delete_firmware",
    security(("bearer" = ["operate"])), params(("id", description = "The id of the image")),
    responses((status = 204, description = "Removed"), (status = 404, body = Problem),
        (status = 409, description = "A roll-out refers to it", body = Problem)))]
pub(super) async fn delete(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    maintenance::delete_image(&csms, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The signature of whoever made the firmware.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignaturePut {
    /// The certificate of the signer, PEM.
    certificate: String,
    /// The signature over the whole file, Base64: RSA-PSS or ECDSA with SHA-256.
    signature: String,
}

/// Replaces the signature by that of whoever made the firmware.
#[utoipa::path(put, path = "/api/v1/firmware/{id}/signature", tag = "maintenance", operation_id = "put_firmware_signature",
    request_body = SignaturePut, security(("bearer" = ["operate"])), params(("id", description = "The id of the image")),
    responses((status = 200, body = ImageView), (status = 400, description = "It is not the signature of this image", body = Problem),
        (status = 404, body = Problem)))]
pub(super) async fn sign(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(put): Json<SignaturePut>,
) -> Result<axum::Json<ImageView>, Problem> {
    let image = maintenance::set_signature(&csms, &actor, &id, &put.certificate, &put.signature).await?;
    Ok(axum::Json(image.into()))
}

/// The root by which stations verify what is signed here, PEM: to be installed as ManufacturerRootCertificate.
#[utoipa::path(get, path = "/api/v1/firmware-root", tag = "maintenance", operation_id = "get_firmware_root",
    security(("bearer" = ["view"])), responses((status = 200, content_type = "application/x-pem-file", body = String)))]
pub(super) async fn root(State(csms): State<Csms>) -> Result<Response, Problem> {
    let mut response = maintenance::signing_root(&csms).await?.into_response();
    attach(&mut response, "application/x-pem-file", "firmware-root.pem");
    Ok(response)
}

/// Installs that root on a station.
#[utoipa::path(post, path = "/api/v1/stations/{id}/firmware-root", tag = "maintenance", operation_id = "install_firmware_root",
    security(("bearer" = ["operate"])), params(("id", description = "The station's identity")),
    responses((status = 204, description = "The station has it"), (status = 404, body = Problem),
        (status = 409, description = "It is not connected, or does not take it", body = Problem)))]
pub(super) async fn install_root(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    maintenance::install_root(&csms, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
