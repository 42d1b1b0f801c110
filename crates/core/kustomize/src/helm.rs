//! Helm charts: where they lie, which values they get, and what comes out.

use crate::Options;
use crate::error::{Error, Result, Within as _};
use crate::kustomization::{HelmChart, HelmGlobals};
use crate::loader::{Loader, seam};
use crate::merge::{Direction, merge};
use crate::node::{Node, parse};
use crate::read;
use crate::resource::{Resource, note};
use crate::schema::Schema;
use crate::seams::{ChartRequest, Charts};
use serde_json::Value;
use source_tree::TreePath;

/// A chart to be rendered.
#[derive(Debug)]
pub(crate) struct ChartGenerator {
    chart: HelmChart,
    home: String,
}

impl ChartGenerator {
    pub(crate) fn new(
        mut chart: HelmChart,
        globals: HelmGlobals,
        loader: &Loader<'_>,
        options: &Options,
    ) -> Result<Self> {
        if !options.enable_helm {
            return Err(Error::invalid(
                "trouble configuring builtin HelmChartInflationGenerator: must specify --enable-helm",
            ));
        }
        if chart.name.is_empty() {
            return Err(Error::invalid("chart name cannot be empty"));
        }
        if chart.kube_version.is_empty() {
            chart.kube_version.clone_from(&options.helm_kube_version);
        }
        if chart.api_versions.is_empty() {
            chart.api_versions.clone_from(&options.helm_api_versions);
        }
        for file in &chart.additional_values_files {
            loader.load(file).within(|| "could not load additionalValuesFile".to_owned())?;
        }
        if !matches!(chart.values_merge.as_str(), "" | "merge" | "override" | "replace") {
            return Err(Error::invalid("valuesMerge must be one of [merge override replace]"));
        }
        let home = if globals.chart_home.is_empty() { "charts".to_owned() } else { globals.chart_home };
        Ok(Self { chart, home })
    }

    pub(crate) fn generate(&self, loader: &Loader<'_>, charts: &dyn Charts) -> Result<Vec<Resource>> {
        let chart = &self.chart;
        let doing = || format!("helm chart {}", chart.name);
        let home = if !chart.version.is_empty() && !chart.repo.is_empty() {
            format!("{}/{}-{}", self.home, chart.name, chart.version)
        } else {
            self.home.clone()
        };
        let path = loader
            .root()
            .join(&format!("{home}/{}", chart.name))
            .map_err(|error| Error::invalid(error.to_string()).within(doing()))?;
        let local = loader.tree().entry(&path)?.is_some_and(|entry| !entry.kind.is_file());
        if !local && chart.repo.is_empty() {
            return Err(Error::invalid(format!("no repo specified for pull, no chart found at '{path}'")));
        }
        let mut request = ChartRequest {
            name: &chart.name,
            version: &chart.version,
            repository: &chart.repo,
            tree: loader.tree(),
            path: local.then_some(&path),
            release_name: &chart.release_name,
            namespace: &chart.namespace,
            name_template: &chart.name_template,
            values: &[],
            api_versions: &chart.api_versions,
            kube_version: &chart.kube_version,
            include_crds: chart.include_crds,
            skip_hooks: chart.skip_hooks,
            skip_tests: chart.skip_tests,
            devel: chart.devel,
        };
        let values = self.values(loader, charts, &request, &path).within(doing)?;
        request.values = &values;
        let text = charts.render(&request).map_err(|error| seam(&error, &doing()))?;
        let mut resources = read::resources(&text).within(|| format!("read the output of {}", doing()))?;
        for resource in &mut resources {
            resource.annotate(note::HELM, "true")?;
        }
        Ok(resources)
    }

    fn values(
        &self,
        loader: &Loader<'_>,
        charts: &dyn Charts,
        request: &ChartRequest<'_>,
        path: &TreePath,
    ) -> Result<Vec<Value>> {
        let chart = &self.chart;
        let decoded = |text: &[u8]| {
            object::yaml::decode(text).map_err(|error| Error::invalid(format!("values: {error}")))
        };
        let mut values = Vec::new();
        let inline = chart.values_inline.as_ref().filter(|inline| !inline.is_empty());
        match inline {
            Some(inline) if chart.values_merge == "replace" => values.push(Value::Object(inline.clone())),
            Some(inline) => {
                let file = if !chart.values_file.is_empty() {
                    loader.load(&chart.values_file)?.to_vec()
                } else if request.path.is_some() {
                    let below = path.strip_prefix(loader.root()).unwrap_or_default();
                    loader.load(&format!("{below}/values.yaml"))?.to_vec()
                } else {
                    charts.own_values(request).map_err(|error| seam(&error, &chart.name))?
                };
                values.push(self.merged(&file, &Value::Object(inline.clone()))?);
            }
            // Without a file of its own the chart gets its own values, which it has anyway.
            None if chart.values_file.is_empty() => {}
            None => values.push(decoded(&loader.load(&chart.values_file)?)?),
        }
        for file in &chart.additional_values_files {
            values.push(decoded(&loader.load(file)?)?);
        }
        Ok(values)
    }

    /// The values of the file and those of the kustomization in one.
    fn merged(&self, file: &[u8], inline: &Value) -> Result<Value> {
        let text = std::str::from_utf8(file).map_err(|_| Error::invalid("values file is not UTF-8"))?;
        let mut file = parse(text)?.filter(|node| !node.is_null()).unwrap_or_else(Node::mapping);
        let mut inline = Node::from_go_json(inline);
        let schema = Schema::default();
        let (into, from) = if self.chart.values_merge == "merge" {
            (&mut inline, &mut file)
        } else {
            (&mut file, &mut inline)
        };
        merge(into, from, &schema, Direction::Append).within(|| "could not merge values".to_owned())?;
        into.to_value()
    }
}
