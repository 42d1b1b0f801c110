//! A policy compiled: globs once, roles resolved once per subject, a rule looked at only when its subject and
//! resource can match. The meaning is that of Argo CD's Casbin model: a request is permitted when some rule
//! allows it and none denies it.

use crate::glob::Glob;
use crate::policy::{Effect, Policy, Rule};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Roles of roles of roles are followed this far, as Casbin does.
const DEEPEST: usize = 10;

/// How resources, actions and objects of rules are matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatchMode {
    /// Globs.
    #[default]
    Glob,
    /// Regular expressions, matching anywhere.
    Regex,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Resource, as in `applications`.
    pub resource: &'a str,
    /// Action, as in `sync`.
    pub action: &'a str,
    /// Object, as in `project/application`.
    pub object: &'a str,
}

/// Whether it is permitted, and which line says so; no line when none matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is permitted.
    pub allowed: bool,
    /// The line that allowed or denied it.
    pub rule: Option<Rule>,
}

/// A compiled policy.
#[derive(Clone, Debug, Default)]
pub struct Enforcer {
    rules: BTreeMap<String, Arc<Rules>>,
    roles: BTreeMap<String, Vec<String>>,
    default_role: String,
    mode: MatchMode,
}

/// All rules that apply to one subject: ask it for many requests.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    /// Rules of the default role, which are asked first and on their own.
    default: Vec<Arc<Rules>>,
    /// Rules of the subject and of each of its groups: each is asked on its own, as the original asks them.
    identities: Vec<Vec<Arc<Rules>>>,
}

/// The rules of one name, in the order of the policy. Most speak of one project's objects: only those that may match are
/// looked at.
#[derive(Clone, Debug, Default)]
struct Rules {
    all: Vec<Arc<CompiledRule>>,
    /// Places in `all` of the rules whose objects begin with this text and a slash, or are this text.
    by_project: HashMap<String, Vec<usize>>,
    /// Places in `all` of the others.
    anywhere: Vec<usize>,
}

impl Rules {
    fn push(&mut self, rule: CompiledRule) {
        let places = match rule.project() {
            Some(project) => self.by_project.entry(project.to_owned()).or_default(),
            None => &mut self.anywhere,
        };
        places.push(self.all.len());
        self.all.push(Arc::new(rule));
    }

    /// The rules that may match an object, in order.
    fn of(&self, object: &str) -> impl Iterator<Item = &CompiledRule> {
        let project = object.split_once('/').map_or(object, |(project, _)| project);
        let own = self.by_project.get(project).map_or(&[][..], Vec::as_slice);
        let (mut own, mut anywhere) = (own.iter().peekable(), self.anywhere.iter().peekable());
        std::iter::from_fn(move || {
            let is_own = match (own.peek(), anywhere.peek()) {
                (Some(own), Some(anywhere)) => own < anywhere,
                (own, _) => own.is_some(),
            };
            let place = if is_own { own.next() } else { anywhere.next() };
            place.map(|place| &*self.all[*place])
        })
    }
}

#[derive(Debug)]
struct CompiledRule {
    rule: Rule,
    resource: Matcher,
    action: Matcher,
    object: Matcher,
}

#[derive(Debug)]
enum Matcher {
    Glob(Glob),
    Regex(Regex),
    /// Not a regular expression.
    Broken,
}

impl Matcher {
    fn new(pattern: &str, mode: MatchMode) -> Self {
        match mode {
            MatchMode::Glob => Self::Glob(Glob::new(pattern)),
            MatchMode::Regex => {
                go_regexp::compile(pattern, go_regexp::LARGEST_OF_SETTINGS).map_or(Self::Broken, Self::Regex)
            }
        }
    }

    /// Whether a text matches; `None` when that cannot be said.
    fn matches(&self, text: &str) -> Option<bool> {
        match self {
            Self::Glob(glob) => Some(glob.matches(text)),
            Self::Regex(regex) => Some(regex.is_match(text)),
            Self::Broken => None,
        }
    }
}

