//! `docs/rights.md`: which right each call of the API wants, from the options in `proto/`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use wire::rights::{Caller, Right, Wants, methods};
use wire::route::routes;

const HEAD: &str = "\
# Which right each call wants
<!-- Made from `proto/` by `cargo xtask codegen`; do not edit. -->

A right is what a line of `policy.csv` in `argocd-rbac-cm` grants: `p, <subject>, <resource>, <action>, <object>, allow`. A call wants all the
rights of its row. Names in braces stand for what the request is about, `{newProject}` and `{oldProject}`
for the project something moves to and the one it leaves.

- The object of an application, of its logs and of an ApplicationSet is `{project}/{namespace}/{name}` outside of the control plane's namespace.
- The object of a repository or cluster that belongs to a project begins with `{project}/`.
- A terminal wants `applications, get` and `exec, create`, both on `{project}/{name}`; a proxy extension `applications, get, {project}/{name}`
  and `extensions, invoke, {extension}`.
- `/swagger.json` says the same of each operation in its member `x-argocd-rights`.
";

/// The page.
pub(super) fn page() -> String {
    let mut services: BTreeMap<&str, Vec<&Wants>> = BTreeMap::new();
    for wants in methods() {
        services.entry(&wants.service).or_default().push(wants);
    }
    let mut page = HEAD.to_owned();
    for (service, methods) in services {
        let _ = write!(page, "\n## {service}\n| method | REST | wants |\n| --- | --- | --- |\n");
        for wants in methods {
            let deprecated = if wants.deprecated { " (deprecated)" } else { "" };
            let _ = writeln!(page, "| {}{deprecated} | {} | {} |", wants.method, rest(wants), told(wants));
        }
    }
    page
}

/// The bindings of a method.
fn rest(wants: &Wants) -> String {
    let own = routes().iter().filter(|route| route.service == wants.service && route.method == wants.method);
    let bindings: Vec<String> = own.map(|route| format!("`{} {}`", route.verb, route.template)).collect();
    bindings.join("<br>")
}

/// What a method wants, a line each.
fn told(wants: &Wants) -> String {
    let mut lines: Vec<String> = match wants.caller {
        Caller::Permitted => wants.all.iter().map(quoted).collect(),
        Caller::LoggedIn => vec!["a session".to_owned()],
        Caller::Anybody => vec!["nothing".to_owned()],
        Caller::Nobody => vec!["it is not answered".to_owned()],
        Caller::Unsaid => vec!["?".to_owned()],
    };
    for condition in &wants.also {
        let rights: Vec<String> = condition.all.iter().map(quoted).collect();
        lines.push(format!("when {}: {}", condition.when, rights.join(" and ")));
    }
    if wants.filtered {
        lines.push("What the caller has no right to is left out.".to_owned());
    }
    if !wants.note.is_empty() {
        lines.push(wants.note.clone());
    }
    lines.join("<br>")
}

fn quoted(right: &Right) -> String {
    format!("`{right}`")
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn a_row_has_routes_and_rights() {
        let page = page();
        let rows = [
            "| Delete | `DELETE /api/v1/applications/{name}` | `applications, get, {project}/{name}`<br>\
             `applications, delete, {project}/{name}` |",
            "| List (deprecated) | `GET /api/v1/repositories` | `repositories, get, {repo}`<br>\
             What the caller has no right to is left out. |",
            "| Version | `GET /api/version` | nothing<br>Without a session it tells less, unless everybody is let in. |",
        ];
        for row in rows {
            assert!(page.lines().any(|line| line == row), "{row}");
        }
        // A row is a line, whatever its notes say.
        let mut rows = page.lines().filter(|line| line.starts_with('|'));
        assert!(rows.all(|row| row.ends_with(" |") && row.matches(" | ").count() == 2));
    }
}
