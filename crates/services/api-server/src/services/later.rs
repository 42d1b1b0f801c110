//! Services whose methods are not there yet: each answers UNIMPLEMENTED by its name.

use wire::applicationset::application_set_service_server::ApplicationSetService;
use wire::certificate::certificate_service_server::CertificateService;
use wire::gpgkey::gpg_key_service_server::GpgKeyService;
use wire::notification::notification_service_server::NotificationService;
use wire::repocreds::repo_creds_service_server::RepoCredsService;

/// None of them has a method yet.
pub(crate) struct Later;

impl ApplicationSetService for Later {}
impl CertificateService for Later {}
impl GpgKeyService for Later {}
impl NotificationService for Later {}
impl RepoCredsService for Later {}
