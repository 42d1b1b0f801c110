//! An OCI registry: CNCF distribution, built once, over a folder of ours.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::compile;
use crate::error::Error;
use crate::leash::Leash;
use crate::tls::Certificate;
use crate::wait::{free_port, poll};

const PACKAGE: &str = "github.com/distribution/distribution/v3/cmd/registry";
const VERSION: &str = "v3.0.0";
const START_LIMIT: Duration = Duration::from_secs(20);
const REPLY_LIMIT: Duration = Duration::from_secs(20);
const REPLY_BYTES: u64 = 4 << 20;
/// A free port may be taken before the registry is there.
const ATTEMPTS: usize = 5;
/// The cheapest hash that is accepted.
const HASH_COST: u32 = 4;

/// What registries hold. Several may be served over the same storage.
#[derive(Debug)]
pub struct Storage {
    folder: TempDir,
}

/// How a registry is to be. The default is plain HTTP, open to all.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Who is let in, with what password.
    pub basic_auth: Option<(String, String)>,
    /// Speak TLS, with a certificate of an authority made for this registry.
    pub tls: bool,
}

/// A running registry. Dropping it kills it.
#[derive(Debug)]
pub struct Registry {
    _leash: Leash,
    folder: TempDir,
    authority: Option<String>,
    /// The loopback port.
    pub port: u16,
}

/// A thing to push: what it is, its layers with their types, and what it says of itself.
#[derive(Debug, Clone, Default)]
pub struct Artifact<'a> {
    /// Type of the configuration, which says what the artifact is.
    pub config_type: &'a str,
    /// Type and content of each layer.
    pub layers: &'a [(&'a str, &'a [u8])],
    /// Annotations of the manifest.
    pub annotations: &'a [(&'a str, &'a str)],
}

impl Storage {
    /// Nothing yet.
    pub fn new() -> Result<Self, Error> {
        let folder = tempfile::Builder::new().prefix("argocd-rs-registry-").tempdir();
        Ok(Self { folder: folder.map_err(Error::tried("make a folder for a registry"))? })
    }
}

/// The path of the registry's binary, which is built the first time.
pub fn binary() -> Result<PathBuf, Error> {
    compile::published(PACKAGE, VERSION, "registry")
}

impl Registry {
    /// Serves what is in the storage, on a free loopback port.
    pub fn serve(storage: &Storage, options: &Options) -> Result<Self, Error> {
        let program = binary()?;
        let program = program.to_string_lossy().into_owned();
        let folder = tempfile::Builder::new().prefix("argocd-rs-registry-").tempdir();
        let folder = folder.map_err(Error::tried("make a folder for a registry"))?;
        let (secured, authority) = secure(&folder, options)?;
        for attempt in 1.. {
            let port = free_port().map_err(Error::tried("find a free port"))?;
            let config = json!({
                "version": "0.1",
                "log": {"level": "warn"},
                "storage": {"filesystem": {"rootdirectory": storage.folder.path()}},
                "http": {"addr": format!("127.0.0.1:{port}"), "tls": secured["tls"], "secret": "of the test"},
                "auth": secured["auth"],
            });
            let file = folder.path().join("config.yml");
            fs::write(&file, without_nulls(config).to_string())
                .map_err(Error::tried("write a registry's settings"))?;
            let log = folder.path().join("log");
            let arguments = ["serve".to_owned(), file.display().to_string()];
            let leash = Leash::start(&program, &arguments, &log)?;
            let ready = poll(START_LIMIT, || {
                if !leash.alive() {
                    return Some(false);
                }
                TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok().map(|_| true)
            });
            match ready {
                Some(true) => return Ok(Self { _leash: leash, folder, authority, port }),
                Some(false) if attempt < ATTEMPTS => {}
                Some(false) => {
                    let output = fs::read_to_string(log).unwrap_or_default();
                    return Err(Error::Failed { program, output });
                }
                None => {
                    let last = fs::read_to_string(log).unwrap_or_default();
                    return Err(Error::NotReady {
                        part: "the registry",
                        seconds: START_LIMIT.as_secs(),
                        last,
                    });
                }
            }
        }
        unreachable!("the attempts end with an answer")
    }

