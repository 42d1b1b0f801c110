//! `argocd render`: what a folder of this machine renders to, without any server. Our own addition.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use api::v1alpha1::ApplicationSource;
use object::tracking::{Tracking, TrackingMethod};
use render::{
    Environment, EnvironmentOf, MissingDependency, Nowhere, Outside, References, RemoteBase, SeamError,
};
use source_tree::Tree;
use std::sync::Arc;

use crate::command::{Command, Running, array, list, switch, text};
use crate::commands::app::spec::{apply_source, literal_values};
use crate::failure::{Failure, Outcome, io_error};
use crate::folder::{Folder, repository_of};
use crate::output::documents;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nThe folder is a chart, a kustomization or a directory of manifests and Jsonnet, as a source of an \
              application would be; flags are those of 'argocd app set'. Values files and resources behind addresses are \
              fetched; repositories are not, and charts that others need must lie in charts/.\n\nExamples:\n  argocd render ./chart --values values-prod.yaml --helm-set \
              replicas=2\n  argocd render ./overlay --nameprefix staging-\n  argocd render ./manifests \
              --directory-recurse",
    flags: &[&[
        array("api-versions", "API versions of the cluster, as [group/]version[/kind]"),
        text("app-name", "Name of the application: the release's name, and $ARGOCD_APP_NAME"),
        text("dest-namespace", "Namespace of the destination"),
        text("directory-exclude", "Pattern of files to leave out"),
        text("directory-include", "Pattern of files to take"),
        switch("directory-recurse", "Take folders below the folder too"),
        array("helm-set", "A Helm value, as key=value"),
        array("helm-set-file", "A Helm value from a file, as key=path"),
        array("helm-set-string", "A Helm value that is text, as key=value"),
        text("helm-namespace", "Namespace of the release, where it is not that of the destination"),
        switch("helm-skip-crds", "Leave out the chart's CRDs"),
        switch("helm-skip-schema-validation", "Do not check values by the chart's schema"),
        switch("helm-skip-tests", "Leave out the chart's tests"),
        switch("ignore-missing-value-files", "Pass over values files that are not there"),
        array("jsonnet-ext-var-code", "A Jsonnet external variable that is code, as name=value"),
        array("jsonnet-ext-var-str", "A Jsonnet external variable, as name=value"),
        array("jsonnet-libs", "Folders of Jsonnet libraries"),
        array("jsonnet-tla-code", "A Jsonnet argument that is code, as name=value"),
        array("jsonnet-tla-str", "A Jsonnet argument, as name=value"),
        text("kube-version", "Kubernetes version of the cluster"),
        text("kustomize-build-options", "Options of 'kustomize build'"),
        array("kustomize-common-annotation", "An annotation for all resources, as name=value"),
        array("kustomize-common-label", "A label for all resources, as name=value"),
        array("kustomize-component", "A component, as seen from the folder"),
        array("kustomize-image", "An image, as name=new:tag"),
        text("kustomize-namespace", "Namespace for all resources"),
        array("kustomize-replica", "Replicas of a workload, as name=count"),
        text(
            "local-repo-root",
            "The root of the repository; files beyond it are not read. Where none is given: the \
                                 nearest folder above with a .git in it, else the folder itself",
        ),
        text("nameprefix", "Prefix of all names"),
        text("namesuffix", "Suffix of all names"),
        text("release-name", "Helm release name"),
        array("values", "A Helm values file, as seen from the chart, or its address"),
        list("values-file-schemes", "Schemes that addresses of values files may have").or("https,http"),
        text("values-literal-file", "A file or an address whose content becomes the Helm values"),
    ]],
    run: Some(start),
    ..Command::new("render", "PATH", "Render a local folder, without a server")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

/// The time and randomness of this machine, and files behind addresses. Repositories and charts are not fetched.
struct Here;

impl Outside for Here {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), String> {
        use std::io::Read;
        let read = fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(buffer));
        read.map_err(|error| error.to_string())
    }

    fn tree(&self, base: &RemoteBase) -> Result<Arc<dyn Tree>, SeamError> {
        Nowhere.tree(base)
    }

    fn file(&self, url: &str) -> Result<Vec<u8>, SeamError> {
        let address = url.to_owned();
        // We are inside of a runtime that waits for us.
        let fetched = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| SeamError::fact(error.to_string()))?;
            let fetched = runtime.block_on(download::named(&address, download::Access::default()));
            fetched.map_err(|error| SeamError { retry: error.retryable(), cause: error.to_string() })
        });
        fetched.join().unwrap_or_else(|_| Err(SeamError::fact(format!("{url}: the download broke off"))))
    }

    fn chart(&self, wanted: &MissingDependency) -> Result<Vec<u8>, SeamError> {
        Nowhere.chart(wanted)
    }
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let folder = canonical(Path::new(&session.only_argument()?))?;
    let root = match session.matches.text("local-repo-root") {
        "" => repository_of(&folder).unwrap_or(&folder).to_owned(),
        given => canonical(Path::new(given))?,
    };
    let outside = || Failure::generic(format!("{} is not in {}", folder.display(), root.display()));
    let path = folder.strip_prefix(&root).map_err(|_| outside())?;
    let path = path.to_str().ok_or_else(|| Failure::generic(format!("{}: not UTF-8", folder.display())))?;
    let mut source = ApplicationSource {
        path: if path.is_empty() { ".".to_owned() } else { path.to_owned() },
        ..ApplicationSource::default()
    };
    let values = literal_values(session).await?;
    apply_source(session, &mut source, values.as_deref())?;
    let application = session.text("app-name");
    let namespace = session.text("dest-namespace");
    let environment = Environment::new(EnvironmentOf {
        application: &application,
        namespace: &namespace,
        path: &source.path,
        ..EnvironmentOf::default()
    });
    let request = render::Request {
        source: &source,
        application: None,
        application_name: &application,
        namespace: &namespace,
        tracking: Tracking { method: TrackingMethod::Annotation, label_key: "", installation_id: "" },
        enabled: &BTreeMap::new(),
        environment: &environment,
        kube_version: session.matches.text("kube-version"),
        api_versions: session.matches.list("api-versions"),
        kustomize_options: session.matches.text("kustomize-build-options"),
        value_file_schemes: session.matches.list("values-file-schemes"),
        references: &References::new(),
        outside: &Here,
        limits: render::Limits { manifest_bytes: 0, ..render::Limits::default() },
    };
    let rendered = render::render(&Folder::new(root), &request);
    let rendered = rendered.map_err(|error| Failure::generic(error.to_string()))?;
    for object in rendered.objects {
        session.print(&format!("---\n{}", documents::yaml(&object.into_value())));
    }
    Ok(())
}

fn canonical(path: &Path) -> Outcome<PathBuf> {
    let found = fs::canonicalize(path);
    let found =
        found.map_err(|error| Failure::generic(format!("open {}: {}", path.display(), io_error(&error))))?;
    if found.is_dir() {
        Ok(found)
    } else {
        Err(Failure::generic(format!("{}: not a folder", path.display())))
    }
}
