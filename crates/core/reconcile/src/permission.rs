//! What an application's own words allow.

use api::names::{DELETION_APPROVED, SKIP_RECONCILE};
use api::v1alpha1::{Application, ApplicationSpec};
use jiff::Timestamp;

/// Whether an application is to be left alone.
pub fn is_skipped(application: &Application) -> bool {
    let value = application.metadata.annotations.get(SKIP_RECONCILE).map(String::as_str);
    // What Go's `strconv.ParseBool` takes for true.
    matches!(value, Some("1" | "t" | "T" | "true" | "TRUE" | "True"))
}

/// Whether an application syncs by itself.
pub fn is_automated(spec: &ApplicationSpec) -> bool {
    let automated = spec.sync_policy.as_ref().and_then(|policy| policy.automated.as_ref());
    automated.is_some_and(|automated| automated.enabled != Some(false))
}

/// Whether a user confirmed deletions and prunes that ask for it, not before `since`.
pub fn is_deletion_confirmed(application: &Application, since: Timestamp) -> bool {
    application
        .metadata
        .annotations
        .get(DELETION_APPROVED)
        .and_then(|text| text.parse::<Timestamp>().ok())
        .is_some_and(|approved| approved.as_second() >= since.as_second())
}
