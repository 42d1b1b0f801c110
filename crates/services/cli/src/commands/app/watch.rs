//! Waiting for an application: events from the server, lines for the user, and the block at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use api::k8s::meta_v1::Time;
use api::v1alpha1::{Application, ApplicationWatchEvent, Operation, OperationState};
use jiff::Timestamp;
use tokio::time::Instant;
use tonic::{Code, Status, Streaming};
use wire::application::ApplicationQuery;

use super::get;
use crate::connection::Server;
use crate::failure::{Failure, Outcome};
use crate::output::documents::unknown;
use crate::output::states::{self, Key, Selector, State};
use crate::output::table::Table;
use crate::output::{application, moment};
use crate::session::Session;

/// What is waited for.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) struct Conditions {
    pub(crate) sync: bool,
    pub(crate) health: bool,
    pub(crate) operation: bool,
    pub(crate) suspended: bool,
    pub(crate) degraded: bool,
    pub(crate) delete: bool,
    pub(crate) hydrated: bool,
}

/// How to wait.
pub(crate) struct Wait<'w> {
    pub(crate) conditions: Conditions,
    pub(crate) selectors: &'w [Selector],
    /// Zero waits for ever.
    pub(crate) seconds: u64,
    /// The format of the block at the end.
    pub(crate) format: String,
}

/// The application as it was shown, and its operation as it was when the wait ended.
pub(crate) type Waited = Option<(Box<Application>, Option<OperationState>)>;

/// Events of one application, over as many streams as it takes.
pub(crate) struct Events<'e> {
    server: &'e Server,
    query: ApplicationQuery,
    stream: Option<Streaming<ApplicationWatchEvent>>,
    looks: bool,
}

impl<'e> Events<'e> {
    /// Events from `version` on.
    pub(crate) fn new(server: &'e Server, name: &str, namespace: &str, version: &str) -> Self {
        let query = ApplicationQuery {
            name: Some(name.to_owned()),
            app_namespace: Some(namespace.to_owned()),
            resource_version: Some(version.to_owned()),
            ..ApplicationQuery::default()
        };
        Self { server, query, stream: None, looks: false }
    }

    /// The same, and the application is looked at whenever a stream is opened: what was deleted before is told by no event.
    pub(crate) fn looking(mut self, looks: bool) -> Self {
        self.looks = looks;
        self
    }

    /// Opens the stream, so that nothing after this is missed.
    pub(crate) async fn open(&mut self) -> Result<(), Status> {
        self.stream = Some(self.server.applications().watch(self.query.clone()).await?.into_inner());
        Ok(())
    }

    /// Whether the application may still be seen.
    async fn look(&self) -> Result<(), Status> {
        let query = ApplicationQuery {
            name: self.query.name.clone(),
            app_namespace: self.query.app_namespace.clone(),
            ..ApplicationQuery::default()
        };
        self.server.applications().get(query).await.map(drop)
    }

