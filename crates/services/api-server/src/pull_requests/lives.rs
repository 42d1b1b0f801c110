//! The live objects that a pull request may be compared with: the application's own. A request can name any object of
//! the cluster; what is not the application's is known to be there, and nothing of it is shown.

use crate::found;
use crate::hub::Hub;
use api::v1alpha1::Application;
use base64::Engine as _;
use futures::stream::{StreamExt as _, TryStreamExt as _};
use kubernetes::Cluster;
use notify::Redactor;
use object::tracking::{is_crd, owner_application};
use object::{AppInstance, GroupVersionKind, Object, ResourceKey, is_secret};
use serde_json::Value;
use settings::Tracking;
use std::collections::{BTreeMap, BTreeSet};

/// Objects of one application.
const MOST: usize = 2_000;
/// Reads at once.
const AT_ONCE: usize = 8;
/// Shorter values of Secrets are words that stand everywhere.
const SHORTEST: usize = 6;

/// What is live.
#[derive(Clone, Debug, Default)]
pub(super) struct Lives {
    /// The application's own.
    pub(super) own: BTreeMap<ResourceKey, Object>,
    /// Names of others.
    pub(super) taken: BTreeSet<ResourceKey>,
}

/// The objects that the application has, by what the controller found.
pub(super) async fn managed(
    hub: &Hub,
    application: &Application,
) -> Result<BTreeMap<ResourceKey, GroupVersionKind>, String> {
    let entries = found::managed(hub, application).await.map_err(|status| status.message().to_owned())?;
    let live = entries.iter().filter_map(|entry| found::object(&entry.live_state));
    Ok(live.map(|object| (object.key(), object.gvk())).collect())
}

impl Lives {
    /// Reads objects; those that are not the application's are only noted.
    pub(super) async fn read(
        &mut self,
        cluster: &Cluster,
        wanted: BTreeMap<ResourceKey, GroupVersionKind>,
        instance: &AppInstance,
        tracking: &Tracking,
    ) -> Result<(), String> {
        let wanted =
            wanted.into_iter().filter(|(key, _)| !self.own.contains_key(key) && !key.name.is_empty());
        let wanted: Vec<_> = wanted.collect();
        if wanted.len() + self.own.len() > MOST {
            return Err(format!("the application has more than {MOST} resources"));
        }
        let reads = wanted.into_iter().map(|(key, gvk)| async move {
            match cluster.find_kind(&gvk, &key.namespace, &key.name).await {
                Ok(found) => Ok((key, found)),
                Err(kubernetes::Error::UnknownKind(_)) => Ok((key, None)),
                Err(error) => Err(format!("read {key}: {}", error.message())),
            }
        });
        let found: Vec<(ResourceKey, Option<Object>)> =
            futures::stream::iter(reads).buffer_unordered(AT_ONCE).try_collect().await?;
        for (key, live) in found {
            let Some(live) = live else { continue };
            let owner =
                owner_application(&live, tracking.method, &tracking.label_key, &tracking.installation_id);
            // Definitions carry no mark.
            if is_crd(&live) || owner.as_ref() == Some(instance) {
                self.own.insert(key, live);
            } else {
                self.taken.insert(key);
            }
        }
        Ok(())
    }
}

/// Knows the values of those among the objects that are Secrets.
pub(super) fn learn<'o>(redactor: &mut Redactor, objects: impl Iterator<Item = &'o Object>) {
    for object in objects.filter(|object| is_secret(object)) {
        for (member, coded) in [("data", true), ("stringData", false)] {
            let values = object.at(&[member]).and_then(Value::as_object).into_iter().flatten();
            for text in values.filter_map(|(_, value)| value.as_str()) {
                let decoded = coded.then(|| base64::engine::general_purpose::STANDARD.decode(text));
                for value in decoded.and_then(Result::ok).into_iter().chain([text.as_bytes().to_vec()]) {
                    if value.len() >= SHORTEST {
                        redactor.learn(&value);
                    }
                }
            }
        }
    }
}

/// Knows what the application gives its templates under a name that speaks of a secret.
pub(super) fn learn_parameters(redactor: &mut Redactor, application: &Application) {
    for source in application.spec.effective_sources() {
        let Some(helm) = source.helm else { continue };
        for parameter in &helm.parameters {
            learn_named(redactor, &parameter.name, &Value::from(parameter.value.as_str()), 0);
        }
        let written = object::yaml::decode(helm.values.as_bytes()).unwrap_or_default();
        learn_named(redactor, "", &written, 0);
        if let Some(values) =
            serde_json::to_value(&helm.values_object).ok().filter(|values| !values.is_null())
        {
            learn_named(redactor, "", &values, 0);
        }
    }
}

fn learn_named(redactor: &mut Redactor, name: &str, value: &Value, depth: usize) {
    const NAMES: [&str; 6] = ["password", "passwd", "secret", "token", "credential", "key"];
    const DEEPEST: usize = 32;
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                learn_named(redactor, &format!("{name}.{member}"), value, depth + 1);
            }
        }
        Value::Array(entries) => {
            for entry in entries {
                learn_named(redactor, name, entry, depth + 1);
            }
        }
        Value::String(text) if text.len() >= SHORTEST => {
            let name = name.to_lowercase();
            if NAMES.iter().any(|word| name.contains(word)) {
                redactor.learn(text.as_bytes());
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{learn, learn_parameters};
    use api::v1alpha1::Application;
    use notify::Redactor;
    use object::Object;
    use serde_json::json;

    #[test]
    fn values_of_secrets_are_known_in_every_form() {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
            "data": {"a": "Y2FuYXJ5LW9uZQ==", "short": "eWVz"}, "stringData": {"b": "canary-two"},
        });
        let plain = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "harmless"}});
        let objects = [secret, plain].map(|value| Object::from_value(value).expect("an object"));
        let mut redactor = Redactor::default();
        learn(&mut redactor, objects.iter());
        let text = redactor.redact("canary-one Y2FuYXJ5LW9uZQ== canary-two harmless yes");
        assert_eq!(text, "+++++ +++++ +++++ harmless yes");
    }

    #[test]
    fn parameters_with_names_that_speak_are_known() {
        let application: Application = serde_json::from_value(json!({
            "metadata": {"name": "a"},
            "spec": {"source": {"repoURL": "https://git.example/a", "helm": {
                "parameters": [{"name": "db.password", "value": "canary-one"}, {"name": "replicas", "value": "seventeen"}],
                "values": "auth:\n  secret:\n    inner: canary-two\nhost: harmless\n",
                "valuesObject": {"apiToken": ["canary-three"]},
            }}},
        }))
        .expect("an application");
        let mut redactor = Redactor::default();
        learn_parameters(&mut redactor, &application);
        let text = redactor.redact("canary-one canary-two canary-three seventeen harmless");
        assert_eq!(text, "+++++ +++++ +++++ seventeen harmless");
    }
}
