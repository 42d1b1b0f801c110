//! One kustomization: its resources gathered, generated, transformed and checked, and those beneath it first.

use crate::config::{TransformerConfig, default_config};
use crate::error::{Error, Result, Within as _};
use crate::generate::{Generated, generate, with_global};
use crate::helm::ChartGenerator;
use crate::kustomization::{COMPONENT, FILE_NAMES, Kustomization, Var};
use crate::loader::Loader;
use crate::name_reference;
use crate::node::Node;
use crate::origin::Origin;
use crate::plugin::{self, Generator};
use crate::read;
use crate::repository_url;
use crate::resource::{Resource, note};
use crate::resources::Resources;
use crate::schema::Schema;
use crate::seams::Charts;
use crate::transform::{self, Configured};
use crate::{Options, builtin};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// What all kustomizations of one build share.
pub(crate) struct Build<'a> {
    pub(crate) schema: Schema,
    pub(crate) options: &'a Options,
    pub(crate) charts: &'a dyn Charts,
    pub(crate) warnings: RefCell<Vec<String>>,
}

/// What was gathered so far.
#[derive(Debug, Default)]
struct Accumulator {
    resources: Resources,
    config: Arc<TransformerConfig>,
    vars: BTreeMap<String, Var>,
}

impl Accumulator {
    fn merge_config(&mut self, config: &Arc<TransformerConfig>) -> Result<()> {
        self.config = self.config.merge(config)?;
        Ok(())
    }

    fn add_vars<'v>(&mut self, vars: impl IntoIterator<Item = &'v Var>) -> Result<()> {
        for var in vars {
            if self.vars.insert(var.name.clone(), var.clone()).is_some() {
                return Err(Error::invalid(format!("var '{}' already encountered", var.name)));
            }
        }
        Ok(())
    }

    /// Notes which resource each var reads.
    fn bind_vars(&mut self, vars: &[Var], schema: &Schema) -> Result<()> {
        for var in vars {
            let wanted = &var.target;
            let found = self.resources.with_any_id(schema, &wanted.name, |id| {
                if wanted.namespace.is_empty() { wanted.names_the_same(id) } else { wanted.equals(id) }
            })?;
            match found.as_slice() {
                [] => {}
                [at] => self.resources.list_mut()[*at].vars.push(var.name.clone()),
                many => {
                    return Err(Error::invalid(format!(
                        "found {} resId matches for var {} (unable to disambiguate)",
                        many.len(),
                        var.name
                    )));
                }
            }
        }
        self.add_vars(vars)
    }

    fn merge(&mut self, other: Self, build: &Build<'_>) -> Result<()> {
        self.resources.append_all(other.resources.into_list(), &build.schema)?;
        build.count(self.resources.len())?;
        self.merge_config(&other.config)?;
        self.add_vars(other.vars.values())
    }
}

impl Build<'_> {
    fn count(&self, resources: usize) -> Result<()> {
        let most = self.options.limits.resources;
        if resources > most {
            return Err(Error::limit(format!("more than the limit of {most} resources in one build")));
        }
        Ok(())
    }
}

/// A kustomization that was read.
pub(crate) struct Target<'a, 'b> {
    pub(crate) kustomization: Kustomization,
    file: &'static str,
    pub(crate) loader: Rc<Loader<'a>>,
    origin: Option<Origin>,
    /// The namespace charts get from the kustomizations above.
    helm_namespace: String,
    pub(crate) build: &'b Build<'b>,
}

/// Reads the one kustomization file of a folder.
pub(crate) fn read_file(loader: &Loader<'_>) -> Result<(bytes::Bytes, &'static str)> {
    let mut found = None;
    for name in FILE_NAMES {
        let present =
            loader.root().join(name).ok().map(|path| loader.tree().entry(&path)).transpose()?.flatten();
        if present.is_none_or(|entry| !entry.kind.is_file()) {
            continue;
        }
        let content = match loader.load(name) {
            Ok(content) => content,
            Err(error) if error.is_final() => return Err(error),
            Err(_) => continue,
        };
        if found.replace((content, name)).is_some() {
            return Err(Error::invalid(format!(
                "Found multiple kustomization files under: {}",
                loader.root()
            )));
        }
    }
    found.ok_or_else(|| {
        let names = "'kustomization.yaml', 'kustomization.yml' or 'Kustomization'";
        Error::invalid(format!("unable to find one of {names} in directory '{}'", loader.root()))
    })
}

