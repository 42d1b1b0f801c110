//! A cluster as a kubeconfig's context and flags describe it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use api::v1alpha1::{AWSAuthConfig, Cluster, ExecProviderConfig};
use kubernetes::{Access, Connection, KubeEndpoint, Kubeconfigs};
use object::GroupVersionKind;
use serde_json::Value;

use crate::command::{Flag, array, int, list, switch, text};
use crate::commands::app::spec::labels;
use crate::failure::{Failure, Outcome};
use crate::log::Level;
use crate::output::table::Table;
use crate::session::Session;

/// The address of a cluster as seen from within.
const INTERNAL: &str = "https://kubernetes.default.svc";

/// What a registration consists of.
pub(crate) const CLUSTER: &[Flag] = &[
    array("annotation", "Set metadata annotations (e.g. --annotation key=value)"),
    text("aws-cluster-name", "AWS cluster name: the cluster is entered with a token of `aws eks`"),
    text("aws-profile", "AWS profile, with --aws-cluster-name"),
    text("aws-role-arn", "AWS role that is assumed, with --aws-cluster-name"),
    text("cluster-endpoint", "Which address is registered: 'kubeconfig', 'kube-public' or 'internal'"),
    switch("cluster-resources", "Manage cluster level resources although --namespace is given"),
    switch("disable-compression", "Do not ask the server to compress"),
    text("exec-command", "Command that prints credentials for the cluster"),
    text("exec-command-api-version", "Version of the protocol of --exec-command"),
    array("exec-command-args", "Arguments of --exec-command"),
    list("exec-command-env", "Environment of --exec-command, as name=value"),
    text("exec-command-install-hint", "What to tell where --exec-command is missing"),
    switch("in-cluster", "Argo CD runs in this cluster: register the address as seen from within"),
    text("kubeconfig", "Use this kubeconfig file"),
    array("label", "Set metadata labels (e.g. --label key=value)"),
    text("name", "Overwrite the cluster name"),
    array("namespace", "List of namespaces which are allowed to manage"),
    text("project", "Project of the cluster"),
    int("shard", "Shard of the controller that looks after the cluster; chosen when not set").or("-1"),
];

/// The kubeconfig files of a call: the flag's, else those of the variable, else the one at home.
pub(crate) fn kubeconfigs(session: &Session<'_>) -> Outcome<Kubeconfigs> {
    let flag = session.text("kubeconfig");
    let paths: Vec<PathBuf> = if !flag.is_empty() {
        vec![flag.into()]
    } else if let Some(files) = session.environment.variable("KUBECONFIG") {
        files.split(':').filter(|file| !file.is_empty()).map(PathBuf::from).collect()
    } else {
        session.environment.home().map(|home| home.join(".kube/config")).into_iter().collect()
    };
    Kubeconfigs::read(&paths).map_err(|error| Failure::generic(error.message()))
}

/// The context that is named; without one, those there are are told.
pub(crate) fn choose(session: &mut Session<'_>) -> Outcome<String> {
    if let Some(context) = session.arguments().first() {
        return Ok(context.clone());
    }
    session.log(Level::Error, "Choose a context name from:");
    let mut table = Table::new();
    table.row(&["CURRENT", "NAME", "CLUSTER", "SERVER"]);
    for context in kubeconfigs(session)?.contexts() {
        let mark = if context.current { "*" } else { " " };
        table.row(&[mark, &context.name, &context.cluster, &context.server]);
    }
    session.print(&table.finish());
    Err(Failure::Exit(1))
}

/// What a context connects to.
pub(crate) fn endpoint(session: &Session<'_>, context: &str) -> Outcome<KubeEndpoint> {
    let found = kubeconfigs(session)?.endpoint(context);
    let found = found.map_err(|error| Failure::generic(error.message()))?;
    found.ok_or_else(|| Failure::generic(format!("context {context} does not exist in kubeconfig")))
}

/// A connection with the rights of the context's user.
pub(crate) async fn connect(endpoint: &KubeEndpoint, context: &str) -> Outcome<kubernetes::Cluster> {
    let (path, context) = (Some(endpoint.path.clone()), Some(context.to_owned()));
    let connected =
        kubernetes::Cluster::connect(&Connection::new(Access::Kubeconfig { path, context })).await;
    connected.map_err(|error| Failure::generic(error.message()))
}

