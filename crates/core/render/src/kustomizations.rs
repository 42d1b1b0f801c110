//! Kustomize sources: the kustomization with the source's fields applied, and what it asks of others.

use crate::charts::{KUBE_VERSION, release_name};
use crate::outside::TemplateWorld;
use crate::{RenderError, Request};
use api::v1alpha1::ApplicationSourceKustomize;
use helm::{MissingDependency, ValuesFile};
use kustomize::{ChartRequest, Charts, Options, Remote, RemoteBase, SeamError, Seams};
use object::Object;
use source_tree::{Tree, TreePath};
use std::sync::Arc;

pub(crate) fn documents(
    tree: &dyn Tree,
    path: &TreePath,
    source: Option<&ApplicationSourceKustomize>,
    request: &Request<'_>,
) -> Result<Vec<Object>, RenderError> {
    let failed = |error| RenderError::Kustomize { path: path.to_string(), error };
    let mut options = Options::parse(request.kustomize_options).map_err(failed)?;
    let none = ApplicationSourceKustomize::default();
    let given = source.unwrap_or(&none);
    let first = |texts: [&str; 2]| texts.into_iter().find(|text| !text.is_empty()).unwrap_or("").to_owned();
    if options.helm_kube_version.is_empty() {
        options.helm_kube_version = first([&given.kube_version, request.kube_version]);
    }
    if options.helm_api_versions.is_empty() {
        let versions = if given.api_versions.is_empty() { request.api_versions } else { &given.api_versions };
        options.helm_api_versions = versions.to_vec();
    }
    let seams = Others(request);
    let seams = Seams { remote: &seams, charts: &seams };
    let built = match source {
        Some(source) => {
            let named = serde_json::to_string(source).unwrap_or_default();
            let environment = request.environment.variables_named_in(&named);
            kustomize::application::build(tree, path, source, environment, &options, seams)
        }
        None => kustomize::build(tree, path, &options, seams),
    };
    let mut objects = Vec::new();
    for object in built.map_err(failed)?.objects {
        crate::directory::add(object.to_value(), &mut objects)
            .map_err(|reason| RenderError::Parameters { path: path.to_string(), reason })?;
    }
    Ok(objects)
}

/// What lies outside of the kustomization's tree.
struct Others<'a>(&'a Request<'a>);

impl Remote for Others<'_> {
    fn tree(&self, base: &RemoteBase) -> Result<Arc<dyn Tree>, SeamError> {
        // What another repository holds can change without this one changing.
        self.0.environment.note_outside();
        self.0.outside.tree(base)
    }

    fn file(&self, url: &str) -> Result<Vec<u8>, SeamError> {
        self.0.environment.note_outside();
        self.0.outside.file(url)
    }
}

impl Others<'_> {
    fn chart(&self, wanted: &ChartRequest<'_>) -> Result<helm::Chart, SeamError> {
        let fact = |error: helm::Error| SeamError { retry: error.retryable(), cause: error.to_string() };
        let mut chart = match wanted.path {
            Some(path) => helm::load(wanted.tree, path).map_err(fact)?,
            None => {
                // Without a version, and for whoever wants them, those under development will do as well.
                let newest = wanted.devel && wanted.version.is_empty();
                let version = if newest { ">0.0.0-0" } else { wanted.version };
                let wanted = MissingDependency {
                    name: wanted.name.to_owned(),
                    repository: wanted.repository.to_owned(),
                    version: version.to_owned(),
                };
                self.0.environment.note_outside();
                helm::load_archive(&self.0.outside.chart(&wanted)?).map_err(fact)?
            }
        };
        for missing in chart.missing_dependencies().map_err(fact)? {
            self.0.environment.note_outside();
            let packed = self.0.outside.chart(&missing)?;
            chart.add_dependency(helm::load_archive(&packed).map_err(fact)?);
        }
        Ok(chart)
    }
}

impl Charts for Others<'_> {
    fn render(&self, request: &ChartRequest<'_>) -> Result<Vec<u8>, SeamError> {
        let chart = self.chart(request)?;
        let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
        let name = match (request.release_name, request.name_template) {
            ("", "") => "release-name".to_owned(),
            ("", template) => release_name(template, self.0.outside)
                .map_err(|error| SeamError::fact(format!("nameTemplate: {error}")))?,
            (name, "") => name.to_owned(),
            _ => return Err(SeamError::fact("cannot set --name-template and also specify a name")),
        };
        let namespace = or(request.namespace, "default");
        let mut options = helm::Options::new(&name, &namespace, &or(request.kube_version, KUBE_VERSION));
        options.api_versions = request.api_versions.to_vec();
        options.values = request
            .values
            .iter()
            .map(|value| ValuesFile { name: "values of the kustomization".into(), text: value.to_string() })
            .collect();
        options.skip_crds = !request.include_crds;
        options.skip_tests = request.skip_tests;
        let rendered = chart.render(&options, &mut TemplateWorld(self.0.outside));
        let mut rendered =
            rendered.map_err(|error| SeamError { retry: error.retryable(), cause: error.to_string() })?;
        if request.skip_hooks {
            rendered.hooks.clear();
        }
        Ok(rendered.text().into_bytes())
    }

    fn own_values(&self, request: &ChartRequest<'_>) -> Result<Vec<u8>, SeamError> {
        let chart = self.chart(request)?;
        Ok(serde_json::Value::Object(chart.values.as_ref().clone()).to_string().into_bytes())
    }
}
