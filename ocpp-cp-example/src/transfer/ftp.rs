//! FTP, passive: a firewall on the way is the rule (1.6 security, N01, remarks).

use percent_encoding::percent_decode_str;
use suppaftp::tokio::AsyncFtpStream;
use suppaftp::types::{FileType, Response};
use suppaftp::{FtpError, Mode, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use super::{Failure, Limits, Sink, TransferError};

/// Bytes in one piece.
const PIECE: usize = 64 * 1024;

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The file or folder that a URL names, relative to where the login leads (RFC 1738, 3.2.2).
fn path(url: &Url) -> Result<String, TransferError> {
    let path = decoded(url.path().trim_start_matches('/'));
    if path.contains(['\r', '\n', '\0']) {
        return Err(TransferError::new(Failure::BadMessage, "the path has a line break"));
    }
    Ok(path)
}

/// Connects and logs in: with the user and password of the URL, or anonymously.
async fn login(url: &Url, limits: Limits) -> Result<AsyncFtpStream, TransferError> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let socket = timeout(limits.silence, TcpStream::connect((host, url.port().unwrap_or(21)))).await??;
    let is_ipv6 = socket.peer_addr()?.is_ipv6();
    let (user, password) = match url.username() {
        "" => ("anonymous".to_owned(), "anonymous@".to_owned()),
        user => (decoded(user), decoded(url.password().unwrap_or_default())),
    };
    if [&user, &password].iter().any(|text| text.contains(['\r', '\n'])) {
        return Err(TransferError::new(Failure::BadMessage, "the user or password has a line break"));
    }
    let logged_in = async {
        let mut ftp = AsyncFtpStream::connect_with_stream(socket).await?;
        // The data comes from where the commands go, whatever address the server believes to have.
        ftp.set_passive_nat_workaround(true);
        if is_ipv6 {
            ftp.set_mode(Mode::ExtendedPassive);
        }
        ftp.login(&user, &password).await?;
        ftp.transfer_type(FileType::Binary).await?;
        Ok(ftp)
    };
    timeout(limits.silence, logged_in).await?
}

pub(super) async fn download(url: &Url, sink: &mut Sink, limits: Limits) -> Result<(), TransferError> {
    let mut ftp = login(url, limits).await?;
    let mut data = timeout(limits.silence, ftp.retr_as_stream(path(url)?)).await??;
    let mut piece = vec![0; PIECE];
    loop {
        let length = timeout(limits.silence, data.read(&mut piece)).await??;
        let Some(bytes) = piece.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
        sink.write(bytes).await?;
    }
    // Only the server knows whether that was all.
    timeout(limits.silence, data.finish()).await??;
    goodbye(ftp, limits).await;
    Ok(())
}

pub(super) async fn upload(url: &Url, file_name: &str, content: &[u8], limits: Limits) -> Result<(), TransferError> {
    let mut ftp = login(url, limits).await?;
    let path = path(url)?;
    // 1.6 edition 2, 6.25: a location may be a folder.
    let is_folder = path.is_empty() || timeout(limits.silence, ftp.cwd(&path)).await?.is_ok();
    let target = if is_folder { file_name } else { &path };
    let mut data = timeout(limits.silence, ftp.put_with_stream(target)).await??;
    for piece in content.chunks(PIECE) {
        timeout(limits.silence, data.write_all(piece)).await??;
    }
    timeout(limits.silence, data.finish()).await??;
    goodbye(ftp, limits).await;
    Ok(())
}

/// The file has been moved, whether the server says goodbye or not.
async fn goodbye(mut ftp: AsyncFtpStream, limits: Limits) {
    if let Ok(Err(error)) = timeout(limits.silence, ftp.quit()).await {
        tracing::debug!("the FTP server has no goodbye: {error}");
    }
}

impl From<FtpError> for TransferError {
    fn from(error: FtpError) -> Self {
        let kind = match &error {
            FtpError::UnexpectedResponse(Response { status, .. }) => match *status {
                Status::NotLoggedIn | Status::StoringNeedAccount => Failure::PermissionDenied,
                Status::BadCommand | Status::NotImplemented | Status::NotImplementedParameter => Failure::NotSupported,
                Status::BadArguments | Status::BadSequence => Failure::BadMessage,
                _ => Failure::Other,
            },
            FtpError::BadResponse => Failure::BadMessage,
            _ => Failure::Other,
        };
        Self::new(kind, error.to_string().trim_end().to_owned())
    }
}
