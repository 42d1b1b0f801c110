//! `argocd app unset`.

use api::v1alpha1::{ApplicationSource, ApplicationSourceHelm, ApplicationSourceKustomize};
use wire::application::ApplicationUpdateSpecRequest;

use super::sources::chosen;
use super::spec::same_image;
use crate::command::{Command, Running, array, int, switch, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd app unset my-app --kustomize-image=alpine\n  argocd app unset my-app --namesuffix\n  \
              argocd app unset my-app -p COMPONENT=PARAM",
    flags: &[&[
        super::NAMESPACE,
        switch("ignore-missing-components", "Kustomize components must exist again"),
        switch("ignore-missing-value-files", "Helm value files must exist again"),
        array("kustomize-image", "Forget this Kustomize image"),
        switch("kustomize-namespace", "Forget the Kustomize namespace"),
        array("kustomize-replica", "Forget this Kustomize replica count"),
        switch("kustomize-version", "Forget the Kustomize version"),
        switch("nameprefix", "Forget the Kustomize name prefix"),
        switch("namesuffix", "Forget the Kustomize name suffix"),
        array("parameter", "Forget this parameter").short('p'),
        switch("pass-credentials", "Send credentials to the repository only again"),
        array("plugin-env", "Forget this environment variable of the plugin"),
        switch("ref", "Forget the name by which other sources refer to the source"),
        text("source-name", "Name of the source among several"),
        int("source-position", "Position of the source among several, from 1").or("-1"),
        array("values", "Forget this Helm values file"),
        switch("values-literal", "Forget the literal Helm values"),
    ]],
    run: Some(start),
    ..Command::new("unset", "APPNAME parameters", "Unset application parameters")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.only_argument()?);
    let server = session.server().await?;
    let mut application = super::application(&server, &name, &namespace, None).await?;
    let spec = &mut application.spec;
    let source = match chosen(session, spec)?.and_then(|index| spec.sources.get_mut(index)) {
        Some(source) => source,
        None => spec.source.get_or_insert_default(),
    };
    match unset(session, source) {
        None => return Err(Failure::usage()),
        Some(false) => return Ok(()),
        Some(true) => {}
    }
    if !session.confirm("Are you sure you want to unset the parameters? [y/n]")? {
        session.line("The command to unset the parameters has been cancelled.");
        return Ok(());
    }
    let request = ApplicationUpdateSpecRequest {
        name: application.metadata.name,
        spec: application.spec,
        validate: Some(false),
        app_namespace: Some(namespace),
        project: None,
    };
    server.applications().update_spec(request).await?;
    Ok(())
}

/// Applies the flags; returns whether anything changed, and nothing when no flag concerns a source of this type.
fn unset(session: &Session<'_>, source: &mut ApplicationSource) -> Option<bool> {
    let mut changed = session.is("ref") && !source.r#ref.is_empty();
    if changed {
        source.r#ref.clear();
    }
    let without_type = changed.then_some(true);
    if let Some(kustomize) = &mut source.kustomize {
        match unset_kustomize(session, kustomize) {
            Some(some) => changed |= some,
            None => return without_type,
        }
    }
    if let Some(helm) = &mut source.helm {
        match unset_helm(session, helm) {
            Some(some) => changed |= some,
            None => return without_type,
        }
    }
    if let Some(plugin) = &mut source.plugin {
        let names = session.matches.list("plugin-env");
        if names.is_empty() {
            return without_type;
        }
        for name in names {
            if let Some(index) = plugin.env.iter().position(|known| known.name == *name) {
                // The last takes its place, as in the original.
                plugin.env.swap_remove(index);
                changed = true;
            }
        }
    }
    Some(changed)
}

fn unset_kustomize(session: &Session<'_>, kustomize: &mut ApplicationSourceKustomize) -> Option<bool> {
    let on = |flag: &str| session.is(flag);
    let images = session.matches.list("kustomize-image");
    let replicas = session.matches.list("kustomize-replica");
    let switches =
        ["nameprefix", "namesuffix", "kustomize-version", "kustomize-namespace", "ignore-missing-components"];
    if images.is_empty() && replicas.is_empty() && !switches.into_iter().any(on) {
        return None;
    }
    let before = kustomize.clone();
    for (flag, field) in [
        ("nameprefix", &mut kustomize.name_prefix),
        ("namesuffix", &mut kustomize.name_suffix),
        ("kustomize-version", &mut kustomize.version),
        ("kustomize-namespace", &mut kustomize.namespace),
    ] {
        if on(flag) {
            field.clear();
        }
    }
    if on("ignore-missing-components") {
        kustomize.ignore_missing_components = false;
    }
    kustomize.images.retain(|known| !images.iter().any(|image| same_image(image, known)));
    kustomize.replicas.retain(|known| !replicas.contains(&known.name));
    Some(*kustomize != before)
}

fn unset_helm(session: &Session<'_>, helm: &mut ApplicationSourceHelm) -> Option<bool> {
    let on = |flag: &str| session.is(flag);
    let parameters = session.matches.list("parameter");
    let files = session.matches.list("values");
    let switches = ["values-literal", "ignore-missing-value-files", "pass-credentials"];
    if parameters.is_empty() && files.is_empty() && !switches.into_iter().any(on) {
        return None;
    }
    let before = helm.clone();
    helm.parameters.retain(|known| !parameters.contains(&known.name));
    helm.value_files.retain(|known| !files.contains(known));
    if on("values-literal") {
        helm.values.clear();
        helm.values_object = None;
    }
    if on("ignore-missing-value-files") {
        helm.ignore_missing_value_files = false;
    }
    if on("pass-credentials") {
        helm.pass_credentials = false;
    }
    Some(*helm != before)
}