/// The registration; `token` is what it is entered with where the context has no client certificate.
pub(crate) async fn cluster(
    session: &Session<'_>,
    endpoint: KubeEndpoint,
    context: &str,
    token: &str,
) -> Outcome<Cluster> {
    let given = session.text("name");
    let shard = session.matches.number("shard");
    let mut config = endpoint.config.reveal().clone();
    config.disable_compression |= session.is("disable-compression");
    let tls = &config.tls_client_config;
    // A token would win over the certificate.
    if tls.cert_data.is_empty() || tls.key_data.is_empty() {
        token.clone_into(&mut config.bearer_token);
    }
    config.aws_auth_config = aws(session);
    config.exec_provider_config = exec(session)?;
    let mut cluster = Cluster {
        server: endpoint.server.clone(),
        name: if given.is_empty() { context.to_owned() } else { given },
        namespaces: session.matches.list("namespace").to_vec(),
        cluster_resources: session.is("cluster-resources"),
        project: session.text("project"),
        shard: (shard >= 0).then_some(shard),
        labels: pairs(session, "label")?,
        annotations: pairs(session, "annotation")?,
        config,
        ..Cluster::default()
    };
    match session.text("cluster-endpoint").as_str() {
        _ if session.is("in-cluster") => INTERNAL.clone_into(&mut cluster.server),
        "internal" => INTERNAL.clone_into(&mut cluster.server),
        "kube-public" => {
            let (server, authority) = public_endpoint(&connect(&endpoint, context).await?).await?;
            cluster.server = server;
            if !authority.is_empty() {
                cluster.config.tls_client_config.ca_data = authority;
            }
        }
        _ => {}
    }
    Ok(cluster)
}

/// The address that a cluster publishes of itself, and by which authority it is recognised.
async fn public_endpoint(cluster: &kubernetes::Cluster) -> Outcome<(String, Vec<u8>)> {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let failed =
        |reason: String| Failure::generic(format!("read the published address of the cluster: {reason}"));
    let kind = GroupVersionKind::new("", "v1", "ConfigMap");
    let found = cluster.find_kind(&kind, "kube-public", "cluster-info").await;
    let found = found.map_err(|error| failed(error.message()))?;
    let found = found.ok_or_else(|| failed("configmaps \"cluster-info\" not found".to_owned()))?;
    let text = found.text_at(&["data", "kubeconfig"]);
    let read = object::yaml::decode(text.as_bytes()).map_err(|error| failed(error.to_string()))?;
    let member = |name: &str| read.pointer(&format!("/clusters/0/cluster/{name}")).and_then(Value::as_str);
    let server = member("server").filter(|server| !server.is_empty());
    let server = server.ok_or_else(|| failed("it does not have any clusters".to_owned()))?;
    let authority = STANDARD.decode(member("certificate-authority-data").unwrap_or_default());
    Ok((server.to_owned(), authority.map_err(|error| failed(error.to_string()))?))
}

fn aws(session: &Session<'_>) -> Option<AWSAuthConfig> {
    let cluster_name = session.text("aws-cluster-name");
    (!cluster_name.is_empty()).then(|| AWSAuthConfig {
        cluster_name,
        role_arn: session.text("aws-role-arn"),
        profile: session.text("aws-profile"),
    })
}

fn exec(session: &Session<'_>) -> Outcome<Option<ExecProviderConfig>> {
    let command = session.text("exec-command");
    if command.is_empty() || !session.text("aws-cluster-name").is_empty() {
        return Ok(None);
    }
    let mut env = BTreeMap::new();
    for pair in session.matches.list("exec-command-env") {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Failure::fatal(format!("--exec-command-env: {pair} must be formatted as key=value"))
        })?;
        env.insert(name.to_owned(), value.to_owned());
    }
    Ok(Some(ExecProviderConfig {
        command,
        args: session.matches.list("exec-command-args").to_vec(),
        env,
        api_version: session.text("exec-command-api-version"),
        install_hint: session.text("exec-command-install-hint"),
        ..ExecProviderConfig::default()
    }))
}

/// `key=value` texts.
pub(crate) fn pairs(session: &Session<'_>, flag: &str) -> Outcome<BTreeMap<String, String>> {
    labels(session.matches.list(flag))
}