impl<'a, 'b> Target<'a, 'b> {
    pub(crate) fn read(loader: Rc<Loader<'a>>, build: &'b Build<'b>) -> Result<Self> {
        let (content, file) = read_file(&loader)?;
        let kustomization = Kustomization::parse(&content, &loader.root().to_string())?;
        Ok(Self::new(kustomization, file, loader, build))
    }

    pub(crate) fn new(
        kustomization: Kustomization,
        file: &'static str,
        loader: Rc<Loader<'a>>,
        build: &'b Build<'b>,
    ) -> Self {
        build.warnings.borrow_mut().extend(kustomization.warnings.iter().cloned());
        Self { kustomization, file, loader, origin: None, helm_namespace: String::new(), build }
    }

    /// Sets the schema of the whole build, when none is set yet.
    pub(crate) fn set_schema(&self) -> Result<()> {
        let openapi = &self.kustomization.openapi;
        let custom = match openapi.get("path") {
            None => None,
            Some(path) => {
                let content = self.loader.load(path)?;
                Some(decoded(&content).within(|| format!("invalid schema file {path}"))?)
            }
        };
        self.build.schema.set(openapi.get("version").map(String::as_str), custom)
    }

    /// The resources as they are printed, but for order and notes.
    pub(crate) fn build(mut self) -> Result<Resources> {
        if !self.kustomization.build_metadata.is_empty() {
            self.origin = Some(Origin::default());
        }
        let schema = &self.build.schema;
        let mut gathered = Accumulator::default();
        self.accumulate(&mut gathered)?;
        transform::add_hashes(&mut gathered.resources, schema)?;
        name_reference::fix(&mut gathered.resources, &gathered.config.name_references, schema)?;
        crate::vars::resolve(&mut gathered.resources, &gathered.vars, &gathered.config.var_references)?;
        let mut resources = gathered.resources;
        drop_local(&mut resources)?;
        Ok(resources)
    }

    fn accumulate(&mut self, gathered: &mut Accumulator) -> Result<()> {
        let resources = std::mem::take(&mut self.kustomization.resources);
        self.add_resources(gathered, &resources).within(|| "accumulating resources".to_owned())?;
        let (config, crds) = self.config()?;
        gathered.merge_config(&config)?;
        gathered.merge_config(&crds)?;
        self.generate(gathered)?;
        let components = std::mem::take(&mut self.kustomization.components);
        self.add_components(gathered, &components).within(|| "accumulating components".to_owned())?;
        let transformers = self.transformers(&gathered.config)?;
        transform::run_all(&transformers, &mut gathered.resources, &self.build.schema)?;
        self.validate(gathered)?;
        gathered.bind_vars(&self.kustomization.vars, &self.build.schema).within(|| "merging vars".to_owned())
    }

    /// What `configurations` and what `crds` say.
    fn config(&self) -> Result<(Arc<TransformerConfig>, Arc<TransformerConfig>)> {
        let mut own = Arc::<TransformerConfig>::default();
        for path in &self.kustomization.configurations {
            let value = decoded(&self.loader.load(path)?).within(|| format!("configuration {path}"))?;
            let read = TransformerConfig::read(&value).within(|| format!("configuration {path}"))?;
            own = own.merge(&Arc::new(read))?;
        }
        let config = default_config().merge(&own)?;
        let mut crds = Arc::<TransformerConfig>::default();
        for path in &self.kustomization.crds {
            let doing = || format!("loading CRDs {path}");
            let value = decoded(&self.loader.load(path).within(doing)?).within(doing)?;
            crds = crds.merge(&Arc::new(TransformerConfig::read_crds(&value, path)?))?;
        }
        Ok((config, crds))
    }

    fn add_resources(&mut self, gathered: &mut Accumulator, paths: &[String]) -> Result<()> {
        for path in paths {
            let Err(error) = self.add_file(gathered, path) else { continue };
            let elsewhere = repository_url::parse(path).is_some();
            if error.is_final() && !elsewhere {
                return Err(error);
            }
            let loader = match self.loader.enter(path) {
                Ok(loader) => loader,
                Err(entering) if entering.is_final() => return Err(entering),
                Err(_) if error.message().contains("MalformedYAMLError") => return Err(error),
                Err(entering) => {
                    return Err(entering.within(format!("accumulation err='{}'", error.message())));
                }
            };
            self.add_folder(gathered, loader, path, false).map_err(|inner| {
                if inner.is_final() {
                    inner
                } else {
                    inner.within(format!("accumulation err='{}'", error.message()))
                }
            })?;
        }
        Ok(())
    }

