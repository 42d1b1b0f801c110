//! As much of an HTTP client as a replay needs: one request, one answer, over plain TCP or TLS.

use anyhow::{Context, Result, bail};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::control_plane::ControlPlane;
use transcripts::{Request, Response};

/// More than any recorded answer.
const BODY_LIMIT: usize = 64 << 20;

/// Sends a request and reads the answer until it ends, or is silent for `quiet`, or `limit` is over.
pub(super) fn send(address: &str, request: &Request, quiet: Duration, limit: Duration) -> Result<Response> {
    let (response, body) = send_bytes(address, request, request.body.as_bytes(), quiet, limit)?;
    Ok(Response { body: String::from_utf8_lossy(&body).into_owned(), ..response })
}

/// The same with bodies that need not be texts.
pub(super) fn send_bytes(
    address: &str,
    request: &Request,
    body: &[u8],
    quiet: Duration,
    limit: Duration,
) -> Result<(Response, Vec<u8>)> {
    let stream = TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
    stream.set_read_timeout(Some(quiet))?;
    let mut writer = stream.try_clone()?;
    writer.write_all(&bytes(request, body, address))?;
    let response = read(stream, limit);
    // It may have been closed already.
    writer.shutdown(Shutdown::Both).ok();
    response
}

/// The API server, as its administrator.
#[derive(Clone)]
pub(super) struct Kubernetes {
    host: String,
    tls: Arc<ClientConfig>,
}

impl Kubernetes {
    pub(super) fn of(plane: &ControlPlane) -> Result<Self> {
        let read = |path: &Path| -> Result<Vec<CertificateDer<'static>>> {
            let certificates = CertificateDer::pem_file_iter(path)
                .with_context(|| format!("read {}", path.display()))?
                .collect::<Result<Vec<_>, _>>();
            certificates.with_context(|| format!("read {}", path.display()))
        };
        let mut roots = RootCertStore::empty();
        for certificate in read(&plane.certificate_authority_path)? {
            roots.add(certificate)?;
        }
        let key = PrivateKeyDer::from_pem_file(&plane.client_key_path).context("read the client's key")?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(read(&plane.client_certificate_path)?, key)?;
        let host = plane.server_url.trim_start_matches("https://").trim_end_matches('/').to_owned();
        Ok(Self { host, tls: Arc::new(tls) })
    }

    /// One call; an answer of 400 and above is an error.
    pub(super) fn call(&self, method: &str, path: &str, kind: &str, body: &str) -> Result<String> {
        let name = self.host.split(':').next().unwrap_or_default().to_owned();
        let connection = ClientConnection::new(self.tls.clone(), ServerName::try_from(name)?)?;
        let stream = TcpStream::connect(&self.host).with_context(|| format!("connect to {}", self.host))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut stream = StreamOwned::new(connection, stream);
        let headers = vec![
            ("Accept".to_owned(), "application/json".to_owned()),
            ("Content-Type".to_owned(), kind.to_owned()),
        ];
        let request = Request { method: method.into(), target: path.into(), headers, body: body.into() };
        stream.write_all(&bytes(&request, request.body.as_bytes(), &self.host))?;
        let (response, body) = read(stream, Duration::from_secs(30))?;
        let body = String::from_utf8_lossy(&body).into_owned();
        if response.status >= 400 {
            bail!("{method} {path}: {} {body}", response.status);
        }
        Ok(body)
    }
}

fn bytes(request: &Request, body: &[u8], host: &str) -> Vec<u8> {
    let mut text = format!("{} {} HTTP/1.1\r\nHost: {host}\r\n", request.method, request.target);
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || ["POST", "PUT", "PATCH"].contains(&request.method.as_str()) {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("Connection: close\r\n\r\n");
    [text.as_bytes(), body].concat()
}

/// Everything that comes, and whether the other side ended it.
fn read(mut stream: impl Read, limit: Duration) -> Result<(Response, Vec<u8>)> {
    let deadline = Instant::now() + limit;
    let (mut received, mut part, mut ended) = (Vec::new(), [0; 16 << 10], false);
    while Instant::now() < deadline && received.len() < BODY_LIMIT {
        match stream.read(&mut part) {
            Ok(0) => {
                ended = true;
                break;
            }
            Ok(count) => received.extend_from_slice(&part[..count]),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                ended = true;
                break;
            }
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => break,
            Err(error) => return Err(error).context("read the answer"),
        }
        if complete(&received) {
            ended = true;
            break;
        }
    }
    let (response, body) = parse(&received);
    Ok((Response { endless: !ended, ..response }, body))
}

fn complete(received: &[u8]) -> bool {
    received.ends_with(b"\r\n0\r\n\r\n")
}

fn parse(received: &[u8]) -> (Response, Vec<u8>) {
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
        return (Response::default(), Vec::new());
    };
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let chunked = headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked")
    });
    let rest = &received[end + 4..];
    let body = if chunked { unchunked(rest) } else { rest.to_vec() };
    let packed = headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-encoding") && value.eq_ignore_ascii_case("gzip")
    });
    let body = if packed { unpacked(&body) } else { body };
    (Response { status: status.unwrap_or_default(), headers, ..Response::default() }, body)
}

/// What was compressed; what is broken stays as it came, to be seen in the difference.
fn unpacked(body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    let limit = u64::try_from(BODY_LIMIT).unwrap_or(u64::MAX);
    match flate2::read::GzDecoder::new(body).take(limit).read_to_end(&mut whole) {
        Ok(_) => whole,
        Err(_) => body.to_vec(),
    }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let length = std::str::from_utf8(&rest[..end])
            .ok()
            .and_then(|text| usize::from_str_radix(text.trim(), 16).ok());
        let Some(length) = length.filter(|length| *length > 0) else { break };
        let from = end + 2;
        let to = (from + length).min(rest.len());
        body.extend_from_slice(&rest[from..to]);
        rest = rest.get(to + 2..).unwrap_or_default();
    }
    body
}
