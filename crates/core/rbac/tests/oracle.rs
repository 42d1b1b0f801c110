//! The `casbin` crate, given Argo CD's model, is the meaning of a policy: over random policies the compiled form
//! must give its answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use casbin::function_map::OperatorFunction;
use casbin::{CoreApi, DefaultModel, Enforcer, Model, StringAdapter};
use futures::executor::block_on;
use proptest::prelude::*;
use rbac::{MatchMode, Policy, Request};

/// Argo CD's model: section, key, definition.
const MODEL: [(&str, &str, &str); 5] = [
    ("r", "r", "sub, res, act, obj"),
    ("p", "p", "sub, res, act, obj, eft"),
    ("g", "g", "_, _"),
    ("e", "e", "some(where (p.eft == allow)) && !some(where (p.eft == deny))"),
    (
        "m",
        "m",
        "g(r.sub, p.sub) && matching(r.res, p.res) && matching(r.act, p.act) && matching(r.obj, p.obj)",
    ),
];

/// `*` stands for any text, `/` in it; written down once more, apart from the crate's own globs.
fn glob(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.is_char_boundary(at) && glob(&rest[at..], after))
        }),
    }
}

fn oracle(policy: &str, mode: MatchMode) -> Enforcer {
    let mut model = DefaultModel::default();
    for (section, key, definition) in MODEL {
        assert!(model.add_def(section, key, definition), "{key}");
    }
    let mut enforcer = block_on(Enforcer::new(model, StringAdapter::new(policy))).unwrap();
    let function = match mode {
        MatchMode::Glob => {
            OperatorFunction::Arg2(|text, pattern| glob(&text.to_string(), &pattern.to_string()).into())
        }
        MatchMode::Regex => OperatorFunction::Arg2(|text, pattern| {
            regex::Regex::new(&pattern.to_string()).unwrap().is_match(&text.to_string()).into()
        }),
    };
    enforcer.add_function("matching", function);
    enforcer
}

const SUBJECTS: [&str; 6] = ["alice", "team:ops", "role:dev", "role:lead", "role:readonly", "proj:shop:ci"];
const RESOURCES: [&str; 4] = ["applications", "app*", "projects", "*"];
const ACTIONS: [&str; 6] = ["get", "sync", "action/*", "action/apps/Deployment/restart", "*", "up*te"];
const OBJECTS: [&str; 6] = ["shop/*", "shop/web", "*/web", "*", "other/*", "shop/team/web"];
const EXPRESSIONS: [&str; 6] = ["shop/.*", "^web$", "web$", ".*", "^(shop|other)/", "[^/]+/w.b"];

fn any_of(texts: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    proptest::sample::select(texts)
}

type Line = (&'static str, &'static str, &'static str, &'static str, bool);

fn line(resources: &'static [&'static str], rest: &'static [&'static str]) -> impl Strategy<Value = Line> {
    (any_of(&SUBJECTS), any_of(resources), any_of(&ACTIONS), any_of(rest), proptest::bool::weighted(0.8))
}

fn text(lines: &[Line], grants: &[(&str, &str)]) -> String {
    let rules = lines.iter().map(|(subject, resource, action, object, allow)| {
        format!("p, {subject}, {resource}, {action}, {object}, {}\n", if *allow { "allow" } else { "deny" })
    });
    rules.chain(grants.iter().map(|(subject, role)| format!("g, {subject}, {role}\n"))).collect()
}

fn check(
    policy: &str,
    mode: MatchMode,
    subject: &str,
    asked: (&str, &str, &str),
) -> Result<(), TestCaseError> {
    let (resource, action, object) = asked;
    let expected = oracle(policy, mode).enforce((subject, resource, action, object)).unwrap();
    let permissions =
        rbac::Enforcer::new(&Policy::parse(policy).unwrap(), "", mode).permissions(subject, &[]);
    let got = permissions.decide(Request { resource, action, object });
    prop_assert_eq!(got.allowed, expected, "{} asks {:?} of\n{}", subject, asked, policy);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn globs_decide_as_casbin_does(
        lines in proptest::collection::vec(line(&RESOURCES, &OBJECTS), 0..10),
        grants in proptest::collection::vec((any_of(&SUBJECTS), any_of(&SUBJECTS)), 0..6),
        subject in any_of(&SUBJECTS),
        asked in (
            any_of(&["applications", "projects"]),
            any_of(&["get", "sync", "action/apps/Deployment/restart", "update"]),
            any_of(&["shop/web", "other/web", "shop", "shop/team/web"]),
        ),
    ) {
        check(&text(&lines, &grants), MatchMode::Glob, subject, asked)?;
    }

    /// A group is asked only where a line `g` begins with it, each on its own; the default role comes first.
    #[test]
    fn groups_and_the_default_role_are_asked_as_the_original_does(
        lines in proptest::collection::vec(line(&RESOURCES, &OBJECTS), 0..10),
        grants in proptest::collection::vec((any_of(&SUBJECTS), any_of(&SUBJECTS)), 0..6),
        subject in any_of(&SUBJECTS),
        groups in proptest::collection::vec(any_of(&SUBJECTS), 0..4),
        default_role in any_of(&["", "role:dev", "role:readonly"]),
        asked in (
            any_of(&["applications", "projects"]),
            any_of(&["get", "sync"]),
            any_of(&["shop/web", "other/web", "shop"]),
        ),
    ) {
        let policy = text(&lines, &grants);
        let casbin = oracle(&policy, MatchMode::Glob);
        let permits = |name: &str| casbin.enforce((name, asked.0, asked.1, asked.2)).unwrap();
        let granted = |group: &&&str| grants.iter().any(|(first, _)| *first == **group);
        let expected = !default_role.is_empty() && permits(default_role)
            || permits(subject)
            || groups.iter().filter(granted).any(|group| permits(group));
        let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        let enforcer = rbac::Enforcer::new(&Policy::parse(&policy).unwrap(), default_role, MatchMode::Glob);
        let (resource, action, object) = asked;
        let got = enforcer.permissions(subject, &groups).permit(Request { resource, action, object });
        prop_assert_eq!(got, expected, "{} of {:?} asks {:?} of\n{}", subject, groups, asked, policy);
    }

    #[test]
    fn regular_expressions_decide_as_casbin_does(
        lines in proptest::collection::vec(line(&["applications", ".*", "^app"], &EXPRESSIONS), 0..10),
        grants in proptest::collection::vec((any_of(&SUBJECTS), any_of(&SUBJECTS)), 0..6),
        subject in any_of(&SUBJECTS),
        asked in (any_of(&["applications", "projects"]), any_of(&["get", "sync"]), any_of(&["shop/web", "web", "other/wub"])),
    ) {
        let readable = |line: &Line| !line.2.starts_with('*');
        let lines: Vec<Line> = lines.into_iter().filter(readable).collect();
        check(&text(&lines, &grants), MatchMode::Regex, subject, asked)?;
    }
}
