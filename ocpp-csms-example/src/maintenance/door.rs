//! Where stations bring logs and fetch firmware: URLs that open one thing each, without a password.

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, put};
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::address::Purpose;
use super::files::{self, Received, announced, file_name, receive};
use super::ranges::{Wanted, wanted};
use super::{FileError, MaintenanceError, firmware, logs};
use crate::api::Problem;
use crate::server::Csms;
use crate::store::LogFile;

/// The routes of stations, outside of the REST interface.
pub(crate) fn routes(csms: Csms) -> Router {
    Router::new()
        .route("/upload/{id}/{secret}", put(upload).post(upload))
        .route("/upload/{id}/{secret}/", put(upload).post(upload))
        .route("/upload/{id}/{secret}/{*name}", put(upload).post(upload))
        .route("/firmware-image/{id}/{secret}/{name}", get(image))
        // The files have bounds of their own.
        .layer(DefaultBodyLimit::disable())
        .with_state(csms)
}

/// What is in the path: `name` only where the station added one to the folder that it was given.
#[derive(Debug, serde::Deserialize)]
struct Place {
    id: String,
    secret: String,
    name: Option<String>,
}

async fn upload(State(csms): State<Csms>, Path(place): Path<Place>, request: Request) -> Response {
    match take(&csms, place, request).await {
        // 200 rather than 201: some stations take nothing else for success.
        Ok(()) => StatusCode::OK.into_response(),
        Err(refused) => {
            // What is left of the body is not read: the connection cannot be used again.
            let mut response = refused.into_response();
            response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
            response
        }
    }
}

async fn take(csms: &Csms, place: Place, request: Request) -> Result<(), Problem> {
    let Place { id, secret, name } = place;
    if !csms.maintenance().key().is_secret(Purpose::Upload, &id, &secret) {
        return Err(Problem::not_found("there is nothing here: the URL was not given out by this server"));
    }
    let gone = |why: &str| Problem::new(StatusCode::GONE, format!("this URL is good no more: {why}"));
    let wanted = csms.store().log_request(&id).await?.ok_or_else(|| gone("the request was deleted"))?;
    if wanted.file.is_some() {
        return Err(gone("the log is here already"));
    }
    let now = Timestamp::now();
    if !wanted.state.is_open() || wanted.expires_at <= now {
        return Err(gone("the request has ended"));
    }
    let limit = logs::limit(csms);
    limit.check(announced(request.headers())).map_err(MaintenanceError::from)?;
    let Some(_claim) = csms.maintenance().claim(&id) else {
        return Err(Problem::new(StatusCode::CONFLICT, "this log is being uploaded by another connection"));
    };
    let path = logs::path(csms, &id);
    let (received, given) = if is_form(request.headers()) {
        from_form(request, &path, limit).await?
    } else {
        let given = disposition_name(request.headers());
        let announced = announced(request.headers());
        let stream = request.into_body().into_data_stream();
        (receive(&path, stream, announced, limit).await.map_err(MaintenanceError::from)?, given)
    };
    let name = name.filter(|name| !name.is_empty()).or(given).unwrap_or_default();
    let Received { size, sha256 } = received;
    let file = LogFile { name: file_name(&name, "log.txt"), size, sha256, received_at: now };
    match csms.store().log_received(&id, &file).await {
        Ok(true) => {
            tracing::info!(station = %wanted.station, size, name = file.name, "a log was uploaded");
            csms.stations().changed();
            Ok(())
        }
        Ok(false) => {
            files::remove(&path).await;
            Err(gone("the request has ended meanwhile"))
        }
        Err(error) => {
            files::remove(&path).await;
            Err(error.into())
        }
    }
}

