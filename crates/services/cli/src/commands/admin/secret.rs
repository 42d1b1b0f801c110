//! Secrets of registrations, printed for people who keep them in Git.

use std::collections::BTreeMap;

use api::names::{MANAGED_BY, MANAGED_BY_VALUE, SECRET_TYPE};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::command::Flag;
use crate::commands::output;
use crate::failure::Outcome;
use crate::session::Session;

/// How the Secret is printed.
pub(super) const OUTPUT: &[Flag] = &[output("yaml", "Output format. One of: json|yaml")];

/// A Secret of a registration.
pub(super) struct Registration {
    pub(super) name: String,
    /// What kind of registration it is.
    pub(super) secret_type: &'static str,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) data: BTreeMap<String, String>,
}

impl Registration {
    /// Prints the Secret with its values as text. It names its fields as the original's does.
    pub(super) fn print(mut self, session: &mut Session<'_>) -> Outcome {
        self.labels.insert(SECRET_TYPE.into(), self.secret_type.into());
        self.annotations.insert(MANAGED_BY.into(), MANAGED_BY_VALUE.into());
        let fields = |keys: &BTreeMap<String, String>| {
            let mut fields = Map::from_iter([(".".to_owned(), json!({}))]);
            fields.extend(keys.keys().map(|key| (format!("f:{key}"), json!({}))));
            Value::Object(fields)
        };
        let managed = json!([{
            "apiVersion": "v1", "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:data": fields(&self.data),
                "f:metadata": {"f:annotations": fields(&self.annotations), "f:labels": fields(&self.labels)},
            },
            "manager": "unknown", "operation": "Update",
            "time": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }]);
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {
                "annotations": self.annotations, "labels": self.labels, "managedFields": managed,
                "name": self.name,
            },
            "stringData": self.data,
        });
        session.print_document(&secret, &session.text("output"))
    }
}
