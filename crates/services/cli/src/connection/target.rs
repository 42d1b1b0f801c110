//! Which server is meant: flag before environment before context.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{cluster, core};
use crate::config;
use crate::failure::{Failure, Outcome};
use crate::manifests;
use crate::session::Session;

/// Where the pods of the API server listen.
const SERVER_PORT: u16 = 8080;

/// Whether the API server of Kubernetes leads to the server.
pub(crate) fn is_forwarded(session: &Session<'_>) -> bool {
    session.is("port-forward") || !session.matches.text("port-forward-namespace").is_empty()
}

/// The context that is meant, if there is one.
fn context(session: &Session<'_>) -> Outcome<Option<config::Resolved>> {
    let path = config::path(session.matches.text("config"), session.environment);
    let config = config::read(&path);
    let config = config.map_err(|error| Failure::fatal(format!("error reading local config: {error}")))?;
    let Some(config) = config else { return Ok(None) };
    config.resolve(session.matches.text("argocd-context")).map_err(Failure::fatal)
}

/// Everything needed to reach a server and to authenticate.
#[derive(Clone, Default)]
pub(crate) struct Target {
    /// Host and port.
    pub(crate) address: String,
    pub(crate) token: String,
    pub(crate) plain_text: bool,
    pub(crate) insecure: bool,
    pub(crate) grpc_web: bool,
    pub(crate) grpc_web_root_path: String,
    /// PEM of the certificate authority; empty for the system's.
    pub(crate) authority: Vec<u8>,
    /// PEM of the client's certificate and key.
    pub(crate) identity: Option<(Vec<u8>, Vec<u8>)>,
    /// Headers of each request.
    pub(crate) headers: Vec<(String, String)>,
}

/// The file that a flag names.
fn read(session: &Session<'_>, flag: &str) -> Outcome<Vec<u8>> {
    manifests::local(session.matches.text(flag)).map_err(Failure::fatal)
}

/// The client's certificate and key that flags name.
fn given_identity(session: &Session<'_>) -> Outcome<Option<config::Identity>> {
    match (session.matches.text("client-crt"), session.matches.text("client-crt-key")) {
        ("", "") => Ok(None),
        ("", _) | (_, "") => {
            Err(Failure::fatal("--client-crt and --client-crt-key must always be specified together"))
        }
        _ => Ok(Some((read(session, "client-crt")?, read(session, "client-crt-key")?))),
    }
}

impl Target {
    /// What the client calls itself.
    pub(crate) fn user_agent() -> String {
        format!("argocd-client/v{}", crate::VERSION)
    }

    /// The target of this call.
    pub(crate) async fn resolve(session: &mut Session<'_>) -> Outcome<Self> {
        if session.is("core") {
            return core::start(session).await;
        }
        let context = context(session)?;
        if context.as_ref().is_some_and(|context| context.server.core) {
            return core::start(session).await;
        }
        let mut target = match &context {
            Some(context) => Self::of_server(&context.server, &context.user).map_err(Failure::fatal)?,
            None => Self::default(),
        };
        if let Some(address) = session.environment.variable("ARGOCD_SERVER") {
            address.clone_into(&mut target.address);
        }
        if !session.matches.text("server").is_empty() {
            target.address = session.text("server");
        }
        if let Some(token) = session.environment.variable("ARGOCD_AUTH_TOKEN") {
            token.clone_into(&mut target.token);
        }
        if !session.matches.text("auth-token").is_empty() {
            session.matches.text("auth-token").trim().clone_into(&mut target.token);
        }
        target.forwarded(session).await?.with_flags(session)
    }

    /// The server the user names to log in to.
    pub(crate) async fn at(address: &str, session: &Session<'_>) -> Outcome<Self> {
        let target = Self { address: address.to_owned(), ..Self::default() };
        target.forwarded(session).await?.with_flags(session)
    }

    /// Through the API server of Kubernetes where that is asked for. Who made the connection knows whom it leads to:
    /// the certificate, which names another address, says nothing.
    async fn forwarded(mut self, session: &Session<'_>) -> Outcome<Self> {
        if !is_forwarded(session) {
            return Ok(self);
        }
        let context = session.matches.text("kube-context");
        let connected = cluster::connect(session.environment, "", context).await;
        let cluster = connected.map_err(|error| Failure::fatal(error.message()))?;
        let namespace = match session.matches.text("port-forward-namespace") {
            "" => cluster.default_namespace(),
            namespace => namespace,
        };
        let component = session.matches.text("server-name");
        let port = cluster::forward(&cluster, namespace, &[component], SERVER_PORT).await;
        self.address = format!("127.0.0.1:{}", port.map_err(Failure::fatal)?);
        self.insecure = true;
        Ok(self)
    }

    /// The target that an entry of the configuration file describes.
    pub(crate) fn of_server(server: &config::Server, user: &config::User) -> Result<Self, String> {
        let authority = STANDARD.decode(&server.certificate_authority_data);
        Ok(Self {
            address: server.server.clone(),
            token: user.auth_token.clone(),
            plain_text: server.plain_text,
            insecure: server.insecure,
            grpc_web: server.grpc_web || !server.grpc_web_root_path.is_empty(),
            grpc_web_root_path: server.grpc_web_root_path.clone(),
            authority: authority.map_err(|error| format!("illegal base64 data: {error}"))?,
            identity: server.identity()?,
            headers: Vec::new(),
        })
    }

    /// The target of a new login of a context: a certificate that flags name stands for the context's, which may be gone.
    pub(crate) fn of_relogin(
        session: &Session<'_>,
        server: &config::Server,
        user: &config::User,
    ) -> Outcome<Self> {
        let Some(identity) = given_identity(session)? else {
            return Self::of_server(server, user).map_err(Failure::generic);
        };
        let mut server = server.clone();
        for text in [
            &mut server.client_certificate,
            &mut server.client_certificate_key,
            &mut server.client_certificate_data,
            &mut server.client_certificate_key_data,
        ] {
            text.clear();
        }
        let target = Self::of_server(&server, user).map_err(Failure::generic)?;
        Ok(Self { identity: Some(identity), ..target })
    }

    fn with_flags(mut self, session: &Session<'_>) -> Outcome<Self> {
        if self.address.is_empty() {
            return Err(Failure::fatal("Argo CD server address unspecified"));
        }
        if !self.address.contains(':') {
            self.address += ":443";
        }
        if !session.matches.text("server-crt").is_empty() {
            self.authority = read(session, "server-crt")?;
        }
        if let Some(identity) = given_identity(session)? {
            self.identity = Some(identity);
        }
        self.plain_text |= session.is("plaintext");
        self.insecure |= session.is("insecure");
        self.grpc_web |= session.is("grpc-web");
        if !session.matches.text("grpc-web-root-path").is_empty() {
            self.grpc_web_root_path = session.text("grpc-web-root-path");
            self.grpc_web = true;
        }
        for header in session.matches.list("header") {
            let (name, value) = header.split_once(':').ok_or_else(|| {
                Failure::fatal(format!(
                    "additional headers key value pair must be separated by a colon(:): {header}"
                ))
            })?;
            self.headers.push((name.trim().to_lowercase(), value.trim().to_owned()));
        }
        Ok(self)
    }

    /// Host name without port, for certificates.
    pub(crate) fn host(&self) -> &str {
        self.address.rsplit_once(':').map_or(self.address.as_str(), |(host, _)| host).trim_matches(['[', ']'])
    }
}
