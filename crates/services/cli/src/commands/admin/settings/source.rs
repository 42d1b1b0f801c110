//! The settings and the object they are tried on: files, or the cluster.

use std::fs::File;
use std::io::Read;

use object::Object;
use serde_json::Value;
use settings::{Customizations, Data};

use super::super::hub::{Hub, data};
use crate::failure::{Failure, Outcome, io_error};
use crate::log::Level;
use crate::session::Session;

/// Bytes of a file that are read.
const LARGEST_FILE: u64 = 16 << 20;

/// `argocd-cm`, and `argocd-secret` where one was given.
pub(super) struct Settings {
    pub(super) data: Data,
    /// None when nobody said where it is.
    pub(super) secrets: Option<Data>,
}

impl Settings {
    pub(super) async fn read(session: &Session<'_>) -> Outcome<Self> {
        let (map, secret) = (session.text("argocd-cm-path"), session.text("argocd-secret-path"));
        let from_cluster = session.is("load-cluster-settings");
        if map.is_empty() && !from_cluster {
            return Err(Failure::generic(
                "either --argocd-cm-path must be provided or --load-cluster-settings must be set to true",
            ));
        }
        let hub = if from_cluster && (map.is_empty() || secret.is_empty()) {
            Some(Hub::connect(session).await.map_err(Failure::generic)?)
        } else {
            None
        };
        let config = find(hub.as_ref(), "ConfigMap", "argocd-cm", &map).await?.unwrap_or_default();
        Ok(Self { data: config, secrets: find(hub.as_ref(), "Secret", "argocd-secret", &secret).await? })
    }

    /// What is changed for single kinds; what cannot be read of it is told.
    pub(super) fn customizations(&self, session: &mut Session<'_>) -> Customizations {
        let (customizations, problems) = Customizations::parse(&self.data);
        for problem in problems {
            session.log(Level::Warning, &format!("{}: {}", problem.key, problem.message));
        }
        customizations
    }
}

async fn find(hub: Option<&Hub>, kind: &str, name: &str, file: &str) -> Outcome<Option<Data>> {
    if file.is_empty() {
        let Some(hub) = hub else { return Ok(None) };
        return hub.data(kind, name).await.map(Some).map_err(Failure::generic);
    }
    let value = document(file)?;
    let found = value.get("kind").and_then(Value::as_str).unwrap_or_default();
    if found != kind {
        return Err(Failure::generic(format!("{file}: expected a {kind}, found {found:?}")));
    }
    Ok(Some(data(kind, &value)))
}

/// The object that a command tries the settings on.
pub(super) fn resource(session: &Session<'_>) -> Outcome<Object> {
    let path = session.first_argument()?;
    Object::from_value(document(&path)?).map_err(|error| Failure::generic(format!("{path}: {error}")))
}

fn document(path: &str) -> Outcome<Value> {
    let bytes = read(path).map_err(Failure::generic)?;
    object::yaml::decode(&bytes).map_err(|error| Failure::generic(format!("{path}: {error}")))
}

/// A file, up to a limit.
pub(super) fn read(path: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let failed = |error: std::io::Error| format!("open {path}: {}", io_error(&error));
    File::open(path).map_err(failed)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(format!("open {path}: the file is larger than {LARGEST_FILE} bytes"));
    }
    Ok(bytes)
}

/// A kind as the original writes it: with the slash even where there is no group.
pub(super) fn kind_of(resource: &Object) -> String {
    format!("{}/{}", resource.group(), resource.kind())
}
