//! Logs of an application's pods, merged by time.

use crate::authorization::{Access, Wanted};
use crate::failure;
use crate::found;
use crate::hub::Hub;
use crate::streams::guarded;
use api::k8s::meta_v1::Time;
use api::v1alpha1::{ApplicationTree, ResourceNode};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream as Lines};
use jiff::Timestamp;
use kubernetes::{Cluster, LogOptions};
use std::collections::BTreeSet;
use std::sync::Arc;
use tonic::Status;
use tonic::codegen::BoxStream;
use wire::application::{ApplicationPodLogsQuery, LogEntry};

/// A line of a pod's log.
struct Line {
    at: String,
    text: String,
    pod: String,
}

/// Streams the logs of a pod, or of all pods below a resource.
pub(crate) async fn logs(
    hub: &Arc<Hub>,
    access: &Access,
    query: ApplicationPodLogsQuery,
) -> Result<BoxStream<LogEntry>, Status> {
    let until = until(query.until_time())?;
    let there = Wanted::new(&query.project, &query.app_namespace, &query.name);
    let application = access.application(there, "get").await?;
    access.require("logs", "get", &access.object_of(&application))?;
    let scope = hub.project_of(&application)?;
    let tree = found::tree(hub, &application).await?;
    let pods = selected(&tree, &query);
    let most = usize::try_from(access.snapshot().server.max_pod_logs).unwrap_or(usize::MAX);
    if pods.len() > most {
        return Err(Status::invalid_argument(
            "max pods to view logs are reached. Please provide more granular query",
        ));
    }
    // Of no pod there is nothing to say, not even that it is over.
    if pods.is_empty() {
        return Ok(Box::pin(stream::empty()));
    }
    let cluster = hub.acting(&application, &scope).await?;
    let options = options(&query);
    let mut readers = Vec::new();
    for (namespace, pod) in pods {
        readers.push(reader(&cluster, &namespace, &pod, &options).await);
    }
    let filter = Filter::new(query.filter(), query.match_case());
    let lines = if options.follow { stream::select_all(readers).boxed() } else { merged(readers) };
    // Whoever loses the right to read logs, or to see the application, reads no further.
    let permits = move |access: &Access| {
        let there = Wanted::new(&query.project, &query.app_namespace, &query.name);
        let application = access.known_application(there, "get")?;
        access.require("logs", "get", &access.object_of(&application))
    };
    Ok(guarded(hub.clone(), access.caller().clone(), told(lines, filter, until), permits))
}

/// The time that a query reads up to.
fn until(text: &str) -> Result<Option<Timestamp>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = text.parse::<Timestamp>();
    parsed.map(Some).map_err(|error| Status::unknown(format!("invalid untilTime parameter value: {error}")))
}

/// Lines as clients are told them. The first one after the time asked for is the last.
fn told(mut lines: Lines<'static, Line>, filter: Filter, until: Option<Timestamp>) -> BoxStream<LogEntry> {
    Box::pin(async_stream::stream! {
        while let Some(line) = lines.next().await {
            if !filter.takes(&line.text) {
                continue;
            }
            let last = is_after(&line.at, until);
            yield Ok(LogEntry { last, ..entry(line) });
            if last {
                return;
            }
        }
        yield Ok(end());
    })
}

