//! Our renderers as the originals' commands are called: files in, text or error out.

use crate::files::Files;
use helm::{Options, ValuesFile};
use kustomize::{ChartRequest, Charts, SeamError, Seams};
use serde::Deserialize;
use source_tree::{Tree, TreePath};

/// What templates learn of the world: the time of this machine, and numbers from a seed.
pub(crate) struct World(u64);

impl World {
    pub(crate) fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }
}

impl gotemplate::Outside for World {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn random(&mut self, buffer: &mut [u8]) -> Result<(), String> {
        for byte in buffer {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = self.0.to_le_bytes()[0];
        }
        Ok(())
    }
}

/// `helm template`, as `case.yaml` describes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct HelmCall {
    pub(crate) chart: String,
    pub(crate) release: String,
    pub(crate) namespace: String,
    pub(crate) kube_version: String,
    pub(crate) values_files: Vec<String>,
    pub(crate) set: Vec<String>,
    pub(crate) set_string: Vec<String>,
    pub(crate) api_versions: Vec<String>,
    pub(crate) include_crds: bool,
    pub(crate) skip_tests: bool,
}

impl HelmCall {
    /// What the original's command is told, the chart aside.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut add = |flag: &str, value: &str| arguments.extend([flag.to_owned(), value.to_owned()]);
        add("--name-template", &self.release);
        add("--namespace", &self.namespace);
        add("--kube-version", &self.kube_version);
        self.set.iter().for_each(|value| add("--set", value));
        self.set_string.iter().for_each(|value| add("--set-string", value));
        self.values_files.iter().for_each(|value| add("--values", value));
        self.api_versions.iter().for_each(|value| add("--api-versions", value));
        arguments.extend(self.include_crds.then(|| "--include-crds".to_owned()));
        arguments.extend(self.skip_tests.then(|| "--skip-tests".to_owned()));
        arguments
    }

    /// The call that such arguments make.
    pub(crate) fn parse(chart: &str, arguments: &[String]) -> Self {
        let mut call = Self { chart: chart.to_owned(), ..Self::default() };
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let mut value = || rest.next().cloned().unwrap_or_default();
            match flag.as_str() {
                "--name-template" => call.release = value(),
                "--namespace" => call.namespace = value(),
                "--kube-version" => call.kube_version = value(),
                "--set" => call.set.push(value()),
                "--set-string" => call.set_string.push(value()),
                "--values" => call.values_files.push(value()),
                "--api-versions" => call.api_versions.push(value()),
                "--include-crds" => call.include_crds = true,
                "--skip-tests" => call.skip_tests = true,
                _ => {}
            }
        }
        call
    }

    /// Renders a chart; `values` holds the texts of the values files.
    pub(crate) fn render(&self, chart: &helm::Chart, values: &[String]) -> Result<String, helm::Error> {
        let mut options = Options::new(&self.release, &self.namespace, &self.kube_version);
        options.set.clone_from(&self.set);
        options.set_string.clone_from(&self.set_string);
        options.api_versions.clone_from(&self.api_versions);
        options.skip_tests = self.skip_tests;
        options.skip_crds = !self.include_crds;
        let files = self.values_files.iter().zip(values);
        options.values =
            files.map(|(name, text)| ValuesFile { name: name.clone(), text: text.clone() }).collect();
        Ok(chart.render(&options, &mut World::new())?.text())
    }
}

/// `kustomize build`, with charts that lie beside the kustomization.
pub(crate) fn kustomize(tree: &dyn Tree, target: &str, flags: &[String]) -> Result<String, String> {
    let told = |error: kustomize::Error| error.to_string();
    let options = kustomize::Options::parse(&flags.join(" ")).map_err(told)?;
    let target = TreePath::parse(target).map_err(|error| error.to_string())?;
    let seams = Seams { remote: &kustomize::Offline, charts: &ChartsBeside };
    Ok(kustomize::build(tree, &target, &options, seams).map_err(told)?.to_yaml())
}

struct ChartsBeside;

impl Charts for ChartsBeside {
    fn render(&self, request: &ChartRequest<'_>) -> Result<Vec<u8>, SeamError> {
        let fact = |error: helm::Error| SeamError::fact(error.to_string());
        let Some(path) = request.path else { return Err(SeamError::fact("charts are not fetched here")) };
        let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
        let name = or(request.release_name, &or(request.name_template, "release-name"));
        let kube_version = or(request.kube_version, KUBE_VERSION);
        let mut options = Options::new(&name, &or(request.namespace, "default"), &kube_version);
        options.api_versions = request.api_versions.to_vec();
        let values = request.values.iter();
        options.values =
            values.map(|value| ValuesFile { name: "values".into(), text: value.to_string() }).collect();
        options.skip_crds = !request.include_crds;
        options.skip_tests = request.skip_tests;
        let chart = helm::load(request.tree, path).map_err(fact)?;
        let mut rendered = chart.render(&options, &mut World::new()).map_err(fact)?;
        if request.skip_hooks {
            rendered.hooks.clear();
        }
        Ok(rendered.text().into_bytes())
    }

    fn own_values(&self, _: &ChartRequest<'_>) -> Result<Vec<u8>, SeamError> {
        Err(SeamError::fact("charts are not fetched here"))
    }
}

/// What helm v3.20 assumes of a cluster it does not ask.
const KUBE_VERSION: &str = "1.35.0";

/// A template as the only one of a chart: its text.
pub(crate) fn template(files: &Files) -> Result<String, String> {
    let chart = helm::load(&files.tree().map_err(|error| error.to_string())?, &TreePath::root());
    let options = Options::new("rel", "ns", "1.31.0");
    let rendered = chart.and_then(|chart| chart.render_files(&options, &mut World::new()));
    let rendered = rendered.map_err(|error| error.to_string())?;
    let case = rendered.into_iter().find(|(path, _)| path == "x/templates/case.yaml");
    case.map(|(_, text)| text).ok_or_else(|| "the template is not among the chart's".to_owned())
}
