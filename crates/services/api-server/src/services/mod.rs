//! The gRPC services, one file each.

mod account;
mod application_set;
mod certificate;
mod cluster;
mod gpgkey;
mod notification;
mod path_value;
mod project;
mod project_token;
mod register;
mod repocreds;
mod repository;
mod session;
mod settings;
mod version;

use crate::StartError;
use crate::application::Applications;
use crate::hub::Hub;
use axum::Router;
use std::sync::Arc;
use tonic::server::NamedService;
use tonic::service::Routes;
use wire::account::account_service_server::AccountServiceServer;
use wire::application::application_service_server::ApplicationServiceServer;
use wire::applicationset::application_set_service_server::ApplicationSetServiceServer;
use wire::certificate::certificate_service_server::CertificateServiceServer;
use wire::cluster::cluster_service_server::ClusterServiceServer;
use wire::cluster::settings_service_server::SettingsServiceServer;
use wire::gpgkey::gpg_key_service_server::GpgKeyServiceServer;
use wire::notification::notification_service_server::NotificationServiceServer;
use wire::project::project_service_server::ProjectServiceServer;
use wire::repocreds::repo_creds_service_server::RepoCredsServiceServer;
use wire::repository::repository_service_server::RepositoryServiceServer;
use wire::session::session_service_server::SessionServiceServer;
use wire::version::version_service_server::VersionServiceServer;

/// Services as they are put together, and their names.
struct Collected {
    routes: Routes,
    names: Vec<String>,
}

impl Collected {
    fn add<S>(mut self, service: S) -> Self
    where
        S: tower::Service<
                http::Request<tonic::body::Body>,
                Response: axum::response::IntoResponse,
                Error = std::convert::Infallible,
            > + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME.to_owned());
        self.routes = self.routes.add_service(service);
        self
    }
}

/// All services as a router, and their names.
pub(crate) fn router(hub: &Arc<Hub>) -> Result<(Router, Vec<String>), StartError> {
    let (reporter, health) = tonic_health::server::health_reporter();
    // Held by the service for as long as there is one; the whole server is well from the start.
    drop(reporter);
    let collected = Collected { routes: Routes::default(), names: Vec::new() }
        .add(AccountServiceServer::new(account::Accounts(hub.clone())))
        .add(ApplicationServiceServer::new(Applications(hub.clone())))
        .add(ApplicationSetServiceServer::new(application_set::ApplicationSets(hub.clone())))
        .add(CertificateServiceServer::new(certificate::Certificates(hub.clone())))
        .add(ClusterServiceServer::new(cluster::Clusters(hub.clone())))
        .add(SettingsServiceServer::new(settings::Settings(hub.clone())))
        .add(GpgKeyServiceServer::new(gpgkey::SigningKeys(hub.clone())))
        .add(NotificationServiceServer::new(notification::Notifications(hub.clone())))
        .add(ProjectServiceServer::new(project::Projects(hub.clone())))
        .add(RepoCredsServiceServer::new(repocreds::CredentialTemplates(hub.clone())))
        .add(RepositoryServiceServer::new(repository::Repositories(hub.clone())))
        .add(SessionServiceServer::new(session::Sessions(hub.clone())))
        .add(VersionServiceServer::new(version::Versions(hub.clone())))
        .add(health);
    with_reflection(collected)
}

/// Adds the description of the services that are there; what other components serve is not told.
fn with_reflection(collected: Collected) -> Result<(Router, Vec<String>), StartError> {
    let builder = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(wire::DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .include_reflection_service(true);
        collected.names.iter().fold(builder, |builder, name| builder.with_service_name(name.clone()))
    };
    let failed = |error: tonic_reflection::server::Error| StartError::Reflection(error.to_string());
    let (current, older) =
        (builder().build_v1().map_err(failed)?, builder().build_v1alpha().map_err(failed)?);
    let collected = collected.add(current).add(older);
    Ok((collected.routes.prepare().into_axum_router(), collected.names))
}
