//! Permission checks per second with a policy of 5,000 lines: ours, and the `casbin` crate's given the same. Two numbers,
//! each on a line: `cargo xtask bench api` reads them.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]
#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "a measurement takes the time")]

use casbin::function_map::OperatorFunction;
use casbin::{CoreApi, DefaultModel, Enforcer, Model, StringAdapter};
use futures::executor::block_on;
use rbac::{Glob, MatchMode, Policy, Request};
use std::hint::black_box;
use std::time::{Duration, Instant};

const LINES: usize = 5000;
const LONG_ENOUGH: Duration = Duration::from_secs(2);

/// Fifty teams with a role each, and what each may do in projects of its own.
fn policy() -> String {
    let rules = (0..LINES - 50).map(|number| {
        let (team, project) = (number % 50, number / 50);
        let action = ["get", "sync", "action/apps/*", "logs"][number % 4];
        format!("p, role:team-{team}, applications, {action}, team-{team}-{project}/*, allow\n")
    });
    rules.chain((0..50).map(|team| format!("g, user-{team}, role:team-{team}\n"))).collect()
}

fn object(number: usize) -> String {
    format!("team-{}-{}/app-{number}", number % 50, number % 97)
}

/// Checks per second.
fn speed(mut check: impl FnMut(&str, &str) -> bool) -> f64 {
    let requests: Vec<(String, String)> =
        (0..1000).map(|number| (format!("user-{}", number % 50), object(number))).collect();
    let (began, mut checks) = (Instant::now(), 0_u32);
    for (subject, object) in requests.iter().cycle() {
        black_box(check(subject, object));
        checks += 1;
        if checks.is_multiple_of(10) && began.elapsed() > LONG_ENOUGH {
            break;
        }
    }
    f64::from(checks) / began.elapsed().as_secs_f64()
}

fn casbin(policy: &str) -> Option<Enforcer> {
    let mut model = DefaultModel::default();
    let definitions = [
        ("r", "sub, res, act, obj"),
        ("p", "sub, res, act, obj, eft"),
        ("g", "_, _"),
        ("e", "some(where (p.eft == allow)) && !some(where (p.eft == deny))"),
        (
            "m",
            "g(r.sub, p.sub) && matching(r.res, p.res) && matching(r.act, p.act) && matching(r.obj, p.obj)",
        ),
    ];
    for (section, definition) in definitions {
        model.add_def(section, section, definition);
    }
    let mut enforcer = block_on(Enforcer::new(model, StringAdapter::new(policy))).ok()?;
    let function = OperatorFunction::Arg2(|text, pattern| {
        Glob::new(&pattern.to_string()).matches(&text.to_string()).into()
    });
    enforcer.add_function("matching", function);
    Some(enforcer)
}

fn main() {
    let text = policy();
    let Ok(parsed) = Policy::parse(&text) else { return };
    let enforcer = rbac::Enforcer::new(&parsed, "", MatchMode::Glob);
    // As the server asks: what a caller may do is gathered once per request, here for each check.
    let ours = speed(|subject, object| {
        let request = Request { resource: "applications", action: "sync", object };
        enforcer.permissions(subject, &[]).permit(request)
    });
    let Some(other) = casbin(&text) else { return };
    let theirs =
        speed(|subject, object| other.enforce((subject, "applications", "sync", object)).unwrap_or(false));
    println!("{ours:.0}\n{theirs:.0}");
}
