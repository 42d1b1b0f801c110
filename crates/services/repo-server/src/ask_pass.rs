//! Credentials for plugins that may use the repository's: git in the plugin asks for them over a socket with a word
//! that is good for one call (`argocd-git-ask-pass`); keys and certificates lie in a private folder for as long.

use object::Secret;
use plugin::Variable;
use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;
use tonic::{Request, Response, Status};
use wire::askpass::ask_pass_service_server::{AskPassService, AskPassServiceServer};
use wire::askpass::{CredentialsRequest, CredentialsResponse};

/// Where the socket is named, for both sides.
const SOCKET_VARIABLE: &str = "ARGOCD_ASK_PASS_SOCK";
const DEFAULT_SOCKET: &str = "/tmp/reposerver-ask-pass.sock";
/// The word that opens.
const NONCE_VARIABLE: &str = "ARGOCD_GIT_ASKPASS_NONCE";

/// User and password by the word that opens.
type Open = Arc<Mutex<HashMap<String, (String, Secret<String>)>>>;

/// What is shared now. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AskPass {
    socket: PathBuf,
    open: Open,
}

/// Credentials that are shared until this is dropped.
pub(crate) struct Shared {
    pub(crate) variables: Vec<Variable>,
    nonce: String,
    open: Open,
    _files: Option<TempDir>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.nonce);
    }
}

impl AskPass {
    pub(crate) fn new(environment: &std::collections::BTreeMap<String, String>) -> Self {
        let socket = environment.get(SOCKET_VARIABLE).filter(|socket| !socket.is_empty());
        let socket = socket.map_or_else(|| DEFAULT_SOCKET.into(), PathBuf::from);
        Self { socket, open: Arc::default() }
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The service behind the socket.
    pub(crate) fn router(&self) -> axum::Router {
        let service = AskPassServiceServer::new(self.clone());
        tonic::service::Routes::new(service).prepare().into_axum_router()
    }

    /// Shares a repository's credentials, and how it is reached.
    pub(crate) fn share(&self, repository: &git::Repository) -> io::Result<Shared> {
        let nonce: String = rand::random::<[u8; 24]>().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut shared =
            Shared { variables: Vec::new(), nonce: nonce.clone(), open: self.open.clone(), _files: None };
        let mut say = |name: &str, value: String| shared.variables.push((name.to_owned(), value));
        say("GIT_TERMINAL_PROMPT", "0".to_owned());
        if repository.url.starts_with("http://") || repository.url.starts_with("https://") {
            let entry = (repository.username.clone(), repository.password.clone());
            self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(nonce.clone(), entry);
            say("GIT_ASKPASS", "argocd".to_owned());
            say("ARGOCD_BINARY_NAME", "argocd-git-ask-pass".to_owned());
            say(NONCE_VARIABLE, nonce);
            say(SOCKET_VARIABLE, self.socket.display().to_string());
        }
        if repository.insecure {
            say("GIT_SSL_NO_VERIFY", "true".to_owned());
        }
        if !repository.proxy.is_empty() {
            for name in ["HTTP_PROXY", "HTTPS_PROXY"] {
                say(name, repository.proxy.reveal().clone());
            }
            say("NO_PROXY", repository.no_proxy.clone());
        }
        shared._files = self.files(repository, &mut shared.variables)?;
        Ok(shared)
    }

    /// Keys and certificates, beside the socket: that folder is one both sides see.
    fn files(&self, repository: &git::Repository, say: &mut Vec<Variable>) -> io::Result<Option<TempDir>> {
        let wanted = !repository.ssh_private_key.is_empty()
            || !repository.tls_client_certificate.is_empty()
            || !repository.certificate_authorities.is_empty();
        if !wanted {
            return Ok(None);
        }
        let parent = self.socket.parent().unwrap_or(Path::new("/tmp"));
        let private = fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("git").permissions(private).tempdir_in(parent)?;
        let write = |name: &str, text: &str| -> io::Result<String> {
            let path = folder.path().join(name);
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            // ssh refuses a key without its last line end.
            writeln!(file, "{}", text.trim_end())?;
            Ok(path.display().to_string())
        };
        if !repository.ssh_private_key.is_empty() {
            let key = write("key", repository.ssh_private_key.reveal())?;
            let hosts = if repository.insecure || repository.insecure_ignore_host_key {
                "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null".to_owned()
            } else {
                let known = write("known_hosts", &repository.known_hosts)?;
                format!("-o StrictHostKeyChecking=yes -o UserKnownHostsFile={known}")
            };
            say.push(("GIT_SSH_COMMAND".to_owned(), format!("ssh -i {key} -o IdentitiesOnly=yes {hosts}")));
        }
        if !repository.tls_client_certificate.is_empty() {
            say.push(("GIT_SSL_CERT".to_owned(), write("client.crt", &repository.tls_client_certificate)?));
            say.push(("GIT_SSL_KEY".to_owned(), write("client.key", repository.tls_client_key.reveal())?));
        }
        if !repository.certificate_authorities.is_empty() {
            say.push(("GIT_SSL_CAINFO".to_owned(), write("ca.crt", &repository.certificate_authorities)?));
        }
        Ok(Some(folder))
    }
}

#[tonic::async_trait]
impl AskPassService for AskPass {
    async fn get_credentials(
        &self,
        request: Request<CredentialsRequest>,
    ) -> Result<Response<CredentialsResponse>, Status> {
        let nonce = request.into_inner().nonce;
        if nonce.is_empty() {
            return Err(Status::unauthenticated("missing nonce"));
        }
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (username, password) =
            open.get(&nonce).ok_or_else(|| Status::unauthenticated("unknown nonce"))?;
        let (username, password) = (username.clone(), password.reveal().clone());
        Ok(Response::new(CredentialsResponse { username, password }))
    }
}

/// `argocd-git-ask-pass`: answers git's question, the one argument, with what the repo-server says.
pub async fn answer(
    question: &str,
    environment: &std::collections::BTreeMap<String, String>,
) -> Result<String, String> {
    let nonce = environment.get(NONCE_VARIABLE).cloned().unwrap_or_default();
    if nonce.is_empty() {
        return Err(format!("{NONCE_VARIABLE} is not set"));
    }
    let socket = AskPass::new(environment).socket;
    let channel = transport::connect_unix(&socket).map_err(|error| error.to_string())?;
    let mut client = wire::askpass::ask_pass_service_client::AskPassServiceClient::new(channel);
    let answer = client.get_credentials(CredentialsRequest { nonce }).await;
    let answer = answer.map_err(|status| status.message().to_owned())?.into_inner();
    match question {
        asked if asked.starts_with("Username") => Ok(answer.username),
        asked if asked.starts_with("Password") => Ok(answer.password),
        asked => Err(format!("unknown credential type {asked:?}")),
    }
}
