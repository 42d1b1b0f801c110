//! The configurations in force: the control plane's, and those of users' own where that is switched on. Read and set up anew when
//! their ConfigMap or Secret changed.

use crate::events::{About, Events};
use crate::options::Options;
use base64::Engine as _;
use deliver::{Services, World};
use notify::{Config, Origin, SecretData};
use object::{Object, Secret};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::{Store, StoreError, Watched};

/// A configuration and its services.
pub struct Ready {
    /// What it says.
    pub config: Config,
    /// Its services, set up.
    pub services: Services,
}

impl Ready {
    /// Reads a ConfigMap's data and sets up its services. The error is what the original says of it.
    pub fn new(
        data: &BTreeMap<String, String>,
        secrets: SecretData,
        origin: Origin,
        world: &World,
    ) -> Result<Self, String> {
        let config = Config::parse(data, secrets, origin).map_err(|error| error.to_string())?;
        let services = Services::new(&config, world)?;
        Ok(Self { config, services })
    }
}

/// Resource versions that a configuration was made of.
type Versions = (String, String);

/// What was made of them; nothing where there is a mistake.
type Made = (Versions, Option<Arc<Ready>>);

pub(crate) struct Configs {
    control: String,
    self_service: bool,
    world: World,
    pub(crate) config_maps: Watched<Object>,
    pub(crate) secrets: Watched<Object>,
    config_map: String,
    secret: String,
    events: Arc<Events>,
    made: Mutex<BTreeMap<String, Made>>,
}

/// A Secret's values; what is no base64 is left out.
pub fn read_secret(object: &Object) -> SecretData {
    let mut data = SecretData::new();
    for (key, value) in object.at(&["data"]).and_then(|data| data.as_object()).into_iter().flatten() {
        let text = value.as_str().unwrap_or_default();
        if let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(text) {
            data.insert(key.clone(), Secret::new(bytes));
        }
    }
    for (key, value) in object.at(&["stringData"]).and_then(|data| data.as_object()).into_iter().flatten() {
        data.insert(key.clone(), Secret::new(value.as_str().unwrap_or_default().as_bytes().to_vec()));
    }
    data
}

/// The namespaces whose configurations count for applications of a namespace.
fn namespaces<'n>(control: &'n str, self_service: bool, namespace: &'n str) -> impl Iterator<Item = &'n str> {
    let own = (self_service && namespace != control).then_some(namespace);
    own.into_iter().chain(std::iter::once(control))
}

/// What a configuration of a namespace may. Where users may have their own, none shows the Secret.
fn origin(control: &str, self_service: bool, namespace: &str) -> Origin {
    Origin {
        namespace: namespace.to_owned(),
        self_service: namespace != control,
        hides_secrets: self_service,
    }
}

impl Configs {
    pub(crate) fn new(store: &Store, options: &Options, world: World, events: Arc<Events>) -> Self {
        Self {
            control: store.namespace().to_owned(),
            self_service: options.self_service,
            world,
            config_maps: store.raw_config_maps(&options.config_map, options.self_service),
            secrets: store.raw_secrets(&options.secret, options.self_service),
            config_map: options.config_map.clone(),
            secret: options.secret.clone(),
            events,
            made: Mutex::default(),
        }
    }

    pub(crate) async fn ready(&self) -> Result<(), StoreError> {
        self.config_maps.ready().await?;
        self.secrets.ready().await
    }

    pub(crate) async fn stop(&self) {
        self.config_maps.stop().await;
        self.secrets.stop().await;
    }

    /// The configurations that count for applications of a namespace.
    pub(crate) fn of_application(&self, namespace: &str) -> Vec<Arc<Ready>> {
        namespaces(&self.control, self.self_service, namespace)
            .filter_map(|namespace| self.get(namespace))
            .collect()
    }

    /// The configuration of a namespace; none where there is none, or a mistake in it, which is told once.
    pub(crate) fn get(&self, namespace: &str) -> Option<Arc<Ready>> {
        let config_map = self.config_maps.get(namespace, &self.config_map);
        let secret = self.secrets.get(namespace, &self.secret);
        let version = |item: Option<&str>| item.unwrap_or_default().to_owned();
        let versions: Versions = (
            version(config_map.as_ref().map(|item| &*item.resource_version)),
            version(secret.as_ref().map(|item| &*item.resource_version)),
        );
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, ready)) = made.get(namespace)
            && *known == versions
        {
            return ready.clone();
        }
        let object = config_map.as_ref().and_then(|item| item.value());
        let ready = object.and_then(|object| {
            let secrets = secret.as_ref().and_then(|item| item.value());
            let secrets = secrets.map(|secret| read_secret(secret)).unwrap_or_default();
            self.make(namespace, object, secrets)
        });
        made.insert(namespace.to_owned(), (versions, ready.clone()));
        ready
    }

    fn make(&self, namespace: &str, object: &Object, secrets: SecretData) -> Option<Arc<Ready>> {
        let data = object.at(&["data"]).cloned().unwrap_or_default();
        let data: BTreeMap<String, String> = serde_json::from_value(data).unwrap_or_default();
        let origin = origin(&self.control, self.self_service, namespace);
        match Ready::new(&data, secrets, origin, &self.world) {
            Ok(ready) => {
                for warning in &ready.config.warnings {
                    tracing::warn!(namespace, "{warning}");
                    self.events.warn(&About::of(object), "NotificationsConfigIncomplete", warning, warning);
                }
                Some(Arc::new(ready))
            }
            Err(error) => {
                tracing::error!("error getting api from namespace: {namespace} error: {error}");
                let text = format!("no notifications are sent by this configuration: {error}");
                self.events.warn(&About::of(object), "NotificationsConfigInvalid", &error, &text);
                None
            }
        }
    }

    /// Whether any trigger may change its mind by itself.
    pub(crate) fn depends_on_more(&self) -> bool {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = made.values().filter_map(|(_, ready)| ready.as_ref());
        ready.flat_map(|ready| ready.config.triggers.values()).any(notify::Trigger::depends_on_more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_a_configuration_of_their_own_only_where_that_is_switched_on() {
        let of = |self_service, namespace| namespaces("argocd", self_service, namespace).collect::<Vec<_>>();
        assert_eq!(of(false, "argocd"), ["argocd"]);
        assert_eq!(of(false, "team-a"), ["argocd"]);
        assert_eq!(of(true, "argocd"), ["argocd"]);
        assert_eq!(of(true, "team-a"), ["team-a", "argocd"]);
    }

    #[test]
    fn no_configuration_shows_the_secret_where_users_may_have_their_own() {
        let of = |self_service, namespace| {
            let origin = origin("argocd", self_service, namespace);
            (origin.self_service, origin.hides_secrets)
        };
        assert_eq!(of(false, "argocd"), (false, false));
        assert_eq!(of(true, "argocd"), (false, true));
        assert_eq!(of(true, "team-a"), (true, true));
    }
}
