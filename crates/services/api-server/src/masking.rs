//! Nothing leaves with a Secret's values in it.

use crate::found;
use api::v1alpha1::{Application, ResourceDiff};
use object::{Object, is_secret, mask_secret};
use std::collections::BTreeSet;
use tonic::Status;

/// A manifest as it may be shown. What cannot be read is not shown at all: it could be a Secret.
pub(crate) fn manifest(text: &str, annotations: &BTreeSet<String>) -> Result<String, Status> {
    let object = found::object(text).ok_or_else(|| {
        Status::unknown("error unmarshaling manifest into unstructured: it is not an object")
    })?;
    if !is_secret(&object) {
        return Ok(text.to_owned());
    }
    Ok(shown(&object, annotations))
}

/// An object as it may be shown.
pub(crate) fn shown(object: &Object, annotations: &BTreeSet<String>) -> String {
    let (masked, _) = mask_secret(Some(object), None, annotations);
    masked.map(|masked| object::object_to_go_json(&masked.0)).unwrap_or_default()
}

/// An application as it may be shown: among manifests that somebody sent along with a sync are Secrets.
pub(crate) fn operations(mut application: Application, annotations: &BTreeSet<String>) -> Application {
    let state = application.status.operation_state.as_mut().map(|state| &mut state.operation);
    for operation in application.operation.iter_mut().chain(state) {
        for text in operation.sync.iter_mut().flat_map(|sync| &mut sync.manifests) {
            *text = manifest(text, annotations).unwrap_or_default();
        }
    }
    application
}

/// An address whose password, if it has one, is hidden.
pub(crate) fn without_password(address: &str) -> String {
    let Ok(mut url) = url::Url::parse(address) else { return address.to_owned() };
    if url.password().is_none() {
        return address.to_owned();
    }
    // What cannot have a password has none to hide.
    let _ = url.set_password(Some("xxxxx"));
    url.into()
}

/// Masks what the entry of a Secret says. Both sides are masked together, so that a difference still shows.
pub(crate) fn resource(entry: &mut ResourceDiff, annotations: &BTreeSet<String>) {
    if !(entry.group.is_empty() && entry.kind == "Secret") {
        return;
    }
    pair(&mut entry.target_state, &mut entry.live_state, annotations);
    pair(&mut entry.predicted_live_state, &mut entry.normalized_live_state, annotations);
    entry.diff.clear();
}

fn pair(target: &mut String, live: &mut String, annotations: &BTreeSet<String>) {
    let before = (found::object(target), found::object(live));
    let (masked_target, masked_live) = mask_secret(before.0.as_ref(), before.1.as_ref(), annotations);
    let text = |before: &str, masked: Option<Object>| match masked {
        // An entry of a kind `Secret` that does not say so itself is not shown.
        Some(masked) if is_secret(&masked) => object::object_to_go_json(&masked.0),
        _ if matches!(before, "" | "null") => before.to_owned(),
        _ => String::new(),
    };
    *target = text(target, masked_target);
    *live = text(live, masked_live);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CANARY: &str = "Y2FuYXJ5";

    fn secret(value: &str) -> String {
        format!(r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"s"}},"data":{{"k":"{value}"}}}}"#)
    }

    #[test]
    fn cve_2018_21034_manifests_show_no_secrets() {
        let shown = manifest(&secret(CANARY), &BTreeSet::new()).unwrap();
        assert!(!shown.contains(CANARY) && shown.contains("++++++++"), "{shown}");
        let plain = r#"{"apiVersion":"v1","kind":"ConfigMap","data":{"k":"v"}}"#;
        assert_eq!(manifest(plain, &BTreeSet::new()).unwrap(), plain);
        assert!(manifest(&format!("{}x", secret(CANARY)), &BTreeSet::new()).is_err());
    }

    #[test]
    fn cve_2018_21034_what_was_sent_along_with_a_sync_shows_no_secrets() {
        let map = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"}}"#;
        let operation = json!({"sync": {"manifests": [map, secret(CANARY), "kind: Secret, broken"]}});
        let application = json!({"metadata": {"name": "a"}, "operation": operation,
            "status": {"operationState": {"operation": operation}}});
        let application = serde_json::from_value(application).unwrap();
        let shown = serde_json::to_value(operations(application, &BTreeSet::new())).unwrap();
        assert!(!shown.to_string().contains(CANARY), "{shown}");
        for shown in [&shown["operation"], &shown["status"]["operationState"]["operation"]] {
            assert_eq!(shown["sync"]["manifests"][0], map);
            assert!(shown["sync"]["manifests"][1].as_str().unwrap().contains("++++"), "{shown}");
            assert_eq!(shown["sync"]["manifests"][2], "");
        }
    }

    #[test]
    fn no_side_of_a_difference_shows_a_value() {
        let mut entry = ResourceDiff {
            kind: "Secret".into(),
            target_state: secret(CANARY),
            live_state: secret("b3RoZXI="),
            predicted_live_state: secret(CANARY),
            normalized_live_state: format!("{{broken {CANARY}"),
            diff: CANARY.into(),
            ..ResourceDiff::default()
        };
        resource(&mut entry, &BTreeSet::new());
        let all = format!("{entry:?}");
        assert!(!all.contains(CANARY) && !all.contains("b3RoZXI="), "{all}");
        assert_ne!(entry.target_state, entry.live_state);
    }

    #[test]
    fn an_absent_side_stays_absent() {
        let mut entry = ResourceDiff {
            kind: "Secret".into(),
            target_state: secret(CANARY),
            live_state: "null".into(),
            ..ResourceDiff::default()
        };
        resource(&mut entry, &BTreeSet::new());
        assert_eq!(entry.live_state, "null");
    }
}
