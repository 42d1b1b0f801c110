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

/// All services as a router, and their names.
pub(crate) fn router(hub: &Arc<Hub>) -> Result<(Router, Vec<String>), StartError> {
    let limit = hub.options.message_limit;
    let services = Services::default()
        .with(AccountServiceServer::new(account::Accounts(hub.clone())).max_decoding_message_size(limit))
        .with(ApplicationServiceServer::new(Applications(hub.clone())).max_decoding_message_size(limit))
        .with(
            ApplicationSetServiceServer::new(application_set::ApplicationSets(hub.clone()))
                .max_decoding_message_size(limit),
        )
        .with(
            CertificateServiceServer::new(certificate::Certificates(hub.clone()))
                .max_decoding_message_size(limit),
        )
        .with(ClusterServiceServer::new(cluster::Clusters(hub.clone())).max_decoding_message_size(limit))
        .with(SettingsServiceServer::new(settings::Settings(hub.clone())).max_decoding_message_size(limit))
        .with(GpgKeyServiceServer::new(gpgkey::SigningKeys(hub.clone())).max_decoding_message_size(limit))
        .with(
            NotificationServiceServer::new(notification::Notifications(hub.clone()))
                .max_decoding_message_size(limit),
        )
        .with(ProjectServiceServer::new(project::Projects(hub.clone())).max_decoding_message_size(limit))
        .with(
            RepoCredsServiceServer::new(repocreds::CredentialTemplates(hub.clone()))
                .max_decoding_message_size(limit),
        )
        .with(
            RepositoryServiceServer::new(repository::Repositories(hub.clone()))
                .max_decoding_message_size(limit),
        )
        .with(SessionServiceServer::new(session::Sessions(hub.clone())).max_decoding_message_size(limit))
        .with(VersionServiceServer::new(version::Versions(hub.clone())).max_decoding_message_size(limit))
        .with(HealthServer::new(health::Healthy).max_decoding_message_size(limit))
        .described(wire::DESCRIPTOR_SET)?;
    Ok(services.finish())
}
