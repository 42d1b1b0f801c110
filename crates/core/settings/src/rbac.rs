//! The policy users wrote, as text: what it means is another crate's matter.

use crate::reader::{Data, Problem, Reader};
use serde_json::Value;

/// `argocd-rbac-cm`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RbacPolicy {
    /// All policy lines, `policy.csv` first.
    pub policy: String,
    /// Role of everyone who is logged in; empty for none.
    pub default_role: String,
    /// Claims that name a user's groups.
    pub scopes: Vec<String>,
    /// How patterns of objects are read.
    pub match_mode: MatchMode,
}

/// How patterns of objects are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchMode {
    /// As globs.
    Glob,
    /// As regular expressions.
    Regex,
}

impl RbacPolicy {
    /// Reads `argocd-rbac-cm`.
    pub fn parse(data: &Data) -> (Self, Vec<Problem>) {
        let mut reader = Reader::new(data);
        let mut policy = reader.text("policy.csv").to_owned();
        for (key, value) in data {
            let extra = key.strip_prefix("policy.").is_some_and(|rest| rest.ends_with(".csv"));
            if extra {
                policy.push('\n');
                policy.push_str(value);
            }
        }
        let mut scopes: Vec<String> =
            reader.yaml_list("scopes").iter().filter_map(Value::as_str).map(str::to_owned).collect();
        if scopes.is_empty() {
            scopes.push("groups".into());
        }
        let match_mode = match reader.text("policy.matchMode") {
            "" | "glob" => MatchMode::Glob,
            "regex" => MatchMode::Regex,
            word => {
                reader.problem("policy.matchMode", format!("{word:?} is neither glob nor regex"));
                MatchMode::Glob
            }
        };
        let rbac =
            Self { policy, default_role: reader.text("policy.default").to_owned(), scopes, match_mode };
        (rbac, reader.problems)
    }
}
