//! The user's own checks, written in Lua in `argocd-cm`, before the built-in ones.

use crate::object_status::HealthStatus;
use api::codes::HealthStatusCode;
use jiff::Timestamp;
use lua_sandbox::{Input, Limits, Returned, Script, ScriptError};
use object::Object;
use serde_json::{Map, Value};
use settings::{Customizations, concerns, override_key};
use std::collections::BTreeMap;
use std::str::FromStr;

/// Every check there is: the user's scripts, compiled, and the built-in ones. Built when the settings change.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    scripts: BTreeMap<String, UserCheck>,
    limits: Limits,
}

#[derive(Clone, Debug)]
struct UserCheck {
    script: Script,
    open_libraries: bool,
}

/// What was found out about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its health; none when its kind has no notion of health.
    pub health: Option<HealthStatus>,
    /// Why the user's check could not say; the health is Unknown then.
    pub fault: Option<ScriptError>,
}

impl Checks {
    /// Compiles the user's scripts. A script that is not Lua takes no other with it: it is told where it is
    /// used.
    pub fn new(customizations: &Customizations, limits: Limits) -> Self {
        let scripts = customizations.overrides.iter().filter(|(_, entry)| !entry.health_lua.is_empty());
        let compiled = scripts.map(|(key, entry)| {
            let name = format!("resource.customizations.health.{}", key.replace('/', "_"));
            let script = Script::compile(name, &entry.health_lua);
            (key.clone(), UserCheck { script, open_libraries: entry.use_open_libs })
        });
        Self { scripts: compiled.collect(), limits }
    }

    /// The health of a live object; none when its kind has no notion of health.
    pub fn health(&self, live: &Object, now: Timestamp) -> Option<HealthStatus> {
        self.find(live, now).health
    }

    /// The health of a live object, and why a script could not tell it.
    pub fn find(&self, live: &Object, now: Timestamp) -> Finding {
        if let Some(pending) = crate::pending_deletion(live) {
            return Finding { health: Some(pending), fault: None };
        }
        let Some(check) = self.script(live.group(), live.kind()) else {
            return Finding { health: crate::built_in(live), fault: None };
        };
        let parameters = BTreeMap::new();
        let input =
            Input { object: &live.0, parameters: &parameters, now, open_libraries: check.open_libraries };
        match check.script.run(&input, &self.limits) {
            Ok(returned) => Finding { health: read(&returned, check.script.name()), fault: None },
            Err(fault) => {
                let health = HealthStatus::new(HealthStatusCode::Unknown, fault.to_string());
                Finding { health: Some(health), fault: Some(fault) }
            }
        }
    }

    /// Whether a script of the user's speaks for a kind: it may take its time.
    pub fn asks_script(&self, group: &str, kind: &str) -> bool {
        self.script(group, kind).is_some()
    }

    /// Whether a kind has a notion of health.
    pub fn has_check(&self, group: &str, kind: &str) -> bool {
        self.script(group, kind).is_some() || crate::has_check(group, kind)
    }

    /// The kind's own script before one of a wider pattern.
    fn script(&self, group: &str, kind: &str) -> Option<&UserCheck> {
        if self.scripts.is_empty() {
            return None;
        }
        let own = self.scripts.get(&override_key(group, kind));
        own.or_else(|| {
            self.scripts.iter().find_map(|(key, check)| concerns(key, group, kind).then_some(check))
        })
    }
}

/// What a script returned, as health. No table, or an empty one, is a kind without health.
fn read(returned: &Returned, name: &str) -> Option<HealthStatus> {
    let members = match returned {
        Returned::Nothing | Returned::Table(Value::Array(_)) => return None,
        Returned::Table(Value::Object(members)) => members,
        Returned::Table(_) => return Some(HealthStatus::invalid()),
        Returned::Other(found) => {
            let message = format!("{name}: expect table output from Lua script, not {found}");
            return Some(HealthStatus::new(HealthStatusCode::Unknown, message));
        }
    };
    let status = member(members, "status").and_then(Value::as_str).unwrap_or_default();
    let Ok(code) = HealthStatusCode::from_str(status) else { return Some(HealthStatus::invalid()) };
    let message = member(members, "message").map(crate::reading::told).unwrap_or_default();
    Some(HealthStatus::new(code, message))
}

/// A member by name, whatever its case.
fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let other_case = || members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    members.get(name).or_else(|| other_case().map(|(_, value)| value))
}

