//! Content kept in Git LFS: pointers, the batch API that tells where content lies, and the content, verified and
//! kept beside the mirror. Everything here blocks, and works from any thread.

use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
};

use bytes::Bytes;
use reqwest::{
    Url,
    blocking::{Client, Response},
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{Repository, http, location::Route, process, repository::Access, tokens, transport::Settings};

/// How a pointer begins.
const VERSION: &str = "version https://git-lfs.github.com/spec/v1";
/// A pointer is no longer than this.
const LONGEST_POINTER: usize = 1024;
/// Bytes of an answer that is no content.
const LONGEST_ANSWER: u64 = 1 << 20;
const MEDIA_TYPE: &str = "application/vnd.git-lfs+json";

/// What stands in the repository for content that is elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer {
    /// SHA-256 of the content, in hex.
    pub(crate) oid: String,
    /// Its length.
    pub(crate) size: u64,
}

impl Pointer {
    /// The pointer a text is, if it is one.
    pub(crate) fn read(content: &[u8]) -> Option<Self> {
        if content.len() > LONGEST_POINTER || !content.starts_with(VERSION.as_bytes()) {
            return None;
        }
        let text = std::str::from_utf8(content).ok()?;
        let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let oid = line("oid")?.strip_prefix("sha256:")?.trim();
        let plain = oid.len() == 64 && oid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let size = line("size")?.trim().parse().ok()?;
        plain.then(|| Self { oid: oid.to_owned(), size })
    }
}

/// The content of one repository, as one pair of URL and credentials may have it.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    access: Access,
    settings: Settings,
    /// One download at a time: the next who wants the same finds it here.
    turn: Mutex<()>,
}

#[derive(Deserialize)]
struct Batch {
    #[serde(default)]
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    oid: String,
    #[serde(default)]
    actions: Actions,
    error: Option<Complaint>,
}

#[derive(Default, Deserialize)]
struct Actions {
    download: Option<Action>,
}

/// Where something lies, and what to say there. Also what `git-lfs-authenticate` gives.
#[derive(Deserialize)]
struct Action {
    href: String,
    #[serde(default)]
    header: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Complaint {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
}

impl Store {
    pub(crate) fn new(folder: PathBuf, access: Access, settings: Settings) -> Self {
        Self { folder, access, settings, turn: Mutex::default() }
    }