    fn add_file(&self, gathered: &mut Accumulator, path: &str) -> Result<()> {
        let doing = || format!("accumulating resources from '{path}'");
        let text = self.loader.load(path).within(doing)?;
        let mut resources =
            read::resources(&text).map_err(|error| read::in_file(error, path)).within(doing)?;
        if let Some(origin) = &self.origin {
            let text = origin.append(path).text();
            for resource in &mut resources {
                set_annotation_field(resource, note::ORIGIN, &text)?;
            }
        }
        gathered
            .resources
            .append_all(resources, &self.build.schema)
            .within(|| format!("merging resources from '{path}'"))?;
        self.build.count(gathered.resources.len())
    }

    fn add_components(&mut self, gathered: &mut Accumulator, paths: &[String]) -> Result<()> {
        for path in paths {
            let loader = self.loader.enter(path).within(|| format!("component {path}"))?;
            self.add_folder(gathered, loader, path, true).within(|| format!("component {path}"))?;
        }
        Ok(())
    }

    fn add_folder(
        &self,
        gathered: &mut Accumulator,
        loader: Loader<'a>,
        path: &str,
        component: bool,
    ) -> Result<()> {
        let root = loader.root().clone();
        let mut beneath = Self::read(Rc::new(loader), self.build)
            .within(|| format!("couldn't make target for path '{root}'"))?;
        beneath.kustomization.build_metadata.clone_from(&self.kustomization.build_metadata);
        beneath.origin = self.origin.as_ref().map(|origin| origin.append(path));
        let namespace = &self.kustomization.namespace;
        let inherited = if namespace.is_empty() { &self.helm_namespace } else { namespace };
        beneath.helm_namespace.clone_from(inherited);
        beneath.set_schema()?;
        let kind = &beneath.kustomization.kind;
        if component && kind != COMPONENT {
            return Err(Error::invalid(format!(
                "expected kind '{COMPONENT}' for path '{root}' but got '{kind}'"
            )));
        }
        if !component && kind == COMPONENT {
            return Err(Error::invalid(format!("expected kind != '{COMPONENT}' for path '{root}'")));
        }
        let doing = || format!("recursed accumulation of path '{root}'");
        if component {
            // A component works on what is gathered; its sum with nothing is itself.
            return beneath.accumulate(gathered).within(doing);
        }
        let mut own = Accumulator::default();
        beneath.accumulate(&mut own).within(doing)?;
        gathered.merge(own, self.build).within(|| format!("recursed merging from path '{root}'"))
    }

    fn generate(&self, gathered: &mut Accumulator) -> Result<()> {
        let kustomization = &self.kustomization;
        let global = kustomization.generator_options.as_ref();
        let mut generators: Vec<(Generator, Option<Origin>)> = Vec::new();
        for (what, all) in
            [(Generated::ConfigMap, &kustomization.config_maps), (Generated::Secret, &kustomization.secrets)]
        {
            let origin = self.builtin_origin(&format!("{}Generator", what.kind()));
            for args in all {
                let mut args = args.clone();
                args.options = with_global(args.options, global);
                generators.push((Generator::Data(what, Box::new(args)), origin.clone()));
            }
        }
        for chart in &kustomization.helm_charts {
            let globals = kustomization.helm_globals.clone().unwrap_or_default();
            let mut chart = chart.clone();
            if chart.namespace.is_empty() {
                let namespace = &kustomization.namespace;
                chart.namespace.clone_from(if namespace.is_empty() {
                    &self.helm_namespace
                } else {
                    namespace
                });
            }
            let chart = ChartGenerator::new(chart, globals, &self.loader, self.build.options)?;
            generators.push((
                Generator::Chart(Box::new(chart)),
                self.builtin_origin("HelmChartInflationGenerator"),
            ));
        }
        for config in self.plugin_configs(&kustomization.generators)? {
            let origin = Origin::of_plugin(&config);
            let generator = plugin::generator(&config, &self.loader, self.build.options)
                .within(|| "loading generator plugins: failed to load generator".to_owned())?;
            generators.push((generator, origin));
        }
        for (generator, origin) in &generators {
            let made = match generator {
                Generator::Data(what, args) => vec![generate(*what, args, &self.loader)?],
                Generator::Chart(chart) => chart.generate(&self.loader, self.build.charts)?,
                Generator::Made(resources) => resources.clone(),
            };
            for mut resource in made {
                if let Some(origin) = origin
                    && resource.annotation(note::ORIGIN).is_none()
                {
                    origin.set_on(&mut resource)?;
                }
                gathered
                    .resources
                    .absorb(resource, &self.build.schema)
                    .within(|| "merging from generator".to_owned())?;
            }
            self.build.count(gathered.resources.len())?;
        }
        Ok(())
    }