impl Enforcer {
    /// Compiles a policy. The default role, when not empty, is everybody's.
    pub fn new(policy: &Policy, default_role: &str, mode: MatchMode) -> Self {
        let mut enforcer = Self { default_role: default_role.to_owned(), mode, ..Self::default() };
        enforcer.add(policy);
        enforcer
    }

    /// The same policy with a project's own lines added.
    pub fn with(&self, policy: &Policy) -> Self {
        let mut enforcer = self.clone();
        enforcer.add(policy);
        enforcer
    }

    /// What somebody with these groups may do. A group counts only where some line `g` begins with it.
    pub fn permissions(&self, subject: &str, groups: &[String]) -> Permissions {
        let granted = groups.iter().map(String::as_str).filter(|group| self.roles.contains_key(*group));
        let identities = std::iter::once(subject).chain(granted);
        Permissions {
            default: if self.default_role.is_empty() {
                Vec::new()
            } else {
                self.rules_of(&self.default_role)
            },
            // An empty name is nobody: it must not meet a rule for "".
            identities: identities.filter(|name| !name.is_empty()).map(|name| self.rules_of(name)).collect(),
        }
    }

    fn add(&mut self, policy: &Policy) {
        for rule in &policy.rules {
            let compiled = CompiledRule {
                resource: Matcher::new(&rule.resource, self.mode),
                action: Matcher::new(&rule.action, self.mode),
                object: Matcher::new(&rule.object, self.mode),
                rule: rule.clone(),
            };
            Arc::make_mut(self.rules.entry(rule.subject.clone()).or_default()).push(compiled);
        }
        for (subject, role) in &policy.grants {
            self.roles.entry(subject.clone()).or_default().push(role.clone());
        }
    }

    fn rules_of(&self, subject: &str) -> Vec<Arc<Rules>> {
        let mut names = BTreeSet::from([subject]);
        let mut edge = vec![subject];
        for _ in 0..DEEPEST {
            let next: Vec<&str> = edge
                .iter()
                .filter_map(|name| self.roles.get(*name))
                .flatten()
                .map(String::as_str)
                .filter(|name| names.insert(*name))
                .collect();
            edge = next;
        }
        names.into_iter().filter_map(|name| self.rules.get(name)).cloned().collect()
    }
}

impl Permissions {
    /// Decides a request: the default role may permit it; else any identity may, unless that identity's own
    /// rules deny it.
    pub fn decide(&self, request: Request<'_>) -> Decision {
        let (allowed, rule) = self.judge(request);
        Decision { allowed, rule: rule.cloned() }
    }

    /// Whether a request is permitted.
    pub fn permit(&self, request: Request<'_>) -> bool {
        self.judge(request).0
    }

    fn judge(&self, request: Request<'_>) -> (bool, Option<&Rule>) {
        let mut denied = None;
        for rules in std::iter::once(&self.default).chain(&self.identities) {
            let (allowed, rule) = judge(rules, request);
            if allowed {
                return (true, rule);
            }
            denied = denied.or(rule);
        }
        (false, denied)
    }
}

impl CompiledRule {
    /// Whether all three match. A pattern that cannot be read is looked at only when those before it match, as
    /// Casbin does; then nobody knows what its author meant.
    fn matches(&self, request: Request<'_>) -> Option<bool> {
        let pairs = [
            (&self.resource, request.resource),
            (&self.action, request.action),
            (&self.object, request.object),
        ];
        for (matcher, text) in pairs {
            if !matcher.matches(text)? {
                return Some(false);
            }
        }
        Some(true)
    }

    /// What every object it matches begins with, before a slash or as a whole. A pattern that may match whatever begins
    /// otherwise, or cannot be read, has nothing of the kind.
    fn project(&self) -> Option<&str> {
        let Matcher::Glob(_) = &self.object else { return None };
        let plain = Glob::plain_beginning(&self.rule.object);
        match plain.split_once('/') {
            Some((project, _)) => Some(project),
            None => (plain.len() == self.rule.object.len()).then_some(plain),
        }
    }

    fn readable(&self) -> bool {
        ![&self.resource, &self.action, &self.object].iter().any(|matcher| matches!(matcher, Matcher::Broken))
    }
}