#[cfg(test)]
mod tests {
    use super::Checks;
    use lua_sandbox::Limits;
    use object::Object;
    use settings::Customizations;

    const NOW: &str = "2026-03-04T05:06:07Z";

    fn checks(data: &[(&str, &str)]) -> Checks {
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let (customizations, problems) = Customizations::parse(&data);
        assert_eq!(problems, []);
        Checks::new(&customizations, Limits { steps: 1_000_000, ..Limits::default() })
    }

    fn told(checks: &Checks, live: &str) -> String {
        let live = Object::from_value(object::yaml::decode(live.as_bytes()).unwrap()).unwrap();
        match checks.health(&live, NOW.parse().unwrap()) {
            Some(health) => format!("{} {}", health.status, health.message),
            None => "-".into(),
        }
    }

    const WIDGET: &str = "{apiVersion: acme.io/v1, kind: Widget, status: {phase: Good}}";

    fn widget(script: &str) -> String {
        told(&checks(&[("resource.customizations.health.acme.io_Widget", script)]), WIDGET)
    }

    #[test]
    fn the_users_word_comes_before_the_built_in_one() {
        assert_eq!(widget("return {status = 'Healthy', message = obj.status.phase}"), "Healthy Good");
        assert_eq!(told(&checks(&[]), WIDGET), "-");
        let service = "{apiVersion: v1, kind: Service, spec: {type: ClusterIP}}";
        let own = [("resource.customizations.health.Service", "return {status = 'Suspended'}")];
        assert_eq!(told(&checks(&own), service), "Suspended ");
        assert_eq!(told(&checks(&[]), service), "Healthy ");
        let gone = "{apiVersion: v1, kind: Service, metadata: {deletionTimestamp: '2026-01-01T00:00:00Z'}}";
        assert_eq!(told(&checks(&own), gone), "Progressing Pending deletion");
    }

    #[test]
    fn patterns_serve_kinds_without_a_script_of_their_own() {
        let found = checks(&[
            (
                "resource.customizations",
                "\"*.acme.io/*\":\n  health.lua: return {status = 'Healthy', message = 'wide'}\n\"*/*\":\n  health.lua.useOpenLibs: true\n",
            ),
            ("resource.customizations.health.db.acme.io_Cluster", "return {status = 'Degraded'}"),
        ]);
        assert_eq!(told(&found, "{apiVersion: db.acme.io/v1, kind: Cluster}"), "Degraded ");
        assert_eq!(told(&found, "{apiVersion: db.acme.io/v1, kind: Backup}"), "Healthy wide");
        assert_eq!(told(&found, "{apiVersion: acme.io/v1, kind: Backup}"), "-");
        assert!(found.has_check("db.acme.io", "Backup") && !found.has_check("acme.io", "Backup"));
    }

    #[test]
    fn libraries_are_open_where_somebody_opened_them() {
        let script = (
            "resource.customizations.health.acme.io_Widget",
            "return {status = 'Healthy', message = string.lower('X')}",
        );
        let open = ("resource.customizations.useOpenLibs.acme.io_Widget", "true");
        assert_eq!(
            told(&checks(&[script]), WIDGET),
            "Unknown resource.customizations.health.acme.io_Widget: line 1: attempt to index global 'string' (a nil value)"
        );
        assert_eq!(told(&checks(&[script, open]), WIDGET), "Healthy x");
    }

    #[test]
    fn results_are_held_to_the_words_of_health() {
        assert_eq!(widget("return {status = 'Fine'}"), "Unknown Lua returned an invalid health status");
        assert_eq!(widget("return {message = 'x'}"), "Unknown Lua returned an invalid health status");
        assert_eq!(widget("return {Status = 'Healthy', message = 3}"), "Healthy 3");
        assert_eq!(widget("return {}"), "-");
        assert_eq!(widget("return nil"), "-");
        assert_eq!(
            widget("return 'Healthy'"),
            "Unknown resource.customizations.health.acme.io_Widget: expect table output from Lua script, not string"
        );
        assert_eq!(
            widget("while true do end"),
            "Unknown resource.customizations.health.acme.io_Widget: the script takes too long"
        );
        assert_eq!(
            widget("return {"),
            "Unknown resource.customizations.health.acme.io_Widget: line 1: unexpected symbol near <eof>"
        );
    }
}
