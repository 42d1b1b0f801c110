//! The roles every installation has.

use crate::policy::{Effect, Policy, Rule};

/// What `role:readonly` may get, and on which objects.
const READABLE: [(&str, &str); 10] = [
    ("applications", "*/*"),
    ("applicationsets", "*/*"),
    ("certificates", "*"),
    ("clusters", "*"),
    ("repositories", "*"),
    ("write-repositories", "*"),
    ("projects", "*"),
    ("accounts", "*"),
    ("gpgkeys", "*"),
    ("logs", "*/*"),
];

/// What `role:admin` may do besides.
const WRITABLE: [(&str, &[&str], &str); 11] = [
    (
        "applications",
        &["create", "update", "update/*", "delete", "delete/*", "sync", "override", "action/*", "rollback"],
        "*/*",
    ),
    ("applicationsets", &["create", "update", "delete"], "*/*"),
    ("certificates", &["create", "update", "delete"], "*"),
    ("clusters", &["create", "update", "delete"], "*"),
    ("repositories", &["create", "update", "delete"], "*"),
    ("write-repositories", &["create", "update", "delete"], "*"),
    ("projects", &["create", "update", "delete"], "*"),
    ("accounts", &["update"], "*"),
    ("gpgkeys", &["create", "delete"], "*"),
    ("exec", &["create"], "*/*"),
    ("logs", &["get"], "*/*"),
];

/// `role:readonly`, `role:admin`, and the admin account's role.
pub fn builtin() -> Policy {
    let rule = |subject: &str, resource: &str, action: &str, object: &str| Rule {
        subject: subject.into(),
        resource: resource.into(),
        action: action.into(),
        object: object.into(),
        effect: Effect::Allow,
    };
    let read = READABLE.iter().map(|(resource, object)| rule("role:readonly", resource, "get", object));
    let write = WRITABLE.iter().flat_map(|(resource, actions, object)| {
        actions.iter().map(move |action| rule("role:admin", resource, action, object))
    });
    Policy {
        rules: read.chain(write).collect(),
        grants: vec![("role:admin".into(), "role:readonly".into()), ("admin".into(), "role:admin".into())],
    }
}
