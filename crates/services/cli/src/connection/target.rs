//! Which server is meant: flag before environment before context.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::config;
use crate::failure::{Failure, Outcome, io_error};
use crate::session::Session;

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

impl Target {
    /// What the client calls itself.
    pub(crate) fn user_agent() -> String {
        format!("argocd-client/v{}", crate::VERSION)
    }

    /// The target of this call.
    pub(crate) fn resolve(session: &Session<'_>) -> Outcome<Self> {
        if session.is("core") || session.is("port-forward") {
            let flag = if session.is("core") { "core" } else { "port-forward" };
            return Err(Failure::generic(format!(
                "--{flag} is not supported yet; name a server with --server"
            )));
        }
        let mut target = Self::of_context(session)?;
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
        target.with_flags(session)
    }

    /// The server the user names to log in to.
    pub(crate) fn at(address: &str, session: &Session<'_>) -> Outcome<Self> {
        Self { address: address.to_owned(), ..Self::default() }.with_flags(session)
    }

    fn of_context(session: &Session<'_>) -> Outcome<Self> {
        let path = config::path(session.matches.text("config"), session.environment);
        let config = config::read(&path)
            .map_err(|error| Failure::fatal(format!("error reading local config: {error}")))?;
        let Some(config) = config else { return Ok(Self::default()) };
        let Some(context) = config.resolve(session.matches.text("argocd-context")).map_err(Failure::fatal)?
        else {
            return Ok(Self::default());
        };
        Self::of_server(&context.server, &context.user).map_err(Failure::fatal)
    }

    /// The target that an entry of the configuration file describes.
    pub(crate) fn of_server(server: &config::Server, user: &config::User) -> Result<Self, String> {
        let decode =
            |text: &str| STANDARD.decode(text).map_err(|error| format!("illegal base64 data: {error}"));
        let identity = match server.client_certificate_data.as_str() {
            "" => None,
            certificate => Some((decode(certificate)?, decode(&server.client_certificate_key_data)?)),
        };
        Ok(Self {
            address: server.server.clone(),
            token: user.auth_token.clone(),
            plain_text: server.plain_text,
            insecure: server.insecure,
            grpc_web: server.grpc_web || !server.grpc_web_root_path.is_empty(),
            grpc_web_root_path: server.grpc_web_root_path.clone(),
            authority: decode(&server.certificate_authority_data)?,
            identity,
            headers: Vec::new(),
        })
    }

    fn with_flags(mut self, session: &Session<'_>) -> Outcome<Self> {
        if self.address.is_empty() {
            return Err(Failure::fatal("Argo CD server address unspecified"));
        }
        if !self.address.contains(':') {
            self.address += ":443";
        }
        let read = |flag: &str| {
            let file = session.matches.text(flag);
            std::fs::read(file).map_err(|error| Failure::fatal(format!("open {file}: {}", io_error(&error))))
        };
        if !session.matches.text("server-crt").is_empty() {
            self.authority = read("server-crt")?;
        }
        match (session.matches.text("client-crt"), session.matches.text("client-crt-key")) {
            ("", "") => {}
            ("", _) => return Err(Failure::fatal("--client-crt-key provided without --client-crt")),
            (_, "") => {
                return Err(Failure::fatal(
                    "--client-crt and --client-crt-key must always be specified together",
                ));
            }
            _ => self.identity = Some((read("client-crt")?, read("client-crt-key")?)),
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
