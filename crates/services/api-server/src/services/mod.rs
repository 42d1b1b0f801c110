//! The gRPC services, one file each.

mod account;
mod application_set;
mod certificate;
mod cluster;
mod gpgkey;
mod health;
mod members;
mod notification;
pub(crate) mod path_value;
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
use transport::Services;
use wire::account::account_service_server::AccountServiceServer;
use wire::application::application_service_server::ApplicationServiceServer;
use wire::applicationset::application_set_service_server::ApplicationSetServiceServer;
use wire::certificate::certificate_service_server::CertificateServiceServer;
use wire::cluster::cluster_service_server::ClusterServiceServer;
use wire::cluster::settings_service_server::SettingsServiceServer;
use wire::gpgkey::gpg_key_service_server::GpgKeyServiceServer;
use wire::health::health_server::HealthServer;
use wire::notification::notification_service_server::NotificationServiceServer;
use wire::project::project_service_server::ProjectServiceServer;
use wire::repocreds::repo_creds_service_server::RepoCredsServiceServer;
use wire::repository::repository_service_server::RepositoryServiceServer;
use wire::session::session_service_server::SessionServiceServer;
use wire::version::version_service_server::VersionServiceServer;

/// Services, each of which takes messages of so many bytes. What is generated shares no trait that says so.
macro_rules! limited {
    ($limit:expr, $($server:expr),+ $(,)?) => {
        Services::default()$(.with($server.max_decoding_message_size($limit)))+
    };
}

/// All services as a router, and their names.
pub(crate) fn router(hub: &Arc<Hub>) -> Result<(Router, Vec<String>), StartError> {
    let limit = hub.options.message_limit;
    let hub = || hub.clone();
    let services = limited!(
        limit,
        AccountServiceServer::new(account::Accounts(hub())),
        ApplicationServiceServer::new(Applications(hub())),
        ApplicationSetServiceServer::new(application_set::ApplicationSets(hub())),
        CertificateServiceServer::new(certificate::Certificates(hub())),
        ClusterServiceServer::new(cluster::Clusters(hub())),
        SettingsServiceServer::new(settings::Settings(hub())),
        GpgKeyServiceServer::new(gpgkey::SigningKeys(hub())),
        NotificationServiceServer::new(notification::Notifications(hub())),
        ProjectServiceServer::new(project::Projects(hub())),
        RepoCredsServiceServer::new(repocreds::CredentialTemplates(hub())),
        RepositoryServiceServer::new(repository::Repositories(hub())),
        SessionServiceServer::new(session::Sessions(hub())),
        VersionServiceServer::new(version::Versions(hub())),
        HealthServer::new(health::Healthy),
    )
    .described(wire::DESCRIPTOR_SET)?;
    Ok(services.finish())
}
