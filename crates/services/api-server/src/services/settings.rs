//! The settings that clients need, fewer of them for those who are not logged in.

use crate::authentication::Caller;
use crate::authorization::Access;
use crate::hub::Hub;
use api::v1alpha1::KustomizeOptions;
use settings::{CompareOptions, Customizations, Impersonation, Kustomize, StatusField, Ui};
use std::sync::Arc;
use tonic::{Request, Response, Status};
use wire::cluster::settings_service_server::SettingsService;
use wire::cluster::{GoogleAnalyticsConfig, Help, SettingsPluginsResponse, SettingsQuery};

/// Settings.
pub(crate) struct Settings(pub(crate) Arc<Hub>);

#[tonic::async_trait]
impl SettingsService for Settings {
    async fn get(
        &self,
        request: Request<SettingsQuery>,
    ) -> Result<Response<wire::cluster::Settings>, Status> {
        let (access, _) = self.0.open(request);
        let mut settings = open(&self.0, &access);
        if !matches!(access.caller(), Caller::Nobody) {
            add_guarded(&self.0, &access, &mut settings);
        }
        Ok(Response::new(settings))
    }

    async fn get_plugins(
        &self,
        request: Request<SettingsQuery>,
    ) -> Result<Response<SettingsPluginsResponse>, Status> {
        self.0.enter(request)?;
        // Plugins announce themselves to the repo-server; none is configured here.
        Ok(Response::new(SettingsPluginsResponse::default()))
    }
}

/// What anybody may know.
fn open(hub: &Hub, access: &Access) -> wire::cluster::Settings {
    let snapshot = access.snapshot();
    let (ui, _) = Ui::parse(&snapshot.data);
    let (kustomize, _) = Kustomize::parse(&snapshot.data);
    let logins =
        snapshot.accounts.0.values().any(|account| account.enabled && account.can(auth::Capability::Login));
    wire::cluster::Settings {
        url: snapshot.server.url.clone(),
        additional_urls: snapshot.server.additional_urls.clone(),
        app_label_key: snapshot.tracking.label_key.clone(),
        tracking_method: snapshot.tracking.method.as_str().to_owned(),
        installation_id: snapshot.tracking.installation_id.clone(),
        status_badge_enabled: snapshot.server.badge_enabled,
        status_badge_root_url: snapshot.server.badge_url.clone(),
        google_analytics: Some(GoogleAnalyticsConfig {
            tracking_id: ui.analytics_id,
            anonymize_users: ui.analytics_anonymous,
        }),
        kustomize_options: Some(KustomizeOptions {
            build_options: kustomize.build_options,
            ..KustomizeOptions::default()
        }),
        kustomize_versions: kustomize.versions.into_keys().collect(),
        help: Some(Help {
            chat_url: ui.help.chat_url,
            chat_text: ui.help.chat_text,
            binary_urls: ui.help.downloads,
        }),
        user_logins_disabled: !logins,
        ui_css_url: ui.css_url,
        ui_login_button_text: ui.login_button,
        exec_enabled: snapshot.server.exec_enabled,
        apps_in_any_namespace_enabled: !hub.store.namespaces().is_single(),
        impersonation_enabled: Impersonation::parse(&snapshot.data).0.enabled,
        hydrator_enabled: hub.options.hydrator,
        sync_with_replace_allowed: hub.options.replace_allowed,
        resource_view_enabled: !ui.resource_view_disabled,
        ..wire::cluster::Settings::default()
    }
}

/// What only those who are logged in may know.
fn add_guarded(hub: &Hub, access: &Access, settings: &mut wire::cluster::Settings) {
    let snapshot = access.snapshot();
    let (ui, _) = Ui::parse(&snapshot.data);
    let (customizations, _) = Customizations::parse(&snapshot.data);
    let mut overrides = customizations.overrides;
    // The status is left out of updates as it is out of differences.
    let ignored = match CompareOptions::parse(&snapshot.data).0.ignore_status {
        StatusField::All => Some("*/*"),
        StatusField::Crd => Some("apiextensions.k8s.io/CustomResourceDefinition"),
        StatusField::None => None,
    };
    if let Some(entry) = ignored.and_then(|key| overrides.get_mut(key)) {
        let pointers = &mut entry.ignore_resource_updates.json_pointers;
        if !pointers.iter().any(|pointer| pointer == "/status") {
            pointers.push("/status".to_owned());
        }
    }
    settings.resource_overrides = overrides;
    settings.ui_banner_content = ui.banner.content;
    settings.ui_banner_url = ui.banner.url;
    settings.ui_banner_permanent = ui.banner.permanent;
    settings.ui_banner_position = ui.banner.position;
    settings.password_pattern.clone_from(&snapshot.sessions.password_pattern);
    settings.controller_namespace = hub.store.namespace().to_owned();
}
