//! HTTP and HTTPS: `GET`, and `PUT` or `POST`. A user and password in the URL are used for basic authentication (N01.FR.25).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::percent_decode_str;
use tokio::time::timeout;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::Url;

use super::{Failure, Limits, Sink, TransferError};

/// Redirects that a download follows.
const REDIRECTS: usize = 5;
/// Bytes a second that the slowest connection carries.
const SLOWEST: usize = 10_000;

type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

fn client() -> Result<HttpClient, TransferError> {
    // N01.FR.16: the authorities that the system trusts.
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TransferError::other(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

fn request(method: Method, url: &Url) -> http::request::Builder {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut bare = url.clone();
    // What can't have them has none.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    bare.set_fragment(None);
    let request = Request::builder().method(method).uri(bare.as_str());
    if url.username().is_empty() && url.password().is_none() {
        return request;
    }
    let user = format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or_default()));
    request.header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(user)))
}

async fn send(
    client: &HttpClient,
    request: http::request::Builder,
    content: Bytes,
    limits: Limits,
) -> Result<Response<Incoming>, TransferError> {
    let request = request
        .body(Full::new(content.clone()))
        .map_err(|error| TransferError::new(Failure::BadMessage, error.to_string()))?;
    let patience = limits.silence + Duration::from_secs((content.len() / SLOWEST) as u64);
    Ok(timeout(patience, client.request(request)).await??)
}

pub(super) async fn download(url: &Url, sink: &mut Sink, limits: Limits) -> Result<(), TransferError> {
    let client = client()?;
    let mut url = url.clone();
    for _ in 0..=REDIRECTS {
        let response = send(&client, request(Method::GET, &url), Bytes::new(), limits).await?;
        if !response.status().is_redirection() {
            check(response.status())?;
            return receive(response.into_body(), sink, limits).await;
        }
        let target = response.headers().get(LOCATION).and_then(|target| target.to_str().ok());
        let target = target.and_then(|target| url.join(target).ok());
        url = target
            .filter(|target| matches!(target.scheme(), "http" | "https"))
            .ok_or_else(|| TransferError::new(Failure::BadMessage, "the server redirects to no address"))?;
    }
    Err(TransferError::other("the server redirects again and again"))
}

async fn receive(mut body: Incoming, sink: &mut Sink, limits: Limits) -> Result<(), TransferError> {
    while let Some(frame) = timeout(limits.silence, body.frame()).await? {
        if let Ok(bytes) = frame?.into_data() {
            sink.write(&bytes).await?;
        }
    }
    Ok(())
}

/// N01.FR.18: what a server doesn't take by `PUT`, it may by `POST`. Redirects are not followed (N01.FR.30).
pub(super) async fn upload(url: &Url, file_name: &str, content: Vec<u8>, limits: Limits) -> Result<(), TransferError> {
    let client = client()?;
    let content = Bytes::from(content);
    // N01.FR.19
    let disposition = format!("form-data; name=\"uploadfile\"; filename=\"{file_name}\"");
    let request = |method: Method| {
        request(method, url)
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_DISPOSITION, disposition.as_str())
    };
    let status = send(&client, request(Method::PUT), content.clone(), limits).await?.status();
    match status {
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
            check(send(&client, request(Method::POST), content, limits).await?.status())
        }
        status => check(status),
    }
}

fn check(status: StatusCode) -> Result<(), TransferError> {
    if status.is_success() {
        return Ok(());
    }
    let kind = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            Failure::PermissionDenied
        }
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => Failure::NotSupported,
        StatusCode::BAD_REQUEST | StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::UNPROCESSABLE_ENTITY => {
            Failure::BadMessage
        }
        _ => Failure::Other,
    };
    Err(TransferError::new(kind, format!("the server says {status}")))
}

/// An error with its causes.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl From<hyper_util::client::legacy::Error> for TransferError {
    fn from(error: hyper_util::client::legacy::Error) -> Self {
        Self::other(told(&error))
    }
}

impl From<hyper::Error> for TransferError {
    fn from(error: hyper::Error) -> Self {
        Self::other(told(&error))
    }
}
