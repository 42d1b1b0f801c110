//! As much of a Kubernetes client as a measurement needs: JSON over one connection that stays open, at the price
//! of little more than the bytes. It knows no kinds: paths and bodies are the caller's.

use std::fs;
use std::io::{self, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

use crate::control_plane::ControlPlane;
use crate::error::Error;
use crate::http::{chunks, exactly, invalid, line};

const JSON: &str = "application/json";
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// A client that may do everything. Each holds one connection, so several threads take one each.
#[derive(Debug)]
pub struct ApiClient {
    address: String,
    config: Arc<ClientConfig>,
    stream: Option<BufReader<StreamOwned<ClientConnection, TcpStream>>>,
}

impl ApiClient {
    /// A client of a control plane, with its administrator's certificate.
    pub fn new(plane: &ControlPlane) -> Result<Self, Error> {
        let failed = |error: rustls::Error| Error::Certificate(error.to_string());
        let unreadable = |error: rustls::pki_types::pem::Error| Error::Certificate(error.to_string());
        let read =
            |path: &std::path::Path| fs::read(path).map_err(Error::tried(format!("read {}", path.display())));
        let mut roots = RootCertStore::empty();
        let authority = read(&plane.certificate_authority_path)?;
        for certificate in CertificateDer::pem_slice_iter(&authority) {
            roots.add(certificate.map_err(unreadable)?).map_err(failed)?;
        }
        let certificate = read(&plane.client_certificate_path)?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&certificate).collect();
        let key = PrivateKeyDer::from_pem_slice(&read(&plane.client_key_path)?).map_err(unreadable)?;
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain.map_err(unreadable)?, key)
            .map_err(failed)?;
        let address = plane.server_url.trim_start_matches("https://").trim_end_matches('/').to_owned();
        Ok(Self { address, config: Arc::new(config), stream: None })
    }

    /// A client of its own connection to the same server.
    #[must_use]
    pub fn another(&self) -> Self {
        Self { address: self.address.clone(), config: self.config.clone(), stream: None }
    }

    /// Reads; nothing when there is no such object.
    pub fn get(&mut self, path: &str) -> Result<Option<Value>, Error> {
        match self.send("GET", path, JSON, None)? {
            (404, _) => Ok(None),
            answer => valid(path, answer).map(Some),
        }
    }

    /// What `kubectl get` shows of a collection: columns and cells, without the objects.
    pub fn table(&mut self, path: &str) -> Result<Value, Error> {
        let path = format!("{path}?includeObject=None");
        let answer = self.send("GET", &path, TABLE, None)?;
        valid(&path, answer)
    }

    /// What is served as text, such as the server's counters.
    pub fn text(&mut self, path: &str) -> Result<String, Error> {
        let (code, body) = self.send("GET", path, "text/plain", None)?;
        let text = String::from_utf8_lossy(&body).into_owned();
        if code == 200 {
            return Ok(text);
        }
        Err(Error::Failed { program: path.to_owned(), output: format!("{code}: {text}") })
    }

    /// Creates; an object that is there already is left as it is.
    pub fn create(&mut self, path: &str, object: &Value) -> Result<(), Error> {
        match self.send("POST", path, JSON, Some(object))? {
            (409, _) => Ok(()),
            answer => valid(path, answer).map(drop),
        }
    }

    /// Changes by a merge patch.
    pub fn merge(&mut self, path: &str, patch: &Value) -> Result<(), Error> {
        let answer = self.send("PATCH", path, "application/merge-patch+json", Some(patch))?;
        valid(path, answer).map(drop)
    }

    /// Deletes one object, or all of a collection.
    pub fn delete(&mut self, path: &str) -> Result<(), Error> {
        match self.send("DELETE", path, JSON, None)? {
            (404, _) => Ok(()),
            answer => valid(path, answer).map(drop),
        }
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        media_type: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Vec<u8>), Error> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let length = body.len();
        // Without a body, the type is what is asked for.
        let types = match length {
            0 => format!("Accept: {media_type}\r\n"),
            _ => format!("Accept: {JSON}\r\nContent-Type: {media_type}\r\n"),
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{types}Content-Length: {length}\r\n\r\n",
            self.address
        );
        let kept = self.stream.is_some();
        match self.exchange(&head, &body) {
            // A connection that the server closed while it was idle never took the request.
            Err(error) if kept && error.kind() != io::ErrorKind::TimedOut => {
                self.stream = None;
                self.exchange(&head, &body)
            }
            other => other,
        }
        .inspect_err(|_| self.stream = None)
        .map_err(Error::tried(format!("{method} {path}")))
    }

    fn exchange(&mut self, head: &str, body: &str) -> io::Result<(u16, Vec<u8>)> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(open(&self.address, self.config.clone())?),
        };
        stream.get_mut().write_all(format!("{head}{body}").as_bytes())?;
        stream.get_mut().flush()?;
        let first = line(stream)?;
        let code = first.split(' ').nth(1).and_then(|code| code.parse().ok());
        let code: u16 = code.ok_or_else(|| invalid("status line"))?;
        let (mut length, mut chunked, mut closes) = (0, false, false);
        loop {
            let text = line(stream)?;
            if text.is_empty() {
                break;
            }
            let (name, value) = text.split_once(':').ok_or_else(|| invalid("header"))?;
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().map_err(|_| invalid("body size"))?,
                "transfer-encoding" => chunked = value.trim().eq_ignore_ascii_case("chunked"),
                "connection" => closes = value.trim().eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
        let mut body = Vec::new();
        if chunked {
            body = chunks(stream)?;
        } else {
            exactly(stream, length, &mut body)?;
        }
        if closes {
            self.stream = None;
        }
        Ok((code, body))
    }
}

fn open(
    address: &str,
    config: Arc<ClientConfig>,
) -> io::Result<BufReader<StreamOwned<ClientConnection, TcpStream>>> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).to_owned();
    let name = ServerName::try_from(host).map_err(|_| invalid("server name"))?;
    let socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(ANSWER_LIMIT))?;
    let session = ClientConnection::new(config, name).map_err(io::Error::other)?;
    Ok(BufReader::new(StreamOwned::new(session, socket)))
}

fn valid(path: &str, (code, body): (u16, Vec<u8>)) -> Result<Value, Error> {
    let failed = |output: String| Error::Failed { program: path.to_owned(), output };
    if !(200..300).contains(&code) {
        return Err(failed(format!("{code}: {}", String::from_utf8_lossy(&body))));
    }
    serde_json::from_slice(&body).map_err(|error| failed(error.to_string()))
}
