//! The least of an HTTPS client that the apiserver answers, and a look at the machine's processes.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use testkit::control_plane::ControlPlane;

/// The apiserver, asked as the administrator.
pub struct Api<'a> {
    address: &'a str,
    config: Arc<ClientConfig>,
}

impl<'a> Api<'a> {
    /// Reaches a control plane.
    pub fn new(plane: &'a ControlPlane) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&plane.certificate_authority_path).unwrap()).unwrap();
        let certificate = CertificateDer::from_pem_file(&plane.client_certificate_path).unwrap();
        let key = PrivateKeyDer::from_pem_file(&plane.client_key_path).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate], key)
            .unwrap();
        Self { address: plane.server_url.strip_prefix("https://").unwrap(), config: Arc::new(config) }
    }

    /// One request; the status and the body.
    pub fn send(&self, method: &str, path: &str, kind: &str, body: &str) -> (u16, String) {
        let host = ServerName::try_from("127.0.0.1").unwrap();
        let connection = ClientConnection::new(Arc::clone(&self.config), host).unwrap();
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        // HTTP/1.0: the answer is not chunked and ends with the connection.
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\nAccept: */*\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("the answer ended too early");
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("a status");
        (status, body.to_owned())
    }

    /// Reads JSON.
    pub fn get(&self, path: &str) -> (u16, Value) {
        let (status, body) = self.send("GET", path, "application/json", "");
        (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    /// Creates an object, which must succeed.
    pub fn create(&self, path: &str, object: &Value) {
        let (status, body) = self.send("POST", path, "application/json", &object.to_string());
        assert_eq!(status, 201, "{path}: {body}");
    }
}

/// The processes that name something on their command line.
pub fn processes_with(needle: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse() else { continue };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(needle) {
            found.push(pid);
        }
    }
    found.sort_unstable();
    found
}
