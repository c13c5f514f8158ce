//! TLS for the servers: an authority and a certificate that are made for each run.

use std::path::PathBuf;

use anyhow::Context as _;
use jiff::{Timestamp, ToSpan as _};
use ocpp_core::pki::{Authority, PrivateKey, Serial, Subject, Terms, Validity};
use ocpp_core::transport::{CertificateAndKey, TlsClient, TlsClientOptions, TlsServer, TlsServerOptions};

use crate::serve::folder;

/// Whom the certificate names.
const NAME: &str = "csms.example.com";
const OPERATOR: &str = "Example CPO";

/// Where a server leaves the root of its certificate for the stations.
fn root(process: u32) -> PathBuf {
    folder(process).join("root.pem")
}

/// A server with a certificate of its own (ECDSA on P-256), whose root the stations find.
pub(crate) fn server() -> anyhow::Result<TlsServer> {
    let now = Timestamp::now();
    let validity = Validity { from: now.checked_sub(1.hour())?, until: now.checked_add(24.hours())? };
    let serials = [1, 2].map(|number| Serial::from_random([number; 16]));
    let authority = Authority::create(OPERATOR, &PrivateKey::generate()?, PrivateKey::generate()?, validity, serials)?;
    let key = PrivateKey::generate()?;
    let request = key.signing_request(&Subject::new(NAME, OPERATOR))?;
    let issued = authority.sign(&request, &Terms::new(NAME, OPERATOR, validity, Serial::from_random([3; 16])))?;
    let process = std::process::id();
    std::fs::create_dir_all(folder(process))?;
    std::fs::write(root(process), authority.root().to_pem())?;
    Ok(TlsServer::new(TlsServerOptions::new(CertificateAndKey::new(issued.chain, key.to_pem())))?)
}

/// What the stations of such a server need. Each resumes no session of another, as stations are devices of their own.
pub(crate) fn client(server: u32) -> anyhow::Result<TlsClient> {
    let root = std::fs::read_to_string(root(server)).context("the server has left no root")?;
    let mut options = TlsClientOptions::new(root);
    options.server_name = Some(NAME.to_owned());
    Ok(TlsClient::new(&options)?)
}
