//! When syncs may run. An active deny forbids; an active allow permits; allows of which none is active
//! forbid; nothing at all permits.

use crate::cron::Schedule;
use crate::destination::Cluster;
use crate::validation::valid_window;
use api::v1alpha1::{AppProject, Application, SyncWindow};
use glob_pattern::matches;
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use object::GoDuration;

/// The windows that concern one application, in the project's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Windows<'a> {
    windows: Vec<&'a SyncWindow>,
}

/// What a sync is, for the windows' purposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Whether a person asked for it.
    pub manual: bool,
    /// When it began, if it is already running.
    pub started: Option<Timestamp>,
}

impl<'a> Windows<'a> {
    /// The project's windows that name an application, its namespace or its cluster.
    pub fn of(project: &'a AppProject, application: &str, namespace: &str, cluster: &Cluster) -> Self {
        let concerns = |window: &&SyncWindow| concerns(window, application, namespace, cluster);
        Self { windows: project.spec.sync_windows.iter().filter(concerns).collect() }
    }

    /// All of them.
    pub fn assigned(&self) -> &[&'a SyncWindow] {
        &self.windows
    }

    /// Those that are active.
    pub fn active(&self, now: Timestamp) -> Vec<&'a SyncWindow> {
        self.windows.iter().copied().filter(|window| is_active(window, now)).collect()
    }

    /// Whether a sync may run now. The error is the window that cannot be read: then none may.
    pub fn permit(&self, attempt: Attempt, now: Timestamp) -> Result<bool, String> {
        for window in &self.windows {
            valid_window(window).map_err(|error| format!("invalid sync windows: {error}"))?;
        }
        let of_kind = |kind: &str, at: Timestamp| {
            self.active(at).into_iter().filter(|window| window.kind == kind).collect::<Vec<_>>()
        };
        let denies = of_kind("deny", now);
        if !denies.is_empty() {
            let manual = attempt.manual && denies.iter().all(|window| window.manual_sync);
            let overruns = denies.iter().all(|window| window.sync_overrun)
                && attempt.started.is_some_and(|started| of_kind("deny", started).is_empty());
            return Ok(manual || overruns);
        }
        let allows: Vec<_> = self.windows.iter().filter(|window| window.kind == "allow").collect();
        if allows.is_empty() || !of_kind("allow", now).is_empty() {
            return Ok(true);
        }
        let manual = attempt.manual && allows.iter().any(|window| window.manual_sync);
        let overruns = attempt
            .started
            .is_some_and(|started| of_kind("allow", started).iter().any(|window| window.sync_overrun));
        Ok(manual || overruns)
    }
}

/// Whether windows let syncs of an application through now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// One that nobody asked for.
    pub automated: bool,
    /// The operation that is asked for, or recorded as under way.
    pub operation: bool,
}

impl Open {
    /// All of them.
    pub const ALWAYS: Self = Self { automated: true, operation: true };
}

/// Asks a project's windows about an application. A window that cannot be read lets nothing through.
pub fn open(project: &AppProject, application: &Application, now: Timestamp) -> Open {
    if project.spec.sync_windows.is_empty() {
        return Open::ALWAYS;
    }
    let destination = &application.spec.destination;
    let cluster = Cluster { server: destination.server.clone(), name: destination.name.clone() };
    let windows = Windows::of(project, &application.metadata.name, &destination.namespace, &cluster);
    let permit = |attempt| windows.permit(attempt, now).unwrap_or(false);
    let recorded = application.status.operation_state.as_ref();
    let operation = application.operation.as_ref().or(recorded.map(|state| &state.operation));
    let manual = operation.is_some_and(|operation| !operation.initiated_by.automated);
    let started =
        recorded.filter(|state| state.finished_at.is_none()).and_then(|state| state.started_at.timestamp());
    Open {
        automated: permit(Attempt { manual: false, started: None }),
        operation: permit(Attempt { manual, started }),
    }
}

fn concerns(window: &SyncWindow, application: &str, namespace: &str, cluster: &Cluster) -> bool {
    let names = |patterns: &[String], texts: &[&str]| {
        patterns.iter().any(|pattern| {
            texts.iter().any(|text| pattern == "*" || (!text.is_empty() && matches(pattern, text, &[])))
        })
    };
    let questions = [
        (&window.applications, names(&window.applications, &[application])),
        (&window.namespaces, names(&window.namespaces, &[namespace])),
        (&window.clusters, names(&window.clusters, &[&cluster.name, &cluster.server])),
    ];
    let mut asked = questions.iter().filter(|(patterns, _)| !patterns.is_empty()).peekable();
    if window.and_operator {
        asked.peek().is_some() && asked.all(|(_, named)| *named)
    } else {
        asked.any(|(_, named)| *named)
    }
}

/// Whether a window began less than its duration ago. One that cannot be read is not active.
pub fn is_active(window: &SyncWindow, now: Timestamp) -> bool {
    let (Ok(schedule), Ok(duration)) =
        (Schedule::parse(&window.schedule), window.duration.parse::<GoDuration>())
    else {
        return false;
    };
    let Ok(earliest) = now.checked_sub(duration.to_std()) else { return false };
    schedule.next_after(earliest, &zone(&window.time_zone)).is_some_and(|begin| begin < now)
}

/// UTC, where the zone is not given or nobody knows it.
fn zone(name: &str) -> TimeZone {
    if name.is_empty() {
        return TimeZone::UTC;
    }
    TimeZoneDatabase::bundled().get(name).unwrap_or(TimeZone::UTC)
}
