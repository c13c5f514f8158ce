//! Finds out who makes a request.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::{StatusCode, header};

use super::{Actor, ApiToken, Scopes, Who};
use crate::server::Csms;
use crate::store::StoreError;

/// Why a request is not answered before it is known who makes it.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It brought a bearer token that is not one.
    #[error("the bearer token is wrong, expired or revoked: make another one, or restart with OCPP_CSMS_API_TOKEN")]
    Token,
    /// The database failed.
    #[error("the database failed; the log of the server says how")]
    Store(#[from] StoreError),
}

impl Refused {
    /// The status of HTTP that says so.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Who may come in, and by what.
#[derive(Debug)]
pub(crate) struct Gate {
    installation: ApiToken,
}

impl Gate {
    pub(crate) fn new(installation: ApiToken) -> Self {
        Self { installation }
    }

    /// Who makes this request: the holder of a bearer token, of a session, or anybody.
    pub(crate) async fn identify(&self, _csms: &Csms, request: Request) -> Result<(Request, Actor), Refused> {
        let address = address(&request);
        if let Some(token) = bearer(&request) {
            let actor = if self.installation.matches(token) {
                Actor { who: Who::Installation, scopes: Scopes::of_operators(), address, csrf: None }
            } else {
                return Err(Refused::Token);
            };
            return Ok((request, actor));
        }
        Ok((request, Actor::anonymous(address)))
    }
}

/// Where a request came from.
pub(crate) fn address(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(remote)| remote.ip().to_canonical())
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