    /// The content a pointer stands for.
    pub(crate) fn content(&self, pointer: &Pointer) -> Result<Bytes, String> {
        if let Some(content) = self.kept(pointer) {
            return Ok(content);
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(content) = self.kept(pointer) {
            return Ok(content);
        }
        // The blocking client has a runtime of its own, which may not live on a thread of another one.
        let downloaded = thread::scope(|scope| scope.spawn(|| self.download(pointer)).join());
        let content = downloaded.map_err(|_| "the download stopped on a bug".to_owned())?;
        let content = content.map_err(|cause| self.access.scrub(&cause))?;
        verify(pointer, &content)?;
        // What cannot be kept is fetched again.
        if let Err(error) = self.keep(pointer, &content) {
            tracing::warn!(%error, repository = self.access.shown(), "keep content of git lfs");
        }
        Ok(content.into())
    }

    fn path(&self, pointer: &Pointer) -> PathBuf {
        self.folder.join(&pointer.oid[..2]).join(&pointer.oid)
    }

    fn kept(&self, pointer: &Pointer) -> Option<Bytes> {
        let content = fs::read(self.path(pointer)).ok()?;
        verify(pointer, &content).is_ok().then(|| content.into())
    }

    fn keep(&self, pointer: &Pointer, content: &[u8]) -> std::io::Result<()> {
        let path = self.path(pointer);
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(content)?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    }

    fn download(&self, pointer: &Pointer) -> Result<Vec<u8>, String> {
        let repository =
            tokens::with_token(&self.access.repository, &self.settings).map_err(|cause| cause.to_string())?;
        let (endpoint, headers) = match &self.access.location.route {
            Route::Local(path) => return local(path, pointer),
            Route::Http(url) => (endpoint(url), Vec::new()),
            Route::Ssh { user, host, port, path } => {
                let address = (user.as_str(), host.as_str(), *port, path.as_str());
                let said = process::lfs_authenticate(&repository, address, &self.settings)
                    .map_err(|cause| format!("git-lfs-authenticate: {cause}"))?;
                let action: Action = serde_json::from_slice(&said)
                    .map_err(|error| format!("git-lfs-authenticate: {error}"))?;
                (action.href.trim_end_matches('/').to_owned(), action.header.into_iter().collect())
            }
        };
        let action = self.locate(&repository, &endpoint, &headers, pointer)?;
        let headers: Vec<(String, String)> = action.header.into_iter().collect();
        let url = parsed(&action.href)?;
        let request = self.client(&repository, &url)?.get(url.clone());
        let response = self.send(request, &repository, &url, &headers)?;
        let mut content = Vec::new();
        let read = response.take(pointer.size.saturating_add(1)).read_to_end(&mut content);
        read.map_err(|error| format!("fetch {}: {error}", shown(&url)))?;
        Ok(content)
    }

    /// Asks where the content lies.
    fn locate(
        &self,
        repository: &Repository,
        endpoint: &str,
        headers: &[(String, String)],
        pointer: &Pointer,
    ) -> Result<Action, String> {
        let url = parsed(&format!("{endpoint}/objects/batch"))?;
        let Pointer { oid, size } = pointer;
        let body = format!(
            r#"{{"operation":"download","transfers":["basic"],"hash_algo":"sha256","objects":[{{"oid":"{oid}","size":{size}}}]}}"#
        );
        let request = self.client(repository, &url)?.post(url.clone());
        let request = request.header("Accept", MEDIA_TYPE).header("Content-Type", MEDIA_TYPE).body(body);
        let response = self.send(request, repository, &url, headers)?;
        let mut text = Vec::new();
        let read = response.take(LONGEST_ANSWER).read_to_end(&mut text);
        read.map_err(|error| format!("ask {}: {error}", shown(&url)))?;
        let batch: Batch =
            serde_json::from_slice(&text).map_err(|error| format!("ask {}: {error}", shown(&url)))?;
        let object = batch.objects.into_iter().find(|object| object.oid == *oid);
        let object = object.ok_or_else(|| format!("{}: no answer for object {oid}", shown(&url)))?;
        if let Some(Complaint { code, message }) = object.error {
            return Err(format!("object {oid}: {message} ({code})"));
        }
        object.actions.download.ok_or_else(|| format!("{}: object {oid} cannot be downloaded", shown(&url)))
    }

    /// Trust and client certificate are those of the repository at its own host, and the usual ones elsewhere.
    fn client(&self, repository: &Repository, url: &Url) -> Result<Client, String> {
        let trust = if self.is_own(url) {
            repository.clone()
        } else {
            Repository {
                certificate_authorities: self.settings.authorities(url.as_str()),
                proxy: repository.proxy.clone(),
                no_proxy: repository.no_proxy.clone(),
                ..Repository::default()
            }
        };
        http::configure(Client::builder(), &trust, self.settings.request_timeout)
            .and_then(reqwest::blocking::ClientBuilder::build)
            .map_err(|error| error.to_string())
    }

    fn is_own(&self, url: &Url) -> bool {
        let Route::Http(own) = &self.access.location.route else { return false };
        own.scheme() == url.scheme()
            && own.host_str() == url.host_str()
            && own.port_or_known_default() == url.port_or_known_default()
    }

    /// Sends a request with what it is to say, and failing that with the repository's credentials where they belong.
    fn send(
        &self,
        mut request: reqwest::blocking::RequestBuilder,
        repository: &Repository,
        url: &Url,
        headers: &[(String, String)],
    ) -> Result<Response, String> {
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let told = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        if !told
            && self.is_own(url)
            && let Some(value) = http::authorization_value(repository)
        {
            request = request.header("Authorization", value);
        }
        let response =
            request.send().map_err(|error| format!("ask {}: {}", shown(url), http::reason(error)))?;
        let status = response.status();
        if status.is_success() { Ok(response) } else { Err(format!("ask {}: status {status}", shown(url))) }
    }
}

/// An address without what may be secret in it.
fn shown(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

fn parsed(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        Ok(url) => Err(format!("{}: content is fetched over HTTP only", shown(&url))),
        Err(error) => Err(format!("an address of git lfs: {error}")),
    }
}

/// Where a repository's batch API is.
fn endpoint(url: &Url) -> String {
    let url = url.as_str().trim_end_matches('/');
    if url.ends_with(".git") { format!("{url}/info/lfs") } else { format!("{url}.git/info/lfs") }
}

/// Content of a folder of this machine lies in it.
fn local(path: &Path, pointer: &Pointer) -> Result<Vec<u8>, String> {
    let oid = &pointer.oid;
    let inside = Path::new("lfs/objects").join(&oid[..2]).join(&oid[2..4]).join(oid);
    for place in [path.join(".git").join(&inside), path.join(&inside)] {
        if let Ok(file) = fs::File::open(place) {
            let mut content = Vec::new();
            let read = file.take(pointer.size.saturating_add(1)).read_to_end(&mut content);
            return read.map(|_| content).map_err(|error| format!("object {oid}: {error}"));
        }
    }
    Err(format!("object {oid} is not there"))
}

fn verify(pointer: &Pointer, content: &[u8]) -> Result<(), String> {
    let Pointer { oid, size } = pointer;
    if content.len() as u64 != *size {
        return Err(format!("object {oid}: it is not {size} bytes long"));
    }
    let found: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    if found == *oid { Ok(()) } else { Err(format!("object {oid}: its content is another one, {found}")) }
}

#[cfg(test)]
mod tests {
    use super::Pointer;

    #[test]
    fn pointers_are_told_from_files() {
        let oid = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
        let text = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12345\n");
        assert_eq!(Pointer::read(text.as_bytes()), Some(Pointer { oid: oid.into(), size: 12345 }));
        for other in [
            text.replace("sha256:4d", "sha256:../"),
            text.replace("12345", "many"),
            text.replace("oid", "id"),
            text.replace("v1", "v1x").replace("oid", ""),
            format!("{text}{}", " ".repeat(2000)),
            String::new(),
        ] {
            assert_eq!(Pointer::read(other.as_bytes()), None, "{other:.80}");
        }
    }
}
