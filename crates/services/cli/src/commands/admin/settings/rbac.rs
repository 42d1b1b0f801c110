//! `argocd admin settings rbac`: what a policy permits, why, and whether it can be read.

use rbac::{Decision, Request};

use super::policy::{self, Written};
use crate::command::{Command, Flag, Running, switch, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

const POLICY: &[Flag] = &[text("policy-file", "File with the policy, or with argocd-rbac-cm")];
const REQUEST: &[Flag] = &[
    text("default-role", "The role everybody has"),
    switch("quiet", "Print nothing, end with the answer").short('q'),
    switch("strict", "Refuse resources and actions that are not there").or("true"),
    switch("use-builtin-policy", "Add the roles every installation has").or("true"),
];

pub(super) static COMMAND: Command = Command {
    commands: &[&CAN, &EXPLAIN, &VALIDATE],
    ..Command::new("rbac", "", "Validate and test RBAC configuration")
};

static CAN: Command = Command {
    details: "\nExamples:\n  argocd admin settings rbac can some:role create application default/app --policy-file policy.csv\n  argocd admin settings rbac can alice sync app default/app --namespace argocd",
    flags: &[POLICY, REQUEST],
    run: Some(can),
    ..Command::new(
        "can",
        "ROLE/SUBJECT ACTION RESOURCE [SUB-RESOURCE]",
        "Check RBAC permissions for a role or subject",
    )
};

static EXPLAIN: Command = Command {
    details: "\nExamples:\n  argocd admin settings rbac explain alice delete app prod/shop --namespace argocd",
    flags: &[POLICY, REQUEST],
    run: Some(explain),
    ..Command::new(
        "explain",
        "ROLE/SUBJECT ACTION RESOURCE [SUB-RESOURCE]",
        "Tell which line of the policy allows or denies something",
    )
};

static VALIDATE: Command = Command {
    details: "\nExamples:\n  argocd admin settings rbac validate --policy-file policy.csv\n  argocd admin settings rbac validate --namespace argocd",
    flags: &[POLICY],
    run: Some(validate),
    ..Command::new("validate", "[--policy-file POLICYFILE] [--namespace NAMESPACE]", "Validate RBAC policy")
};

fn can<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move {
        let decision = decide(session).await?;
        answer(session, decision.allowed, if decision.allowed { "Yes" } else { "No" })
    })
}

fn explain<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move {
        let decision = decide(session).await?;
        let told = match (&decision.rule, decision.allowed) {
            (Some(rule), true) => format!("Yes: {rule}"),
            (Some(rule), false) => format!("No: {rule}"),
            (None, _) => "No: no line permits it".to_owned(),
        };
        answer(session, decision.allowed, &told)
    })
}

fn validate<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move {
        if !session.arguments().is_empty() {
            let help = crate::help::text(&session.matches.path);
            session.print(&help);
            return Err(Failure::fatal("too many arguments"));
        }
        let written = Written::read(session).await?;
        if written.rbac.policy.trim().is_empty() {
            return Err(Failure::fatal("Policy is empty or could not be loaded."));
        }
        if let Err(error) = written.enforcer(false, "") {
            session.line(&format!("Policy is invalid: {error}"));
            return Err(Failure::Exit(1));
        }
        session.line("Policy is valid.");
        Ok(())
    })
}

fn answer(session: &mut Session<'_>, allowed: bool, text: &str) -> Outcome {
    if !session.is("quiet") {
        session.line(text);
    }
    if allowed { Ok(()) } else { Err(Failure::Exit(1)) }
}

async fn decide(session: &mut Session<'_>) -> Outcome<Decision> {
    let (subject, action, resource, named) = match session.arguments() {
        [subject, action, resource] => (subject.clone(), action.clone(), resource.clone(), String::new()),
        [subject, action, resource, named] => {
            (subject.clone(), action.clone(), resource.clone(), named.clone())
        }
        _ => return Err(Failure::usage()),
    };
    let written = Written::read(session).await?;
    let enforcer = written.enforcer(session.is("use-builtin-policy"), &session.text("default-role"));
    let enforcer = enforcer.map_err(|error| Failure::fatal(format!("invalid user policy: {error}")))?;
    let resource = policy::resource(&resource);
    if session.is("strict") {
        policy::check(resource, &action)
            .map_err(|error| Failure::fatal(format!("error in RBAC request: {error}")))?;
    }
    let object = policy::object(resource, &named);
    let request = Request { resource, action: &action, object: &object };
    Ok(enforcer.permissions(&subject, &[]).decide(request))
}