/// Lines of all pods by their times; each pod's are in order already, so only the first of each is held.
fn merged(readers: Vec<Lines<'static, Line>>) -> Lines<'static, Line> {
    Box::pin(async_stream::stream! {
        let mut heads = Vec::new();
        for mut reader in readers {
            if let Some(line) = reader.next().await {
                heads.push((line, reader));
            }
        }
        while let Some(index) = (0..heads.len()).min_by(|left, right| heads[*left].0.at.cmp(&heads[*right].0.at)) {
            let next = heads[index].1.next().await;
            let line = match next {
                Some(next) => std::mem::replace(&mut heads[index].0, next),
                None => heads.remove(index).0,
            };
            yield line;
        }
    })
}

fn is_after(at: &str, until: Option<Timestamp>) -> bool {
    until.is_some_and(|until| at.parse::<Timestamp>().is_ok_and(|at| at > until))
}

/// Which lines are shown.
struct Filter {
    text: String,
    inverted: bool,
    exact: bool,
}

impl Filter {
    fn new(text: &str, exact: bool) -> Self {
        let (inverted, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let text = if exact { text.to_owned() } else { text.to_lowercase() };
        Self { text, inverted, exact }
    }

    fn takes(&self, line: &str) -> bool {
        if self.text.is_empty() {
            return true;
        }
        let found =
            if self.exact { line.contains(&self.text) } else { line.to_lowercase().contains(&self.text) };
        found != self.inverted
    }
}

fn options(query: &ApplicationPodLogsQuery) -> LogOptions {
    LogOptions {
        container: query.container().to_owned(),
        follow: query.follow(),
        previous: query.previous(),
        tail_lines: query.tail_lines.filter(|lines| *lines > 0),
        since_seconds: query.since_seconds.filter(|seconds| *seconds > 0),
        since_time: query.since_time.map(|time| time.to_string()).unwrap_or_default(),
        timestamps: true,
        limit_bytes: None,
    }
}

/// A pod's lines; why they cannot be read is a line of its own.
async fn reader(cluster: &Cluster, namespace: &str, pod: &str, options: &LogOptions) -> Lines<'static, Line> {
    let name = pod.to_owned();
    match cluster.logs(namespace, pod, options).await {
        Ok(lines) => lines
            .filter_map(move |line| {
                let line = match line {
                    Ok(line) => split(&line, &name),
                    Err(error) => Some(problem(failure::kubernetes(&error).message())),
                };
                std::future::ready(line)
            })
            .boxed(),
        Err(error) => {
            let line = problem(failure::kubernetes(&error).message());
            stream::once(std::future::ready(line)).boxed()
        }
    }
}

fn problem(text: &str) -> Line {
    Line { at: now(), text: text.to_owned(), pod: String::new() }
}

fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The time in front of a line, and the line.
fn split(line: &str, pod: &str) -> Option<Line> {
    let (at, text) = line.split_once(' ').unwrap_or((line, ""));
    at.parse::<Timestamp>().ok()?;
    Some(Line { at: at.to_owned(), text: text.to_owned(), pod: pod.to_owned() })
}

fn entry(line: Line) -> LogEntry {
    let time = if line.pod.is_empty() { None } else { Time::parse(&line.at) };
    LogEntry {
        content: line.text,
        time_stamp: time.unwrap_or_default(),
        last: false,
        time_stamp_str: line.at,
        pod_name: line.pod,
    }
}

fn end() -> LogEntry {
    let at = Timestamp::now();
    LogEntry { last: true, time_stamp: at.into(), time_stamp_str: now(), ..LogEntry::default() }
}

/// Namespace and name of the pods a query is about: the one it names, or those below a resource. Orphaned ones are not
/// the application's, and what has no id is in no cluster.
fn selected(tree: &ApplicationTree, query: &ApplicationPodLogsQuery) -> BTreeSet<(String, String)> {
    let fits = |asked: &str, has: &str| asked.is_empty() || asked == has;
    let nodes: Vec<&ResourceNode> =
        tree.nodes.iter().filter(|node| !node.resource_ref.uid.is_empty()).collect();
    let is_asked_for = |node: &ResourceNode| {
        let of = &node.resource_ref;
        if !query.pod_name().is_empty() {
            return of.kind == "Pod" && of.name == query.pod_name() && fits(query.namespace(), &of.namespace);
        }
        fits(query.kind(), &of.kind)
            && fits(query.namespace(), &of.namespace)
            && fits(query.resource_name(), &of.name)
            && fits(query.group(), &of.group)
    };
    let mut reached: BTreeSet<&str> =
        nodes.iter().filter(|node| is_asked_for(node)).map(|node| node.resource_ref.uid.as_str()).collect();
    loop {
        let before = reached.len();
        let below = nodes
            .iter()
            .filter(|node| node.parent_refs.iter().any(|parent| reached.contains(parent.uid.as_str())));
        let below: Vec<&str> = below.map(|node| node.resource_ref.uid.as_str()).collect();
        reached.extend(below);
        if reached.len() == before {
            break;
        }
    }
    nodes
        .iter()
        .map(|node| &node.resource_ref)
        .filter(|of| of.kind == "Pod" && of.group.is_empty() && reached.contains(of.uid.as_str()))
        .map(|of| (of.namespace.clone(), of.name.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::v1alpha1::ResourceRef;

    fn node(kind: &str, name: &str, parent: Option<&str>) -> ResourceNode {
        let reference = |kind: &str, name: &str| ResourceRef {
            group: if kind == "Pod" { String::new() } else { "apps".into() },
            kind: kind.into(),
            name: name.into(),
            namespace: "n".into(),
            uid: name.into(),
            ..ResourceRef::default()
        };
        ResourceNode {
            resource_ref: reference(kind, name),
            parent_refs: parent.map(|name| reference("", name)).into_iter().collect(),
            ..ResourceNode::default()
        }
    }

    #[test]
    fn pods_below_a_resource_are_selected_and_no_others() {
        let mut without_id = node("Pod", "p4", Some("rs"));
        without_id.resource_ref.uid.clear();
        let tree = ApplicationTree {
            nodes: vec![
                node("Pod", "p1", Some("rs")),
                node("ReplicaSet", "rs", Some("d")),
                node("Deployment", "d", None),
                node("Pod", "p2", None),
                without_id,
            ],
            orphaned_nodes: vec![node("Pod", "p3", None)],
            ..ApplicationTree::default()
        };
        let names = |query: ApplicationPodLogsQuery| {
            selected(&tree, &query).into_iter().map(|(_, name)| name).collect::<Vec<_>>()
        };
        // Who asks by kind need not know its group.
        let asked: [(Option<&str>, &[&str]); 3] =
            [(None, &["p1"]), (Some("apps"), &["p1"]), (Some("batch"), &[])];
        for (group, pods) in asked {
            let below = ApplicationPodLogsQuery {
                group: group.map(str::to_owned),
                kind: Some("Deployment".into()),
                resource_name: Some("d".into()),
                ..Default::default()
            };
            assert_eq!(names(below), pods);
        }
        assert_eq!(names(ApplicationPodLogsQuery::default()), ["p1", "p2"]);
        let other = ApplicationPodLogsQuery { pod_name: Some("elsewhere".into()), ..Default::default() };
        assert_eq!(names(other), Vec::<String>::new());
    }

    #[tokio::test]
    async fn the_first_line_after_the_time_asked_for_is_the_last() {
        let line = |second: u8, text: &str| Line {
            at: format!("2026-01-01T00:00:0{second}Z"),
            text: text.into(),
            pod: "p".into(),
        };
        let lines = stream::iter([line(1, "a"), line(2, "b"), line(3, "c"), line(4, "d")]);
        // It never ends by itself, as one that is followed.
        let lines = lines.chain(stream::pending()).boxed();
        let until = until("2026-01-01T00:00:02Z").unwrap();
        let told: Vec<(String, bool)> = told(lines, Filter::new("", false), until)
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.content, entry.last))
            .collect()
            .await;
        assert_eq!(told, [("a".into(), false), ("b".into(), false), ("c".into(), true)]);
        let wrong = super::until("yesterday").unwrap_err();
        assert!(wrong.message().starts_with("invalid untilTime parameter value: "), "{wrong:?}");
    }

    #[test]
    fn a_filter_may_be_inverted_and_exact() {
        assert!(Filter::new("LINE", false).takes("a line"));
        assert!(!Filter::new("LINE", true).takes("a line"));
        assert!(!Filter::new("!line", false).takes("a line"));
        assert!(Filter::new("", false).takes("anything"));
    }
}