/// A rule that may concern the request and cannot be read denies it: it may be the one that was meant to.
fn judge<'r>(rules: &'r [Arc<Rules>], request: Request<'_>) -> (bool, Option<&'r Rule>) {
    let mut allowing = None;
    for compiled in rules.iter().flat_map(|rules| rules.of(request.object)) {
        let allows = compiled.rule.effect == Effect::Allow;
        if allows && allowing.is_some() && compiled.readable() {
            continue;
        }
        match compiled.matches(request) {
            Some(false) => {}
            Some(true) if allows => allowing = allowing.or(Some(&compiled.rule)),
            Some(true) | None => return (false, Some(&compiled.rule)),
        }
    }
    (allowing.is_some(), allowing)
}

#[cfg(test)]
mod tests {
    use super::{Enforcer, MatchMode, Request};
    use crate::glob::Glob;
    use crate::{Policy, builtin};
    use proptest::prelude::*;

    fn request<'a>(resource: &'a str, action: &'a str, object: &'a str) -> Request<'a> {
        Request { resource, action, object }
    }

    fn enforcer(text: &str, default_role: &str) -> Enforcer {
        let mut policy = builtin();
        policy.extend(Policy::parse(text).unwrap());
        Enforcer::new(&policy, default_role, MatchMode::Glob)
    }

    #[test]
    fn the_builtin_roles_are_what_users_know() {
        let enforcer = enforcer("g, bob, role:readonly", "");
        let admin = enforcer.permissions("admin", &[]);
        assert!(admin.permit(request("applications", "sync", "default/guestbook")));
        assert!(admin.permit(request("applications", "action/apps/Deployment/restart", "default/guestbook")));
        assert!(admin.permit(request("clusters", "get", "https://kubernetes.default.svc")));
        assert!(!admin.permit(request("extensions", "invoke", "x")));
        let bob = enforcer.permissions("bob", &[]);
        assert!(bob.permit(request("applications", "get", "default/guestbook")));
        assert!(!bob.permit(request("applications", "sync", "default/guestbook")));
        assert!(!enforcer.permissions("nobody", &[]).permit(request(
            "applications",
            "get",
            "default/guestbook"
        )));
    }

    #[test]
    fn a_denial_wins_and_is_named() {
        let text = "p, role:dev, applications, *, dev/*, allow\np, role:dev, applications, delete, dev/prod, deny\ng, team, role:dev";
        let permissions = enforcer(text, "").permissions("carol", &["team".to_owned()]);
        let decision = permissions.decide(request("applications", "delete", "dev/prod"));
        assert!(!decision.allowed);
        assert_eq!(decision.rule.unwrap().to_string(), "p, role:dev, applications, delete, dev/prod, deny");
        assert!(permissions.permit(request("applications", "delete", "dev/other")));
    }

    #[test]
    fn a_group_is_asked_only_where_a_role_is_granted_to_it() {
        let lines = "p, ops, applications, get, */*, allow\np, admin2, applications, *, */*, allow";
        let may = |text: &str, groups: &[&str]| {
            let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
            enforcer(text, "").permissions("carol", &groups).permit(request("applications", "get", "a/b"))
        };
        assert!(!may(lines, &["ops"]), "a line `p` of a group alone gives its members nothing");
        assert!(
            !may(lines, &["admin2", "role:ops"]),
            "nor does a group with the name of an account or a role"
        );
        let granted = format!("{lines}\ng, ops, role:none");
        assert!(may(&granted, &["ops"]));
        assert!(!may(&granted, &["role:none"]));
    }

    #[test]
    fn nobody_is_not_a_name() {
        let text = "p, , applications, *, */*, allow";
        let permissions = enforcer(text, "").permissions("", &[String::new()]);
        assert!(!permissions.permit(request("applications", "get", "a/b")));
    }

    #[test]
    fn the_default_role_is_everybodys() {
        let permissions = enforcer("", "role:readonly").permissions("", &[]);
        assert!(permissions.permit(request("projects", "get", "default")));
        assert!(!permissions.permit(request("projects", "delete", "default")));
    }

    #[test]
    fn a_rule_that_cannot_be_read_denies_what_it_may_concern() {
        let text = "p, a, applications, get, .*, allow\np, a, applications, delete, .*, allow\np, a, applications, delete, dev/(, deny";
        let enforcer = Enforcer::new(&Policy::parse(text).unwrap(), "", MatchMode::Regex);
        let permissions = enforcer.permissions("a", &[]);
        assert!(permissions.permit(request("applications", "get", "dev/x")));
        let decision = permissions.decide(request("applications", "delete", "dev/x"));
        assert_eq!(decision.rule.unwrap().to_string(), "p, a, applications, delete, dev/(, deny");
        assert!(!decision.allowed);
    }

    #[test]
    fn expressions_are_read_as_go_reads_them() {
        let text = "p, a, applications, get, ^dev/\\Q.x{\\E, allow\np, a, logs, get, ^dev/\\d+$, allow\np, a, exec, create, ^${x}$, allow";
        let permissions =
            Enforcer::new(&Policy::parse(text).unwrap(), "", MatchMode::Regex).permissions("a", &[]);
        assert!(permissions.permit(request("applications", "get", "dev/.x{")));
        assert!(!permissions.permit(request("applications", "get", "dev/ax{")));
        assert!(permissions.permit(request("logs", "get", "dev/12")));
        // Digits of other scripts are none.
        assert!(!permissions.permit(request("logs", "get", "dev/١")));
        assert!(!permissions.permit(request("exec", "create", "{x}")));
    }

    #[test]
    fn roles_in_a_circle_end() {
        let text = "g, a, b\ng, b, a\np, b, projects, get, *, allow";
        assert!(enforcer(text, "").permissions("a", &[]).permit(request("projects", "get", "x")));
    }

    const NAMES: [&str; 4] = ["a", "b", "c", "d"];

    fn name() -> impl Strategy<Value = &'static str> {
        proptest::sample::select(NAMES.to_vec())
    }

    /// Of one project's objects, of some, of all, and of what is in no project.
    fn object_pattern() -> impl Strategy<Value = &'static str> {
        let patterns = [
            "*", "x", "y", "x*", "*x", "x/*", "y/*", "x/y", "x/[xy]", "x\\/y", "?/x", "{x,y}/*", "*/y", "/*",
            "[",
        ];
        proptest::sample::select(patterns.to_vec())
    }

    proptest! {
        /// The definition, word for word: some matching rule allows and none denies, over all roles reached.
        #[test]
        fn compiled_decisions_are_the_definitions(
            rules in proptest::collection::vec((name(), "[xy*]", "[xy*]", object_pattern(), any::<bool>()), 0..8),
            grants in proptest::collection::vec((name(), name()), 0..6),
            subject in name(),
            asked in ("[xy]", "[xy]", "x|y|xx|x/x|x/y|y/x|xx/y|x/y/x|/x"),
        ) {
            let text: String = rules.iter().map(|(subject, resource, action, object, allow)| {
                let effect = if *allow { "allow" } else { "deny" };
                format!("p, {subject}, {resource}, {action}, \"{object}\", {effect}\n")
            }).chain(grants.iter().map(|(subject, role)| format!("g, {subject}, {role}\n"))).collect();
            let enforcer = Enforcer::new(&Policy::parse(&text).unwrap(), "", MatchMode::Glob);
            let mut reached = vec![subject];
            for _ in 0..4 {
                for (from, to) in &grants {
                    if reached.contains(from) && !reached.contains(to) {
                        reached.push(to);
                    }
                }
            }
            let matches = |pattern: &str, text: &str| pattern == "*" || pattern == text;
            let matching: Vec<bool> = rules.iter().filter(|(subject, resource, action, object, _)| {
                reached.contains(subject)
                    && matches(resource, &asked.0)
                    && matches(action, &asked.1)
                    && Glob::new(object).matches(&asked.2)
            }).map(|rule| rule.4).collect();
            let expected = matching.contains(&true) && !matching.contains(&false);
            let got = enforcer.permissions(subject, &[]).permit(request(&asked.0, &asked.1, &asked.2));
            prop_assert_eq!(got, expected, "{}", text);
        }
    }
}
