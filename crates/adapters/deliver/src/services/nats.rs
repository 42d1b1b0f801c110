//! NATS: a message to the subject the recipient is, over the server's own line protocol.

use super::Delivery;
use crate::failure::Failure;
use crate::http::Outlet;
use crate::json::{plain, short};
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use object::Secret;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes of one line of the server.
const LONGEST_LINE: u64 = 64 << 10;

struct Nats {
    host: String,
    port: u16,
    username: String,
    password: Secret<String>,
    headers: BTreeMap<String, String>,
    outlet: Outlet,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let written = options.text("url")?;
    let url = url::Url::parse(&written).map_err(|_| "nats: url is no address".to_owned())?;
    if url.scheme() != "nats" || options.get("nkey").is_some() || options.get("token").is_some() {
        return Err("nats: only nats:// with username and password is supported".to_owned());
    }
    let host = url.host_str().ok_or_else(|| "nats: url has no host".to_owned())?.to_owned();
    let or = |name: &str, default: &str| {
        let text = options.text(name)?;
        Ok::<_, String>(if text.is_empty() { default.to_owned() } else { text })
    };
    Ok(Box::new(Nats {
        port: url.port().unwrap_or(4222),
        host,
        username: or("username", url.username())?,
        password: Secret::new(or("password", url.password().unwrap_or_default())?),
        headers: options.text_map("headers")?,
        outlet: outlet.clone(),
    }))
}

/// Words of the protocol hold no blanks.
fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|it: char| it.is_whitespace() || it.is_control())
}

impl Nats {
    async fn connect(&self) -> Result<BufReader<TcpStream>, String> {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        let mut last = "the address must not be reached".to_owned();
        for address in found.map_err(|error| error.to_string())? {
            if self.outlet.reach.permits(address.ip()) {
                match TcpStream::connect(address).await {
                    Ok(stream) => return Ok(BufReader::new(stream)),
                    Err(error) => last = error.to_string(),
                }
            }
        }
        Err(last)
    }

    async fn publish(&self, subject: &str, message: &str) -> Result<(), String> {
        let mut stream = self.connect().await?;
        let info = line(&mut stream).await?;
        let info = info.strip_prefix("INFO ").ok_or("the server does not speak NATS")?;
        let info: Value = serde_json::from_str(info).map_err(|error| format!("INFO: {error}"))?;
        if info.get("tls_required").and_then(Value::as_bool) == Some(true) {
            return Err("the server asks for TLS, which is not supported".to_owned());
        }
        let hello = json!({
            "verbose": false, "pedantic": false, "user": self.username, "pass": self.password.reveal(),
            "tls_required": false, "name": "", "lang": "rust", "version": env!("CARGO_PKG_VERSION"), "protocol": 1,
            "echo": true, "headers": true, "no_responders": true,
        });
        send(&mut stream, format!("CONNECT {}\r\nPING\r\n", plain(&hello)).as_bytes()).await?;
        answered(&mut stream).await?;
        let mut payload = Vec::new();
        let head = match self.headers.is_empty() {
            true => {
                payload.extend_from_slice(message.as_bytes());
                format!("PUB {subject} {}\r\n", message.len())
            }
            false => {
                let mut headers = "NATS/1.0\r\n".to_owned();
                for (name, value) in &self.headers {
                    headers.push_str(&format!("{name}: {value}\r\n"));
                }
                headers.push_str("\r\n");
                payload.extend_from_slice(headers.as_bytes());
                payload.extend_from_slice(message.as_bytes());
                format!("HPUB {subject} {} {}\r\n", headers.len(), payload.len())
            }
        };
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&payload);
        bytes.extend_from_slice(b"\r\nPING\r\n");
        send(&mut stream, &bytes).await?;
        answered(&mut stream).await
    }
}

async fn send(stream: &mut BufReader<TcpStream>, bytes: &[u8]) -> Result<(), String> {
    stream.write_all(bytes).await.map_err(|error| error.to_string())?;
    stream.flush().await.map_err(|error| error.to_string())
}

async fn line(stream: &mut BufReader<TcpStream>) -> Result<String, String> {
    let mut line = Vec::new();
    let mut limited = stream.take(LONGEST_LINE);
    limited.read_until(b'\n', &mut line).await.map_err(|error| error.to_string())?;
    if line.is_empty() {
        return Err("the server closed the connection".to_owned());
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// Waits until the server has read everything.
async fn answered(stream: &mut BufReader<TcpStream>) -> Result<(), String> {
    for _ in 0..100 {
        let line = line(stream).await?;
        match line.split(' ').next().unwrap_or_default() {
            "PONG" => return Ok(()),
            "PING" => send(stream, b"PONG\r\n").await?,
            "-ERR" => return Err(short(&line)),
            _ => {}
        }
    }
    Err("the server does not answer".to_owned())
}

#[async_trait]
impl Delivery for Nats {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        let subject = &destination.recipient;
        if !is_word(subject) {
            return Err(Failure::lasting(format!("nats: {subject:?} is no subject")));
        }
        let unfit = |(name, value): (&String, &String)| !is_word(name) || value.contains(['\r', '\n']);
        if self.headers.iter().any(unfit) {
            return Err(Failure::lasting("nats: a header that cannot be sent"));
        }
        let _place = self.outlet.gate.place().await?;
        let sent = tokio::time::timeout(TIMEOUT, self.publish(subject, &notification.message)).await;
        let sent = sent.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        sent.map_err(|error| Failure::passing(format!("nats {}:{}: {error}", self.host, self.port)))
    }
}