    /// The next event. A broken stream is opened again; that the application may not be seen ends the wait.
    pub(crate) async fn next(&mut self) -> Result<Box<ApplicationWatchEvent>, Status> {
        loop {
            let result = match &mut self.stream {
                Some(stream) => Box::pin(stream.message()).await,
                None => {
                    let opened = Box::pin(self.open()).await;
                    let seen = match opened {
                        Ok(()) if self.looks => Box::pin(self.look()).await,
                        opened => opened,
                    };
                    match seen {
                        Ok(()) => continue,
                        Err(status) => Err(status),
                    }
                }
            };
            match result {
                Ok(Some(event)) => {
                    self.query.resource_version = Some(event.application.metadata.resource_version.clone());
                    return Ok(Box::new(event));
                }
                Err(status) if final_answer(&status) => return Err(status),
                Ok(None) | Err(_) => {
                    self.stream = None;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

fn final_answer(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::PermissionDenied
            | Code::NotFound
            | Code::Unauthenticated
            | Code::Unimplemented
            | Code::InvalidArgument
    )
}

/// Waits for an application given as the user names it, and shows it. None when it was deleted.
pub(crate) async fn wait(
    session: &mut Session<'_>,
    server: &Server,
    argument: &str,
    wait: &Wait<'_>,
) -> Outcome<Waited> {
    if !["json", "yaml", "wide", "", "tree", "tree=detailed"].contains(&wait.format.as_str()) {
        return Err(unknown(&wait.format));
    }
    let (name, namespace) = session.application(argument);
    let before = super::application(server, &name, &namespace, None).await?;
    let events = Events::new(server, &name, &namespace, &before.metadata.resource_version);
    let mut events = events.looking(wait.conditions.delete);
    let mut progress = Progress::new(!is_document(&wait.format));
    let deadline = (wait.seconds > 0).then(|| Instant::now() + Duration::from_secs(wait.seconds));
    let mut refresh = false;
    loop {
        let event = match deadline {
            None => Box::pin(events.next()).await,
            Some(deadline) => match tokio::time::timeout_at(deadline, Box::pin(events.next())).await {
                Ok(event) => event,
                Err(_) => return Box::pin(timed_out(session, server, argument, wait, refresh)).await,
            },
        };
        let event = match event {
            Ok(event) => event,
            Err(status) if wait.conditions.delete && !matches!(status.code(), Code::Unauthenticated) => {
                session.line(&format!("Application '{}' deleted", application::qualified_name(&before)));
                return Ok(None);
            }
            Err(status) => return Err(status.into()),
        };
        let ended = event.r#type == "DELETED";
        let current = Box::new(event.application);
        if wait.conditions.delete && ended {
            session.line(&format!("Application '{}' deleted", application::qualified_name(&current)));
            return Ok(None);
        }
        refresh |= current.operation.as_ref().is_some_and(|operation| !dry_run(operation));
        let state = current.status.operation_state.clone();
        if reached(&current, wait) {
            let shown = Box::pin(show(session, server, argument, current, wait, refresh)).await?;
            return Ok(Some((shown, state)));
        }
        if let Some(message) = progress.show(session, &current, argument, wait) {
            Box::pin(show(session, server, argument, current, wait, refresh)).await?;
            return Err(Failure::generic(message));
        }
    }
}

fn is_document(format: &str) -> bool {
    matches!(format, "json" | "yaml")
}

fn dry_run(operation: &Operation) -> bool {
    operation.sync.as_ref().is_some_and(|sync| sync.dry_run)
}

/// Whether an operation is asked for, runs, or is not yet seen by a comparison.
fn in_progress(application: &Application) -> bool {
    if application.operation.is_some() {
        return true;
    }
    let Some(state) = &application.status.operation_state else { return false };
    let Some(finished) = state.finished_at.as_ref().and_then(Time::timestamp) else { return true };
    let compared = application.status.reconciled_at.as_ref().and_then(Time::timestamp);
    !dry_run(&state.operation) && compared.is_none_or(|compared| compared < finished)
}

fn reached(application: &Application, wait: &Wait<'_>) -> bool {
    let conditions = &wait.conditions;
    if conditions.delete {
        return false;
    }
    let pending = application.operation.is_some();
    let status = &application.status;
    let ready = if wait.selectors.is_empty() {
        holds(conditions, &status.health.status, &status.sync.status, pending)
    } else {
        let states = states::of(application, wait.selectors);
        states.iter().all(|state| holds(conditions, &state.health, &state.status, pending))
    };
    let hydrated = || {
        let operation = status.source_hydrator.current_operation.as_ref();
        operation.is_some_and(|operation| operation.phase == "Hydrated")
    };
    ready && (!conditions.operation || !in_progress(application)) && (!conditions.hydrated || hydrated())
}

fn holds(conditions: &Conditions, health: &str, sync: &str, pending: bool) -> bool {
    let wanted: Vec<&str> = [
        (conditions.health, "Healthy"),
        (conditions.suspended, "Suspended"),
        (conditions.degraded, "Degraded"),
    ]
    .into_iter()
    .filter_map(|(wanted, health)| wanted.then_some(health))
    .collect();
    (wanted.is_empty() || wanted.contains(&health))
        && (!conditions.sync || sync == "Synced")
        && (!conditions.operation || !pending)
}

async fn timed_out(
    session: &mut Session<'_>,
    server: &Server,
    argument: &str,
    wait: &Wait<'_>,
    refresh: bool,
) -> Outcome<Waited> {
    let (name, namespace) = session.application(argument);
    let application = super::application(server, &name, &namespace, None).await?;
    if !is_document(&wait.format) {
        session.print(
            "\nThis is the state of the app after wait timed out:\n\n\
             The command timed out waiting for the conditions to be met.\n",
        );
    }
    Box::pin(show(session, server, argument, application, wait, refresh)).await?;
    let seconds = wait.seconds;
    Err(Failure::generic(format!("timed out ({seconds}s) waiting for app {argument:?} match desired state")))
}

/// Shows the application; after an operation it is compared again first.
async fn show(
    session: &mut Session<'_>,
    server: &Server,
    argument: &str,
    seen: Box<Application>,
    wait: &Wait<'_>,
    refresh: bool,
) -> Outcome<Box<Application>> {
    let (name, namespace) = session.application(argument);
    let application =
        if refresh { super::application(server, &name, &namespace, Some("normal")).await? } else { seen };
    if is_document(&wait.format) {
        session.print_document(application.as_ref(), &wait.format)?;
        return Ok(application);
    }
    let url = super::address(server, argument).await?;
    session.print(&format!("\n{}\n", application::summary(&application, &url, None)));
    if let Some(state) = application.status.operation_state.as_ref().filter(|_| wait.conditions.operation) {
        session.print(&application::operation(state, Timestamp::now()));
    }
    get::resources(session, server, &application, &wait.format).await?;
    Ok(application)
}

/// The lines shown while waiting: each resource once, and again when it changed.
struct Progress {
    wanted: bool,
    known: BTreeMap<Key, State>,
    table: Table,
}

impl Progress {
    fn new(wanted: bool) -> Self {
        let mut table = Table::with_minimum(5);
        let header = State {
            group: "GROUP".into(),
            kind: "KIND".into(),
            namespace: "NAMESPACE".into(),
            name: "NAME".into(),
            status: "STATUS".into(),
            health: "HEALTH".into(),
            hook: "HOOK".into(),
            message: "MESSAGE".into(),
        };
        row(&mut table, "TIMESTAMP", &header);
        Self { wanted, known: BTreeMap::new(), table }
    }

    /// Prints what changed. A message means that a wait for health has become hopeless.
    fn show(
        &mut self,
        session: &mut Session<'_>,
        application: &Application,
        argument: &str,
        wait: &Wait<'_>,
    ) -> Option<String> {
        let mut newest: Vec<State> = Vec::new();
        for state in states::of(application, wait.selectors) {
            match newest.iter_mut().find(|known| known.key() == state.key()) {
                Some(known) => {
                    known.merge(&state);
                }
                None => newest.push(state),
            }
        }
        for state in newest {
            let now = moment::local(Timestamp::now()).replace('Z', "+00:00");
            let Some(known) = self.known.get_mut(&state.key()) else {
                row(&mut self.table, &now, &state);
                self.known.insert(state.key(), state);
                continue;
            };
            let broke =
                !matches!(known.health.as_str(), "Unknown" | "Degraded") && state.health == "Degraded";
            if wait.conditions.health && broke {
                return Some(format!(
                    "application '{argument}' health state has transitioned from {} to {}",
                    known.health, state.health
                ));
            }
            if known.merge(&state) {
                let known = known.clone();
                row(&mut self.table, &now, &known);
            }
        }
        let text = std::mem::replace(&mut self.table, Table::with_minimum(5)).finish();
        if self.wanted {
            session.print(&text);
        }
        None
    }
}

fn row(table: &mut Table, time: &str, state: &State) {
    let State { group, kind, namespace, name, status, health, hook, message } = state;
    table.row(&[
        time,
        &format!("{group:>5}"),
        &format!("{kind:>10}"),
        &format!("{namespace:>10}"),
        &format!("{name:>20}"),
        &format!("{status:>8}"),
        &format!("{health:>7}"),
        &format!("{hook:>10}"),
        message,
    ]);
}