/// An image, or a part of it, for a station (L01, L02; 1.6 edition 2, 5.19).
async fn image(State(csms): State<Csms>, Path(place): Path<Place>, headers: HeaderMap) -> Result<Response, Problem> {
    let Place { id, secret, .. } = place;
    if !csms.maintenance().key().is_secret(Purpose::Firmware, &id, &secret) {
        return Err(Problem::not_found("there is nothing here: the URL was not given out by this server"));
    }
    let image = firmware::image(&csms, &id).await?;
    let etag = format!("\"{}\"", image.sha256);
    let (status, first, last) = match wanted(&headers, &etag, image.size) {
        Wanted::Whole => (StatusCode::OK, 0, image.size.saturating_sub(1)),
        Wanted::Part(first, last) => (StatusCode::PARTIAL_CONTENT, first, last),
        Wanted::Known => return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response()),
        Wanted::Nothing => {
            let range = format!("bytes */{}", image.size);
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, range)]).into_response());
        }
    };
    let path = firmware::path(&csms, &id);
    let failed = |source| MaintenanceError::File(FileError::Disk { path: path.clone(), source });
    let mut file = tokio::fs::File::open(&path).await.map_err(failed)?;
    file.seek(std::io::SeekFrom::Start(first)).await.map_err(failed)?;
    let length = last - first + 1;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, etag),
    ];
    let mut response = (status, headers, Body::from_stream(ReaderStream::new(file.take(length)))).into_response();
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(range) = format!("bytes {first}-{last}/{}", image.size).parse()
    {
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    Ok(response)
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data")
}

/// The first file of a form.
async fn from_form(
    request: Request<Body>,
    path: &std::path::Path,
    limit: files::Limit,
) -> Result<(Received, Option<String>), Problem> {
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|error| Problem::bad_request(format!("the form is not understood: {error}")))?;
    loop {
        let field = form.next_field().await;
        let field = field.map_err(|error| Problem::bad_request(format!("the form is not understood: {error}")))?;
        let Some(field) = field else { return Err(Problem::bad_request("there is no file in the form")) };
        if field.file_name().is_none() {
            continue;
        }
        let name = field.file_name().map(str::to_owned);
        return Ok((receive(path, field, None, limit).await.map_err(MaintenanceError::from)?, name));
    }
}

/// N01.FR.19: the name of the file.
fn disposition_name(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::CONTENT_DISPOSITION)?.to_str().ok()?;
    let value = text.split(';').find_map(|part| part.trim().strip_prefix("filename="))?;
    Some(value.trim_matches('"').to_owned())
}

impl From<MaintenanceError> for Problem {
    fn from(error: MaintenanceError) -> Self {
        let error = match error {
            MaintenanceError::Store(error) => return error.into(),
            error => error,
        };
        let status = match &error {
            MaintenanceError::File(file) => match file {
                FileError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
                FileError::Incomplete { .. } | FileError::BrokenOff { .. } | FileError::Empty => {
                    StatusCode::BAD_REQUEST
                }
                FileError::DiskFull(_) => StatusCode::INSUFFICIENT_STORAGE,
                FileError::Disk { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            },
            MaintenanceError::Unknown { .. } => StatusCode::NOT_FOUND,
            MaintenanceError::NotConnected | MaintenanceError::NoAddress | MaintenanceError::Conflict(_) => {
                StatusCode::CONFLICT
            }
            MaintenanceError::Invalid(_) => StatusCode::BAD_REQUEST,
            MaintenanceError::Entropy(_) | MaintenanceError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            tracing::error!(%error, "a request failed");
        }
        Self::new(status, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// N01.FR.19
    #[test]
    fn the_name_of_a_file_is_read_from_its_disposition() {
        let name = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_DISPOSITION, text.parse().unwrap());
            disposition_name(&headers)
        };
        assert_eq!(name("form-data; name=\"uploadfile\"; filename=\"log.txt\""), Some("log.txt".to_owned()));
        assert_eq!(name("attachment; filename=log.txt"), Some("log.txt".to_owned()));
        assert_eq!(name("form-data; name=\"uploadfile\""), None);
    }
}
