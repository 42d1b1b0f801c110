//! A kustomization file as data: every field, the old ones brought to today's form.

use crate::config::{field_spec, read_gvk};
use crate::error::{Error, Result, Within as _};
use crate::field_spec::FieldSpecs;
use crate::fields::{Fields, Strictness};
use crate::id::{Gvk, Id, split_api_version};
use crate::select::Selector;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The names a kustomization file may have.
pub(crate) const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// The kind of a component.
pub(crate) const COMPONENT: &str = "Component";
const KUSTOMIZATION: &str = "Kustomization";

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Kustomization {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) metadata: Option<Map<String, Value>>,
    pub(crate) openapi: BTreeMap<String, String>,
    pub(crate) name_prefix: String,
    pub(crate) name_suffix: String,
    pub(crate) namespace: String,
    pub(crate) common_labels: BTreeMap<String, String>,
    pub(crate) labels: Vec<Label>,
    pub(crate) common_annotations: BTreeMap<String, String>,
    pub(crate) patches_strategic_merge: Vec<String>,
    pub(crate) patches_json6902: Vec<Patch>,
    pub(crate) patches: Vec<Patch>,
    pub(crate) images: Vec<Image>,
    pub(crate) replacements: Vec<ReplacementField>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) vars: Vec<Var>,
    pub(crate) sort_options: Option<SortOptions>,
    pub(crate) resources: Vec<String>,
    pub(crate) components: Vec<String>,
    pub(crate) crds: Vec<String>,
    pub(crate) config_maps: Vec<GeneratorArgs>,
    pub(crate) secrets: Vec<GeneratorArgs>,
    pub(crate) helm_globals: Option<HelmGlobals>,
    pub(crate) helm_charts: Vec<HelmChart>,
    pub(crate) generator_options: Option<GeneratorOptions>,
    pub(crate) configurations: Vec<String>,
    pub(crate) generators: Vec<String>,
    pub(crate) transformers: Vec<String>,
    pub(crate) validators: Vec<String>,
    pub(crate) build_metadata: Vec<String>,
    /// Whether a field holds a list or a map, with or without anything in it.
    pub(crate) holds_lists: bool,
    /// What the original warns about on its standard error.
    pub(crate) warnings: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Label {
    pub(crate) pairs: BTreeMap<String, String>,
    pub(crate) include_selectors: bool,
    pub(crate) include_templates: bool,
    pub(crate) field_specs: FieldSpecs,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Patch {
    pub(crate) path: String,
    pub(crate) patch: String,
    pub(crate) target: Option<Selector>,
    pub(crate) allow_name_change: bool,
    pub(crate) allow_kind_change: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) new_name: String,
    pub(crate) tag_suffix: String,
    pub(crate) new_tag: String,
    pub(crate) digest: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Replica {
    pub(crate) name: String,
    pub(crate) count: i64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Var {
    pub(crate) name: String,
    pub(crate) target: Id,
    pub(crate) field_path: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SortOptions {
    pub(crate) order: String,
    pub(crate) legacy: Option<(Vec<String>, Vec<String>)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct GeneratorOptions {
    pub(crate) labels: Option<BTreeMap<String, String>>,
    pub(crate) annotations: Option<BTreeMap<String, String>>,
    pub(crate) disable_name_suffix_hash: bool,
    pub(crate) immutable: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct GeneratorArgs {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) behavior: String,
    pub(crate) literals: Vec<String>,
    pub(crate) files: Vec<String>,
    pub(crate) envs: Vec<String>,
    pub(crate) options: Option<GeneratorOptions>,
    /// Of secrets.
    pub(crate) secret_type: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HelmGlobals {
    pub(crate) chart_home: String,
    pub(crate) config_home: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HelmChart {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) repo: String,
    pub(crate) release_name: String,
    pub(crate) namespace: String,
    pub(crate) additional_values_files: Vec<String>,
    pub(crate) values_file: String,
    pub(crate) values_inline: Option<Map<String, Value>>,
    pub(crate) values_merge: String,
    pub(crate) include_crds: bool,
    pub(crate) skip_hooks: bool,
    pub(crate) api_versions: Vec<String>,
    pub(crate) kube_version: String,
    pub(crate) name_template: String,
    pub(crate) skip_tests: bool,
    pub(crate) devel: bool,
}

/// Whether a field holds a list or a map, of those that are not moved to others: the original tells nothing from what holds
/// nothing.
fn holds_lists(value: &Value) -> bool {
    const MOVED: [&str; 3] = ["bases", "imageTags", "helmChartInflationGenerator"];
    let fields = value.as_object().into_iter().flatten();
    let mut kept = fields.filter(|(name, _)| !MOVED.contains(&name.as_str()));
    kept.any(|(_, value)| value.is_array() || value.is_object())
}

/// One entry of `replacements`: inline, or a file that holds some.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ReplacementField {
    Path(String),
    Inline(Box<Replacement>),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Replacement {
    pub(crate) source: Option<Source>,
    pub(crate) source_value: Option<String>,
    pub(crate) targets: Option<Vec<Target>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Source {
    pub(crate) id: Id,
    pub(crate) field_path: String,
    pub(crate) options: FieldOptions,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Target {
    pub(crate) select: Option<Selector>,
    pub(crate) reject: Vec<Selector>,
    pub(crate) field_paths: Vec<String>,
    pub(crate) options: FieldOptions,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FieldOptions {
    pub(crate) delimiter: String,
    pub(crate) index: i64,
    pub(crate) create: bool,
}

impl Kustomization {
    /// Reads a file and brings old fields to their new form. `place` is for messages.
    pub(crate) fn parse(text: &[u8], place: &str) -> Result<Self> {
        Self::read_unchecked(text)?.checked(place)
    }

    /// The same, before it is known whether anything is in it.
    pub(crate) fn read_unchecked(text: &[u8]) -> Result<Self> {
        let value = object::yaml::decode(text).map_err(|error| {
            let message = error.to_string();
            let message =
                message.strip_prefix("error converting YAML to JSON: ").unwrap_or(&message).to_owned();
            Error::invalid(format!("invalid Kustomization: {message}"))
        })?;
        Self::read(&value).within(|| "invalid Kustomization".to_owned())
    }

    /// What is not empty and says the right kind.
    pub(crate) fn checked(mut self, place: &str) -> Result<Self> {
        self.fix();
        if self.is_empty() {
            return Err(Error::invalid("kustomization.yaml is empty"));
        }
        self.check(place)?;
        Ok(self)
    }

    fn read(value: &Value) -> Result<Self> {
        let mut fields = Fields::new("Kustomization", value, Strictness::Strict)?;
        let mut warnings = Vec::new();
        let mut warn = |old: &str, new: &str, experimental: &str| {
            warnings.push(format!(
                "# Warning: '{old}' is deprecated. Please use '{new}' instead. {experimental}Run 'kustomize edit fix' \
                 to update your Kustomization automatically."
            ));
        };
        let bases = fields.optional_texts("bases")?;
        let common_labels = fields.optional_map("commonLabels")?;
        let image_tags = fields.optional_list("imageTags", image)?;
        let patches_json6902 = fields.optional_list("patchesJson6902", patch)?;
        let patches_strategic_merge = fields.optional_texts("patchesStrategicMerge")?;
        let vars = fields.optional_list("vars", var)?;
        if bases.is_some() {
            warn("bases", "resources", "");
        }
        if common_labels.is_some() {
            warn("commonLabels", "labels", "");
        }
        if image_tags.is_some() {
            warn("imageTags", "images", "");
        }
        if patches_json6902.is_some() {
            warn("patchesJson6902", "patches", "");
        }
        if patches_strategic_merge.is_some() {
            warn("patchesStrategicMerge", "patches", "");
        }
        if vars.is_some() {
            warn("vars", "replacements", "[EXPERIMENTAL] ");
        }
        let old_charts = fields.list("helmChartInflationGenerator", helm_chart_args)?;
        let mut kustomization = Self {
            api_version: fields.text("apiVersion")?,
            kind: fields.text("kind")?,
            metadata: metadata(&mut fields)?,
            openapi: fields.map("openapi")?,
            name_prefix: fields.text("namePrefix")?,
            name_suffix: fields.text("nameSuffix")?,
            namespace: fields.text("namespace")?,
            common_labels: common_labels.unwrap_or_default(),
            labels: fields.list("labels", label)?,
            common_annotations: fields.map("commonAnnotations")?,
            patches_strategic_merge: patches_strategic_merge.unwrap_or_default(),
            patches_json6902: patches_json6902.unwrap_or_default(),
            patches: fields.list("patches", patch)?,
            images: fields.list("images", image)?,
            replacements: fields.list("replacements", replacement_field)?,
            replicas: fields.list("replicas", replica)?,
            vars: vars.unwrap_or_default(),
            sort_options: fields.optional("sortOptions", sort_options)?,
            resources: fields.texts("resources")?,
            components: fields.texts("components")?,
            crds: fields.texts("crds")?,
            config_maps: fields.list("configMapGenerator", config_map_args)?,
            secrets: fields.list("secretGenerator", secret_args)?,
            helm_globals: fields.optional("helmGlobals", helm_globals)?,
            helm_charts: fields.list("helmCharts", helm_chart)?,
            generator_options: fields.optional("generatorOptions", generator_options)?,
            configurations: fields.texts("configurations")?,
            generators: fields.texts("generators")?,
            transformers: fields.texts("transformers")?,
            validators: fields.texts("validators")?,
            build_metadata: fields.texts("buildMetadata")?,
            holds_lists: holds_lists(value),
            warnings,
        };
        fields.finish()?;
        kustomization.resources.extend(bases.unwrap_or_default());
        kustomization.images.extend(image_tags.unwrap_or_default());
        kustomization.take_old_charts(old_charts);
        Ok(kustomization)
    }

    fn take_old_charts(&mut self, charts: Vec<(HelmChart, HelmGlobals)>) {
        let mut globals = HelmGlobals::default();
        for (chart, old) in charts {
            if !old.config_home.is_empty() {
                globals.config_home = old.config_home;
            }
            if !old.chart_home.is_empty() {
                globals.chart_home = old.chart_home;
            }
            self.helm_charts.push(chart);
        }
        if self.helm_globals.is_none() && globals != HelmGlobals::default() {
            self.helm_globals = Some(globals);
        }
    }

    fn fix(&mut self) {
        if self.kind.is_empty() {
            self.kind = KUSTOMIZATION.to_owned();
        }
        if self.api_version.is_empty() {
            self.api_version = required_version(&self.kind).to_owned();
        }
    }

    fn is_empty(&self) -> bool {
        let head = Self {
            api_version: self.api_version.clone(),
            kind: self.kind.clone(),
            warnings: self.warnings.clone(),
            ..Self::default()
        };
        *self == head
    }

    fn check(&self, place: &str) -> Result<()> {
        let mut problems = Vec::new();
        if self.kind != KUSTOMIZATION && self.kind != COMPONENT {
            problems.push(format!("kind should be {KUSTOMIZATION} or {COMPONENT}"));
        }
        let required = required_version(&self.kind);
        if self.api_version != required {
            problems.push(format!("apiVersion for {} should be {required}", self.kind));
        }
        if problems.is_empty() {
            return Ok(());
        }
        let problems = problems.join("\n");
        Err(Error::invalid(format!("Failed to read kustomization file under {place}:\n{problems}")))
    }
}

fn metadata(fields: &mut Fields<'_>) -> Result<Option<Map<String, Value>>> {
    if let Some(value) = fields.peek("metadata") {
        let mut inner = Fields::new("ObjectMeta", value, Strictness::Strict)?;
        inner.text("name")?;
        inner.text("namespace")?;
        inner.map("labels")?;
        inner.map("annotations")?;
        inner.finish()?;
    }
    fields.object("metadata")
}

fn required_version(kind: &str) -> &'static str {
    if kind == COMPONENT { "kustomize.config.k8s.io/v1alpha1" } else { "kustomize.config.k8s.io/v1beta1" }
}

fn read_id(fields: &mut Fields<'_>) -> Result<Id> {
    let gvk = read_gvk(fields)?;
    Ok(Id { gvk, name: fields.text("name")?, namespace: fields.text("namespace")?, cluster: false })
}

pub(crate) fn selector(value: &Value, strictness: Strictness) -> Result<Selector> {
    let mut fields = Fields::new("Selector", value, strictness)?;
    let selector = Selector {
        id: read_id(&mut fields)?,
        annotations: fields.text("annotationSelector")?,
        labels: fields.text("labelSelector")?,
    };
    fields.finish()?;
    Ok(selector)
}

fn label(value: &Value, strictness: Strictness) -> Result<Label> {
    let mut fields = Fields::new("Label", value, strictness)?;
    let label = Label {
        pairs: fields.map("pairs")?,
        include_selectors: fields.flag("includeSelectors")?,
        include_templates: fields.flag("includeTemplates")?,
        field_specs: fields.list("fields", field_spec)?,
    };
    fields.finish()?;
    Ok(label)
}

pub(crate) fn patch(value: &Value, strictness: Strictness) -> Result<Patch> {
    let mut fields = Fields::new("Patch", value, strictness)?;
    let mut patch = Patch {
        path: fields.text("path")?,
        patch: fields.text("patch")?,
        target: fields.optional("target", selector)?,
        ..Patch::default()
    };
    if let Some(options) = fields.take("options") {
        let mut options = Fields::new("PatchArgs", options, strictness)?;
        patch.allow_name_change = options.flag("allowNameChange")?;
        patch.allow_kind_change = options.flag("allowKindChange")?;
        options.finish()?;
    }
    fields.finish()?;
    Ok(patch)
}

pub(crate) fn image(value: &Value, strictness: Strictness) -> Result<Image> {
    let mut fields = Fields::new("Image", value, strictness)?;
    let image = Image {
        name: fields.text("name")?,
        new_name: fields.text("newName")?,
        tag_suffix: fields.text("tagSuffix")?,
        new_tag: fields.text("newTag")?,
        digest: fields.text("digest")?,
    };
    fields.finish()?;
    Ok(image)
}

pub(crate) fn replica(value: &Value, strictness: Strictness) -> Result<Replica> {
    let mut fields = Fields::new("Replica", value, strictness)?;
    let replica = Replica { name: fields.text("name")?, count: fields.integer("count")? };
    fields.finish()?;
    Ok(replica)
}

fn var(value: &Value, strictness: Strictness) -> Result<Var> {
    let mut fields = Fields::new("Var", value, strictness)?;
    let mut var = Var { name: fields.text("name")?, ..Var::default() };
    if let Some(target) = fields.take("objref") {
        let mut target = Fields::new("Target", target, strictness)?;
        let api_version = target.text("apiVersion")?;
        var.target = read_id(&mut target)?;
        target.finish()?;
        match api_version.split('/').count() {
            1 if !api_version.is_empty() => var.target.gvk.version = api_version,
            2 => {
                let (group, version) = split_api_version(&api_version);
                var.target.gvk = Gvk {
                    group: group.to_owned(),
                    version: version.to_owned(),
                    kind: std::mem::take(&mut var.target.gvk.kind),
                };
            }
            _ => {}
        }
    }
    if let Some(field) = fields.take("fieldref") {
        let mut field = Fields::new("FieldSelector", field, strictness)?;
        var.field_path = field.text("fieldPath")?;
        field.finish()?;
    }
    if var.field_path.is_empty() {
        var.field_path = "metadata.name".to_owned();
    }
    fields.finish()?;
    Ok(var)
}

pub(crate) fn sort_options(value: &Value, strictness: Strictness) -> Result<SortOptions> {
    let mut fields = Fields::new("SortOptions", value, strictness)?;
    let order = fields.text("order")?;
    let legacy = fields.optional("legacySortOptions", |value, strictness| {
        let mut fields = Fields::new("LegacySortOptions", value, strictness)?;
        let lists = (fields.texts("orderFirst")?, fields.texts("orderLast")?);
        fields.finish()?;
        Ok(lists)
    })?;
    fields.finish()?;
    Ok(SortOptions { order, legacy })
}

fn generator_options(value: &Value, strictness: Strictness) -> Result<GeneratorOptions> {
    let mut fields = Fields::new("GeneratorOptions", value, strictness)?;
    let options = GeneratorOptions {
        labels: fields.optional_map("labels")?,
        annotations: fields.optional_map("annotations")?,
        disable_name_suffix_hash: fields.flag("disableNameSuffixHash")?,
        immutable: fields.flag("immutable")?,
    };
    fields.finish()?;
    Ok(options)
}

/// The members config maps and secrets have in common.
pub(crate) fn generator_args(fields: &mut Fields<'_>) -> Result<GeneratorArgs> {
    let mut args = GeneratorArgs {
        namespace: fields.text("namespace")?,
        name: fields.text("name")?,
        behavior: fields.text("behavior")?,
        literals: fields.texts("literals")?,
        files: fields.texts("files")?,
        envs: fields.texts("envs")?,
        options: fields.optional("options", generator_options)?,
        secret_type: String::new(),
    };
    let env = fields.text("env")?;
    if !env.is_empty() {
        args.envs.push(env);
    }
    Ok(args)
}

fn config_map_args(value: &Value, strictness: Strictness) -> Result<GeneratorArgs> {
    let mut fields = Fields::new("ConfigMapArgs", value, strictness)?;
    let args = generator_args(&mut fields)?;
    fields.finish()?;
    Ok(args)
}

fn secret_args(value: &Value, strictness: Strictness) -> Result<GeneratorArgs> {
    let mut fields = Fields::new("SecretArgs", value, strictness)?;
    let mut args = generator_args(&mut fields)?;
    args.secret_type = fields.text("type")?;
    fields.finish()?;
    Ok(args)
}

fn helm_globals(value: &Value, strictness: Strictness) -> Result<HelmGlobals> {
    let mut fields = Fields::new("HelmGlobals", value, strictness)?;
    let globals =
        HelmGlobals { chart_home: fields.text("chartHome")?, config_home: fields.text("configHome")? };
    fields.finish()?;
    Ok(globals)
}

fn helm_chart(value: &Value, strictness: Strictness) -> Result<HelmChart> {
    let mut fields = Fields::new("HelmChart", value, strictness)?;
    let chart = helm_chart_fields(&mut fields)?;
    fields.finish()?;
    Ok(chart)
}

pub(crate) fn helm_chart_fields(fields: &mut Fields<'_>) -> Result<HelmChart> {
    fields.flag("debug")?;
    Ok(HelmChart {
        name: fields.text("name")?,
        version: fields.text("version")?,
        repo: fields.text("repo")?,
        release_name: fields.text("releaseName")?,
        namespace: fields.text("namespace")?,
        additional_values_files: fields.texts("additionalValuesFiles")?,
        values_file: fields.text("valuesFile")?,
        values_inline: fields.object("valuesInline")?,
        values_merge: fields.text("valuesMerge")?,
        include_crds: fields.flag("includeCRDs")?,
        skip_hooks: fields.flag("skipHooks")?,
        api_versions: fields.texts("apiVersions")?,
        kube_version: fields.text("kubeVersion")?,
        name_template: fields.text("nameTemplate")?,
        skip_tests: fields.flag("skipTests")?,
        devel: fields.flag("devel")?,
    })
}

/// The old form of a chart, with the globals it stated.
fn helm_chart_args(value: &Value, strictness: Strictness) -> Result<(HelmChart, HelmGlobals)> {
    let mut fields = Fields::new("HelmChartArgs", value, strictness)?;
    let chart = HelmChart {
        name: fields.text("chartName")?,
        version: fields.text("chartVersion")?,
        repo: fields.text("chartRepoUrl")?,
        values_file: fields.text("values")?,
        values_inline: fields.object("valuesLocal")?,
        values_merge: fields.text("valuesMerge")?,
        release_name: fields.text("releaseName")?,
        ..HelmChart::default()
    };
    let globals =
        HelmGlobals { chart_home: fields.text("chartHome")?, config_home: fields.text("helmHome")? };
    for ignored in ["chartRepoName", "helmBin", "releaseNamespace"] {
        fields.text(ignored)?;
    }
    fields.texts("extraArgs")?;
    fields.finish()?;
    Ok((chart, globals))
}

pub(crate) fn replacement_field(value: &Value, strictness: Strictness) -> Result<ReplacementField> {
    let mut fields = Fields::new("ReplacementField", value, strictness)?;
    let path = fields.text("path")?;
    let inline = replacement_fields(&mut fields)?;
    fields.finish()?;
    if path.is_empty() {
        return Ok(ReplacementField::Inline(Box::new(inline)));
    }
    if inline.source.is_some() || inline.targets.is_some_and(|targets| !targets.is_empty()) {
        return Err(Error::invalid("cannot specify both path and inline replacement"));
    }
    Ok(ReplacementField::Path(path))
}

pub(crate) fn replacement(value: &Value, strictness: Strictness) -> Result<Replacement> {
    let mut fields = Fields::new("Replacement", value, strictness)?;
    let replacement = replacement_fields(&mut fields)?;
    fields.finish()?;
    Ok(replacement)
}

fn replacement_fields(fields: &mut Fields<'_>) -> Result<Replacement> {
    Ok(Replacement {
        source: fields.optional("source", |value, strictness| {
            let mut fields = Fields::new("SourceSelector", value, strictness)?;
            let source = Source {
                id: read_id(&mut fields)?,
                field_path: fields.text("fieldPath")?,
                options: fields.optional("options", field_options)?.unwrap_or_default(),
            };
            fields.finish()?;
            Ok(source)
        })?,
        source_value: fields.optional_text("sourceValue")?,
        targets: fields.optional_list("targets", |value, strictness| {
            let mut fields = Fields::new("TargetSelector", value, strictness)?;
            let target = Target {
                select: fields.optional("select", selector)?,
                reject: fields.list("reject", selector)?,
                field_paths: fields.texts("fieldPaths")?,
                options: fields.optional("options", field_options)?.unwrap_or_default(),
            };
            fields.finish()?;
            Ok(target)
        })?,
    })
}

fn field_options(value: &Value, strictness: Strictness) -> Result<FieldOptions> {
    let mut fields = Fields::new("FieldOptions", value, strictness)?;
    let options = FieldOptions {
        delimiter: fields.text("delimiter")?,
        index: fields.integer("index")?,
        create: fields.flag("create")?,
    };
    fields.text("encoding")?;
    fields.finish()?;
    Ok(options)
}
