//! As much of an FTP server as a client needs that passively fetches and stores (RFC 959).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Serves `me` with the password `se cret`.
pub(super) struct FtpServer {
    pub(super) address: SocketAddr,
    files: Files,
}

/// Contents by path; folders have none.
type Files = Arc<Mutex<BTreeMap<String, Option<Vec<u8>>>>>;

impl FtpServer {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let files = Files::default();
        let served = Arc::clone(&files);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&served)));
            }
        });
        Self { address, files }
    }

    pub(super) fn put(&self, path: &str, content: &[u8]) {
        self.files.lock().unwrap().insert(path.to_owned(), Some(content.to_vec()));
    }

    pub(super) fn folder(&self, path: &str) {
        self.files.lock().unwrap().insert(path.to_owned(), None);
    }

    pub(super) fn get(&self, path: &str) -> Option<Vec<u8>> {
        self.files.lock().unwrap().get(path).cloned().flatten()
    }
}

async fn serve(socket: TcpStream, files: Files) -> std::io::Result<()> {
    let (reader, mut writer) = socket.into_split();
    let mut lines = BufReader::new(reader).lines();
    let mut folder = String::new();
    let mut data: Option<TcpListener> = None;
    writer.write_all(b"220 welcome\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let (command, argument) = line.split_once(' ').unwrap_or((&line, ""));
        let path = if folder.is_empty() { argument.to_owned() } else { format!("{folder}/{argument}") };
        let answer = match command {
            "USER" => "331 password please\r\n".to_owned(),
            "PASS" if argument == "se cret" => "230 welcome\r\n".to_owned(),
            "PASS" => "530 no\r\n".to_owned(),
            "TYPE" => "200 fine\r\n".to_owned(),
            "CWD" if files.lock().unwrap().get(argument) == Some(&None) => {
                folder = argument.to_owned();
                "250 done\r\n".to_owned()
            }
            "CWD" => "550 no such folder\r\n".to_owned(),
            "PASV" => {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let port = listener.local_addr()?.port();
                data = Some(listener);
                format!("227 Entering Passive Mode (127,0,0,1,{},{})\r\n", port / 256, port % 256)
            }
            "RETR" => {
                let content = files.lock().unwrap().get(&path).cloned().flatten();
                match (content, data.take()) {
                    (Some(content), Some(listener)) => {
                        writer.write_all(b"150 here it comes\r\n").await?;
                        let (mut socket, _) = listener.accept().await?;
                        if path == "slow.bin" {
                            socket.write_all(&content[..10]).await?;
                            std::future::pending::<()>().await;
                        }
                        let is_broken = path == "broken.bin";
                        let sent = if is_broken { &content[..10] } else { &content };
                        let _ = socket.write_all(sent).await;
                        drop(socket);
                        if is_broken { "426 broken off\r\n".to_owned() } else { "226 done\r\n".to_owned() }
                    }
                    _ => "550 no such file\r\n".to_owned(),
                }
            }
            "STOR" if path.starts_with("forbidden") => "553 no\r\n".to_owned(),
            "STOR" => {
                let Some(listener) = data.take() else { return Ok(()) };
                writer.write_all(b"150 go ahead\r\n").await?;
                let (mut socket, _) = listener.accept().await?;
                let mut content = Vec::new();
                socket.read_to_end(&mut content).await?;
                files.lock().unwrap().insert(path, Some(content));
                "226 done\r\n".to_owned()
            }
            "QUIT" => "221 goodbye\r\n".to_owned(),
            _ => "502 what?\r\n".to_owned(),
        };
        writer.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}