    /// `127.0.0.1:<port>`, or `localhost:<port>` when the registry speaks TLS.
    #[must_use]
    pub fn address(&self) -> String {
        let host = if self.authority.is_some() { "localhost" } else { "127.0.0.1" };
        format!("{host}:{}", self.port)
    }

    /// The certificate of the authority to trust, as PEM, when the registry speaks TLS.
    #[must_use]
    pub fn certificate_authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// What the registry said.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Pushes an artifact to a repository under a tag and gives its digest. The registry must be plain and open.
    pub fn push(&self, repository: &str, tag: &str, artifact: &Artifact<'_>) -> Result<String, Error> {
        let failed =
            |error: io::Error| Error::System { tried: format!("push {repository}:{tag}"), source: error };
        let config = self.blob(repository, b"{}").map_err(failed)?;
        let mut layers = Vec::new();
        for (media_type, content) in artifact.layers {
            let digest = self.blob(repository, content).map_err(failed)?;
            layers.push(json!({"mediaType": media_type, "digest": digest, "size": content.len()}));
        }
        let annotations: serde_json::Map<String, Value> = artifact
            .annotations
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
            .collect();
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type,
            "config": {"mediaType": artifact.config_type, "digest": config, "size": 2},
            "layers": layers, "annotations": annotations,
        });
        let body = manifest.to_string().into_bytes();
        let path = format!("/v2/{repository}/manifests/{tag}");
        self.send("PUT", &path, Some(media_type), &body, 201).map_err(failed)?;
        Ok(digest(&body))
    }

    fn blob(&self, repository: &str, content: &[u8]) -> io::Result<String> {
        let digest = digest(content);
        let head = self.send("POST", &format!("/v2/{repository}/blobs/uploads/"), None, b"", 202)?;
        let location = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("location").then(|| value.trim().to_owned())
        });
        let location =
            location.ok_or_else(|| io::Error::other("the registry named no place to upload to"))?;
        let path = match location.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]).to_owned(),
            None => location,
        };
        let separator = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{separator}digest={digest}");
        self.send("PUT", &path, Some("application/octet-stream"), content, 201)?;
        Ok(digest)
    }

    /// Sends one request and gives the head of the answer, which must have the wanted code.
    fn send(
        &self,
        method: &str,
        path: &str,
        kind: Option<&str>,
        body: &[u8],
        wanted: u16,
    ) -> io::Result<String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect_timeout(&address, REPLY_LIMIT)?;
        stream.set_read_timeout(Some(REPLY_LIMIT))?;
        stream.set_write_timeout(Some(REPLY_LIMIT))?;
        let kind = kind.map_or_else(String::new, |kind| format!("Content-Type: {kind}\r\n"));
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{kind}\r\n",
            self.address(),
            body.len()
        )?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.take(REPLY_BYTES).read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let code = answer.split(' ').nth(1).and_then(|code| code.parse::<u16>().ok());
        if code == Some(wanted) {
            Ok(answer)
        } else {
            Err(io::Error::other(format!("{method} {path}: {answer}")))
        }
    }
}

/// The settings of password and certificate, with the authority to trust.
fn secure(folder: &TempDir, options: &Options) -> Result<(Value, Option<String>), Error> {
    let mut settings = json!({});
    let keep = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).map_err(Error::tried("write a registry's settings")).map(|()| path)
    };
    if let Some((user, password)) = &options.basic_auth {
        let hash =
            bcrypt::hash(password, HASH_COST).map_err(|error| Error::Certificate(error.to_string()))?;
        let path = keep("htpasswd", &format!("{user}:{hash}\n"))?;
        settings["auth"] = json!({"htpasswd": {"realm": "testkit", "path": path}});
    }
    if !options.tls {
        return Ok((settings, None));
    }
    let made = Certificate::make()?;
    let certificate = keep("tls.crt", &made.certificate.pem())?;
    let key = keep("tls.key", &made.key.serialize_pem())?;
    settings["tls"] = json!({"certificate": certificate, "key": key});
    Ok((settings, Some(made.authority)))
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        other => other,
    }
}

fn digest(content: &[u8]) -> String {
    let hash: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hash}")
}
