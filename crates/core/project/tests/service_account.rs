//! The service account a project names for a destination.

use api::v1alpha1::AppProject;
use project::{Cluster, service_account};
use serde_json::json;

fn found(server: &str, namespace: &str) -> Result<String, String> {
    let accounts = json!([
        {"server": "https://prod", "namespace": "web", "defaultServiceAccount": "deployer"},
        {"server": "https://prod", "namespace": "data-*", "defaultServiceAccount": "ops:data-deployer"},
        {"server": "https://prod", "namespace": "odd", "defaultServiceAccount": "any*"},
        {"server": "https://prod", "namespace": "blank", "defaultServiceAccount": " "},
        {"server": "*", "namespace": "shared", "defaultServiceAccount": "first"},
        {"server": "*", "namespace": "shared", "defaultServiceAccount": "second"},
        {"server": "https://bare", "namespace": "*", "defaultServiceAccount": "bare"},
    ]);
    let project: AppProject = serde_json::from_value(
        json!({"metadata": {"name": "p"}, "spec": {"destinationServiceAccounts": accounts}}),
    )
    .expect("a project");
    let cluster = Cluster { server: server.into(), name: String::new() };
    service_account(&project, &cluster, namespace, "argocd").map_err(|error| error.to_string())
}

#[test]
fn the_first_entry_that_names_the_destination_counts() {
    let user = |text: &str| Ok(format!("system:serviceaccount:{text}"));
    assert_eq!(found("https://prod", "web"), user("web:deployer"));
    assert_eq!(found("https://prod", "data-1"), user("ops:data-deployer"));
    assert_eq!(found("https://any", "shared"), user("shared:first"));
    assert_eq!(found("https://bare", ""), user("argocd:bare"));
}

#[test]
fn nobody_and_nothing_are_refused() {
    let none = "no matching service account found for destination server https://prod and namespace other";
    assert_eq!(found("https://prod", "other"), Err(none.into()));
    assert_eq!(
        found("https://prod", "odd"),
        Err("default service account contains invalid chars 'any*'".into())
    );
    assert_eq!(
        found("https://prod", "blank"),
        Err("default service account contains invalid chars ' '".into())
    );
}