    fn builtin_origin(&self, kind: &str) -> Option<Origin> {
        self.origin.as_ref().map(|origin| origin.builtin(self.file, kind))
    }

    /// The configurations of plugins: inline, files or kustomizations.
    fn plugin_configs(&self, entries: &[String]) -> Result<Vec<Resource>> {
        let mut gathered = Accumulator::default();
        let mut paths = Vec::new();
        for entry in entries {
            match read::resources(entry.as_bytes()) {
                Err(_) => paths.push(entry.clone()),
                Ok(mut resources) => {
                    if let Some(origin) = &self.origin {
                        for resource in &mut resources {
                            origin.append(self.file).set_on(resource)?;
                        }
                    }
                    gathered.resources.append_all(resources, &self.build.schema)?;
                }
            }
        }
        let mut reader = Target {
            kustomization: Kustomization {
                build_metadata: self.kustomization.build_metadata.clone(),
                namespace: self.kustomization.namespace.clone(),
                ..Kustomization::default()
            },
            file: self.file,
            loader: Rc::clone(&self.loader),
            origin: self.origin.clone(),
            helm_namespace: self.helm_namespace.clone(),
            build: self.build,
        };
        reader.add_resources(&mut gathered, &paths)?;
        Ok(gathered.resources.into_list())
    }

    fn transformers(&self, config: &TransformerConfig) -> Result<Vec<Configured>> {
        let mut transformers = Vec::new();
        for (kind, transformer) in builtin::transformers(&self.kustomization, config, &self.loader)? {
            transformers.push(Configured { transformer, origin: self.builtin_origin(kind) });
        }
        transformers.extend(self.external_transformers(&self.kustomization.transformers)?);
        Ok(transformers)
    }

    fn external_transformers(&self, entries: &[String]) -> Result<Vec<Configured>> {
        let configs = self.plugin_configs(entries)?;
        configs
            .iter()
            .map(|config| {
                let transformer = plugin::transformer(config, &self.loader)?;
                Ok(Configured { transformer, origin: Origin::of_plugin(config) })
            })
            .collect()
    }

    /// Validators are transformers that must change nothing.
    fn validate(&self, gathered: &mut Accumulator) -> Result<()> {
        for Configured { transformer, .. } in self.external_transformers(&self.kustomization.validators)? {
            let before = gathered.resources.clone();
            transformer.run(&mut gathered.resources, &self.build.schema)?;
            let mut after = gathered.resources.clone();
            for resource in after.list_mut() {
                let mut labels = resource.labels();
                if labels.remove("validated-by").is_some() {
                    resource.set_labels(&labels)?;
                }
            }
            if before.list() != after.list() {
                return Err(Error::invalid("validator shouldn't modify the resource map"));
            }
        }
        Ok(())
    }
}

fn decoded(content: &[u8]) -> Result<Value> {
    object::yaml::decode(content).map_err(|error| Error::invalid(error.to_string()))
}

/// Sets an annotation as the annotations transformer does.
fn set_annotation_field(resource: &mut Resource, name: &str, text: &str) -> Result<()> {
    match resource.node.lookup_create(&["metadata", "annotations"], crate::node::Kind::Mapping)? {
        Some(annotations) => {
            if annotations.is_null() {
                annotations.overwrite(Node::mapping());
            }
            annotations.set_field(name, Node::string(text))
        }
        None => Ok(()),
    }
}

/// Resources that are for local use only are not printed.
fn drop_local(resources: &mut Resources) -> Result<()> {
    for resource in resources.list().iter().filter(|resource| !resource.is_nothing()) {
        read::check_metadata(&resource.node)?;
    }
    let is_local =
        |resource: &Resource| resource.annotation(note::LOCAL).is_some_and(|local| local != "false");
    if resources.list().iter().any(|resource| resource.is_nothing() || is_local(resource)) {
        resources.list_mut().retain(|resource| !resource.is_nothing() && !is_local(resource));
    }
    Ok(())
}
