//! `argocd app unset`.

use api::v1alpha1::ApplicationSource;
use wire::application::ApplicationUpdateSpecRequest;

use super::sources::position;
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
    let source = if application.spec.has_several_sources() {
        let index = position(session, &application.spec.sources)?;
        &mut application.spec.sources[index]
    } else {
        application.spec.source.get_or_insert_default()
    };
    let before = source.clone();
    if !unset(session, source) {
        return Err(Failure::usage());
    }
    if *source == before {
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

/// Applies the flags; returns whether any of them concerns a source of this type.
fn unset(session: &Session<'_>, source: &mut ApplicationSource) -> bool {
    let on = |flag: &str| session.is(flag);
    let list = |flag: &str| session.matches.list(flag);
    let given = |flags: &[&str]| flags.iter().any(|flag| session.matches.changed(flag));
    let mut concerned = false;
    if on("ref") && !source.r#ref.is_empty() {
        source.r#ref.clear();
        concerned = true;
    }
    if let Some(kustomize) = &mut source.kustomize {
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
        kustomize
            .images
            .retain(|known| !list("kustomize-image").iter().any(|image| same_image(image, known)));
        kustomize.replicas.retain(|known| !list("kustomize-replica").contains(&known.name));
        concerned |= given(&[
            "nameprefix",
            "namesuffix",
            "kustomize-version",
            "kustomize-namespace",
            "kustomize-image",
            "kustomize-replica",
            "ignore-missing-components",
        ]);
    }
    if let Some(helm) = &mut source.helm {
        helm.parameters.retain(|known| !list("parameter").contains(&known.name));
        helm.value_files.retain(|known| !list("values").contains(known));
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
        concerned |= given(&[
            "parameter",
            "values",
            "values-literal",
            "ignore-missing-value-files",
            "pass-credentials",
        ]);
    }
    if let Some(plugin) = &mut source.plugin {
        plugin.env.retain(|known| !list("plugin-env").contains(&known.name));
        concerned |= given(&["plugin-env"]);
    }
    concerned
}
