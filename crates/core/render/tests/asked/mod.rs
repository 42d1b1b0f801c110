//! A request as the tests make one: each says what of it is different.

use api::v1alpha1::ApplicationSource;
use object::tracking::{Tracking, TrackingMethod};
use render::{Environment, Limits, Nowhere, References, Request};
use std::collections::BTreeMap;

/// Asks for `source` as the application `shop`, with nothing around it.
pub fn with_request<T>(source: &ApplicationSource, then: impl FnOnce(Request<'_>) -> T) -> T {
    then(Request {
        source,
        application: None,
        application_name: "shop",
        namespace: "ns",
        tracking: Tracking {
            method: TrackingMethod::Annotation,
            label_key: "app.kubernetes.io/instance",
            installation_id: "",
        },
        enabled: &BTreeMap::new(),
        environment: &Environment::default(),
        kube_version: "1.36",
        api_versions: &[],
        kustomize_options: "",
        value_file_schemes: &[],
        references: &References::new(),
        outside: &Nowhere,
        limits: Limits::default(),
    })
}
