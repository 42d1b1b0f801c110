//! The settings that clients need, fewer of them for those who are not logged in.

use crate::authentication::Caller;
use crate::authorization::Access;
use crate::broken;
use crate::failure;
use crate::hub::Hub;
use crate::snapshot::Snapshot;
use api::v1alpha1::KustomizeOptions;
use settings::{CompareOptions, Customizations, Impersonation, Kustomize, SingleSignOn, StatusField, Ui};
use std::sync::Arc;
use tonic::{Request, Response, Status};
use wire::cluster::settings_service_server::SettingsService;
use wire::cluster::{
    Connector, DexConfig, GoogleAnalyticsConfig, Help, OidcConfig, Plugin, SettingsPluginsResponse,
    SettingsQuery,
};
use wire::github::com::argoproj::argo_cd::server::settings::oidc::Claim;

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
        let found =
            self.0.repo_server().list_plugins(()).await.map_err(|status| {
                failure::within("failed to list sidecar plugins from reposerver", &status)
            })?;
        let plugins = found.into_inner().items.into_iter().map(|plugin| Plugin { name: plugin.name });
        Ok(Response::new(SettingsPluginsResponse { plugins: plugins.collect() }))
    }
}

/// What anybody may know.
fn open(hub: &Hub, access: &Access) -> wire::cluster::Settings {
    let snapshot = access.snapshot();
    let (ui, _) = Ui::parse(&snapshot.data);
    let (kustomize, _) = Kustomize::parse(&snapshot.data);
    let sso = hub.sso().settings.clone();
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
        oidc_config: sso.as_ref().and_then(provider),
        dex_config: sso.as_ref().and_then(dex),
        ..wire::cluster::Settings::default()
    }
}

/// What a client needs to log in at a provider; each field is named, and no secret is.
fn provider(sso: &SingleSignOn) -> Option<OidcConfig> {
    let SingleSignOn::Direct(oidc) = sso else { return None };
    let claim = |claim: &settings::RequestedClaim| Claim {
        essential: claim.essential,
        value: claim.value.clone(),
        values: claim.values.clone(),
    };
    let claims = oidc.requested_claims.iter();
    Some(OidcConfig {
        name: oidc.name.clone(),
        issuer: oidc.issuer.clone(),
        client_id: oidc.client_id.clone(),
        cli_client_id: oidc.cli_client_id.clone(),
        scopes: oidc.scopes.clone(),
        id_token_claims: claims.map(|(name, wanted)| (name.clone(), claim(wanted))).collect(),
        enable_pkce_authentication: oidc.pkce,
    })
}

/// The connectors of the bundled Dex, by what users may see of them.
fn dex(sso: &SingleSignOn) -> Option<DexConfig> {
    let SingleSignOn::Dex(dex) = sso else { return None };
    let text =
        |connector: &serde_json::Value, key: &str| connector[key].as_str().unwrap_or_default().to_owned();
    let connectors = dex.config.reveal()["connectors"].as_array();
    let connectors = connectors.into_iter().flatten().map(|connector| Connector {
        name: text(connector, "name"),
        r#type: text(connector, "type"),
        id: text(connector, "id"),
    });
    Some(DexConfig {
        connectors: connectors.collect(),
        dex_auth_connector_id: crate::sso::chosen_connector(dex).to_owned(),
    })
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
    // Whoever may change every account administrates; a policy's line or a name is nobody else's business.
    if access.permits("accounts", "update", "*") {
        settings.problems = problems(hub, snapshot);
    }
}

/// What cannot be read of the settings and of what is registered.
fn problems(hub: &Hub, snapshot: &Snapshot) -> Vec<String> {
    let settings = snapshot.problems.iter().map(ToString::to_string);
    settings.chain(broken::registered(hub).iter().map(ToString::to_string)).collect()
}
