//! The way to an API server: which one, how, and with whose token.

pub(crate) mod cluster;
pub(crate) mod core;
mod dial;
mod target;
mod tls;
mod transport;

pub(crate) use dial::{Encryption, probe};
pub(crate) use target::{Target, is_forwarded};

use tonic::transport::Endpoint;

use crate::failure::{Failure, Outcome};
use crate::log::Level;
use crate::session::Session;
use dial::Connector;
use transport::Transport;

/// The largest message, as the original's default.
const MESSAGE_LIMIT: usize = 200 << 20;

/// Clients for the services of one server.
#[derive(Clone)]
pub(crate) struct Server {
    /// Where it is.
    pub(crate) target: Target,
    transport: Transport,
}

macro_rules! clients {
    ($($name:ident: $package:ident :: $module:ident :: $client:ident),* $(,)?) => {
        $(
            #[doc = concat!("The client of ", stringify!($client), ".")]
            pub(crate) fn $name(&self) -> wire::$package::$module::$client<Transport> {
                wire::$package::$module::$client::new(self.transport.clone())
                    .max_decoding_message_size(MESSAGE_LIMIT)
                    .max_encoding_message_size(MESSAGE_LIMIT)
            }
        )*
    };
}

impl Server {
    clients! {
        accounts: account::account_service_client::AccountServiceClient,
        application_sets: applicationset::application_set_service_client::ApplicationSetServiceClient,
        applications: application::application_service_client::ApplicationServiceClient,
        certificates: certificate::certificate_service_client::CertificateServiceClient,
        clusters: cluster::cluster_service_client::ClusterServiceClient,
        credential_templates: repocreds::repo_creds_service_client::RepoCredsServiceClient,
        gpg_keys: gpgkey::gpg_key_service_client::GpgKeyServiceClient,
        projects: project::project_service_client::ProjectServiceClient,
        repositories: repository::repository_service_client::RepositoryServiceClient,
        sessions: session::session_service_client::SessionServiceClient,
        settings: cluster::settings_service_client::SettingsServiceClient,
        versions: version::version_service_client::VersionServiceClient,
    }

    /// The server at `target`; the first call opens the connection.
    fn new(target: Target) -> Result<Self, String> {
        let transport = if target.grpc_web {
            Transport::web(&target)?
        } else {
            let scheme = if target.plain_text { "http" } else { "https" };
            let origin = format!("{scheme}://{}", target.address);
            let origin = origin.parse().map_err(|error| format!("{}: {error}", target.address))?;
            // The connector does TLS; tonic would refuse a scheme that asks it to.
            let endpoint = Endpoint::from_shared(format!("http://{}", target.address))
                .and_then(|endpoint| endpoint.user_agent(Target::user_agent()))
                .map_err(|error| error.to_string())?
                .origin(origin)
                .http2_keep_alive_interval(std::time::Duration::from_secs(20))
                .keep_alive_while_idle(true);
            let channel = endpoint.connect_with_connector_lazy(Connector::new(&target, b"h2")?);
            Transport::http2(&target, channel)?
        };
        Ok(Self { target, transport })
    }
}

/// A POST without body and with the token as cookie, for what is not gRPC.
pub(crate) async fn post(target: &Target, path: &str, token: &str) -> Result<(), String> {
    use http_body_util::Empty;
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    let scheme = if target.plain_text { "http" } else { "https" };
    let address = target.address.trim_end_matches(":443");
    let client = Client::builder(TokioExecutor::new()).build(Connector::new(target, b"http/1.1")?);
    let request = http::Request::post(format!("{scheme}://{}{path}", target.address))
        .header(http::header::COOKIE, format!("argocd.token={token}"))
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(Empty::<bytes::Bytes>::new())
        .map_err(|error| error.to_string())?;
    let failed = |reason: String| format!("Post \"{scheme}://{address}{path}\": {reason}");
    match client.request(request).await {
        Ok(answer) if answer.status().is_success() || answer.status().is_redirection() => Ok(()),
        Ok(answer) => Err(format!("unexpected status {}", answer.status())),
        Err(_) => Err(failed(match dial::reach(target).await {
            Err(reason) => reason.trim_start_matches("error dial proxy: ").to_owned(),
            Ok(()) => "EOF".into(),
        })),
    }
}

impl Session<'_> {
    /// The server that flags, environment and context name.
    pub(crate) async fn server(&mut self) -> Outcome<Server> {
        let mut target = Target::resolve(self).await?;
        Box::pin(crate::sso::refresh(self, &mut target)).await?;
        self.connect(target).await
    }

    /// The server at `target`. When gRPC does not get through but gRPC-web does, that is used and said.
    pub(crate) async fn connect(&mut self, target: Target) -> Outcome<Server> {
        let refused = |target: &Target, error: String| {
            Failure::fatal(format!("Failed to establish connection to {}: {error}", target.address))
        };
        if let Err(error) = dial::reach(&target).await {
            return Err(refused(&target, error));
        }
        let server = Server::new(target.clone()).map_err(|error| refused(&target, error))?;
        if target.grpc_web || server.versions().version(()).await.is_ok() {
            return Ok(server);
        }
        let web = Target { grpc_web: true, ..target.clone() };
        let web = Server::new(web).map_err(|error| refused(&target, error))?;
        if web.versions().version(()).await.is_err() {
            return Ok(server);
        }
        self.log(
            Level::Warning,
            "Failed to invoke grpc call. Use flag --grpc-web in grpc calls. To avoid this warning message, use flag --grpc-web.",
        );
        Ok(web)
    }
}
