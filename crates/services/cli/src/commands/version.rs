//! `argocd version`: of this program and of the server.

use api::build;
use serde::Serialize;
use wire::version::VersionMessage;

use crate::command::{Command, Running, switch};
use crate::commands::output;
use crate::failure::{Failure, Outcome};
use crate::options::KUBERNETES;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd version\n  argocd version --client\n  argocd version --short -o json",
    flags: &[&[
        switch("client", "Only the version of this program"),
        output("wide", "Output format. One of: json|yaml|wide|short"),
        switch("short", "Only the version numbers"),
    ]],
    inherited: &[KUBERNETES],
    run: Some(start),
    ..Command::new("version", "", "Print version information")
};

/// What is known of this program.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Client {
    version: String,
    build_date: String,
    git_commit: String,
    git_tag: String,
    git_tree_state: String,
    go_version: String,
    compiler: String,
    platform: String,
    kubectl_version: String,
    extra_build_info: String,
}

/// What the server says.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Server {
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    build_date: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    git_commit: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    git_tag: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    git_tree_state: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    go_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    compiler: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    platform: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    kustomize_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    helm_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    kubectl_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    jsonnet_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    extra_build_info: String,
}

#[derive(Serialize)]
struct Versions<'v> {
    client: &'v Client,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<Server>,
}

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let client = client();
    let format = session.text("output");
    let short = session.is("short") || format == "short";
    match format.as_str() {
        "json" | "yaml" => {
            let server = if session.is("client") { None } else { Some(server(session).await?.into()) };
            if short {
                return print_short(session, &client, server.as_ref(), &format);
            }
            session.print_document(&Versions { client: &client, server }, &format)
        }
        "wide" | "short" | "" => {
            session.print(&client_text(&client, short));
            if !session.is("client") {
                let server = server(session).await?.into();
                session.print(&server_text(&server, short));
            }
            Ok(())
        }
        _ => Err(Failure::fatal(format!("unknown output format: {format}"))),
    }
}

async fn server(session: &mut Session<'_>) -> Outcome<VersionMessage> {
    let server = session.server().await?;
    Ok(server.versions().version(()).await?.into_inner())
}

fn print_short(session: &mut Session<'_>, client: &Client, server: Option<&Server>, format: &str) -> Outcome {
    let mut numbers = serde_json::Map::new();
    numbers.insert(client_name().into(), client.version.clone().into());
    if let Some(server) = server {
        numbers.insert("argocd-server".into(), server.version.clone().into());
    }
    session.print_document(&numbers, format)
}

/// The name under which the versions are listed.
fn client_name() -> &'static str {
    "argocd"
}

fn client() -> Client {
    Client {
        version: build::version(),
        build_date: build::DATE.into(),
        git_commit: build::COMMIT.into(),
        git_tag: String::new(),
        git_tree_state: build::TREE_STATE.into(),
        go_version: build::LANGUAGE.into(),
        compiler: build::COMPILER.into(),
        platform: build::platform(),
        kubectl_version: String::new(),
        extra_build_info: String::new(),
    }
}

impl From<VersionMessage> for Server {
    fn from(message: VersionMessage) -> Self {
        Self {
            version: message.version,
            build_date: message.build_date,
            git_commit: message.git_commit,
            git_tag: message.git_tag,
            git_tree_state: message.git_tree_state,
            go_version: message.go_version,
            compiler: message.compiler,
            platform: message.platform,
            kustomize_version: message.kustomize_version,
            helm_version: message.helm_version,
            kubectl_version: message.kubectl_version,
            jsonnet_version: message.jsonnet_version,
            extra_build_info: message.extra_build_info,
        }
    }
}

fn client_text(client: &Client, short: bool) -> String {
    let mut text = format!("{}: {}\n", client_name(), client.version);
    if short {
        return text;
    }
    for (name, value) in [
        ("BuildDate", &client.build_date),
        ("GitCommit", &client.git_commit),
        ("GitTreeState", &client.git_tree_state),
    ] {
        text += &format!("  {name}: {value}\n");
    }
    for (name, value) in [("GitTag", &client.git_tag)] {
        if !value.is_empty() {
            text += &format!("  {name}: {value}\n");
        }
    }
    for (name, value) in
        [("GoVersion", &client.go_version), ("Compiler", &client.compiler), ("Platform", &client.platform)]
    {
        text += &format!("  {name}: {value}\n");
    }
    text
}

fn server_text(server: &Server, short: bool) -> String {
    let mut text = format!("argocd-server: {}\n", server.version);
    if short {
        return text;
    }
    for (name, value) in [
        ("BuildDate", &server.build_date),
        ("GitCommit", &server.git_commit),
        ("GitTreeState", &server.git_tree_state),
        ("GitTag", &server.git_tag),
        ("GoVersion", &server.go_version),
        ("Compiler", &server.compiler),
        ("Platform", &server.platform),
        ("ExtraBuildInfo", &server.extra_build_info),
        ("Kustomize Version", &server.kustomize_version),
        ("Helm Version", &server.helm_version),
        ("Kubectl Version", &server.kubectl_version),
        ("Jsonnet Version", &server.jsonnet_version),
    ] {
        if !value.is_empty() {
            text += &format!("  {name}: {value}\n");
        }
    }
    text
}
