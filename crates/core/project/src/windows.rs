//! When syncs may run. An active deny forbids; an active allow permits; allows of which none is active
//! forbid; nothing at all permits.

use crate::cron::Schedule;
use crate::validation::valid_window;
use api::codes::OperationPhase;
use api::v1alpha1::{AppProject, Application, OperationState, SyncWindow};
use glob_pattern::matches;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
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
    /// The project's windows that name an application, or the namespace or cluster of its destination. The cluster is
    /// named as the application names it: who gives the server is not asked for the name, nor the other way round.
    pub fn of(project: &'a AppProject, application: &Application) -> Self {
        let concerns = |window: &&SyncWindow| concerns(window, application);
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
        let overruns = |started: Timestamp| self.may_overrun(now) && self.lets_in(attempt.manual, started);
        Ok(self.lets_in(attempt.manual, now) || attempt.started.is_some_and(overruns))
    }

    /// Whether a sync may begin at a time. One by hand needs the consent of every window that is in its way.
    fn lets_in(&self, manual: bool, at: Timestamp) -> bool {
        let in_the_way = self.in_the_way(at);
        in_the_way.is_empty() || (manual && in_the_way.iter().all(|window| window.manual_sync))
    }

    /// Whether every window that is in the way of a sync at a time lets one go on that was let in before.
    fn may_overrun(&self, at: Timestamp) -> bool {
        self.in_the_way(at).iter().all(|window| window.sync_overrun)
    }

    /// The windows that forbid a sync at a time: active denies, else allows of which none is active.
    fn in_the_way(&self, at: Timestamp) -> Vec<&'a SyncWindow> {
        let (active, closed): (Vec<_>, Vec<_>) =
            self.windows.iter().copied().partition(|window| is_active(window, at));
        let denies: Vec<_> = active.iter().copied().filter(|window| window.kind == "deny").collect();
        if !denies.is_empty() || active.iter().any(|window| window.kind == "allow") {
            return denies;
        }
        closed.into_iter().filter(|window| window.kind == "allow").collect()
    }

    /// When a window opens or closes next.
    fn changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.windows.iter().filter_map(|window| changes_at(window, now)).min()
    }
}

/// Whether windows let syncs of an application through now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// One that nobody asked for.
    pub automated: bool,
    /// The operation that is asked for, or recorded as under way.
    pub operation: bool,
    /// When time may change that next.
    pub changes_at: Option<Timestamp>,
}

impl Open {
    /// All of them.
    pub const ALWAYS: Self = Self { automated: true, operation: true, changes_at: None };
}

/// Asks a project's windows about an application. A window that cannot be read lets nothing through.
pub fn open(project: &AppProject, application: &Application, now: Timestamp) -> Open {
    if project.spec.sync_windows.is_empty() {
        return Open::ALWAYS;
    }
    let windows = Windows::of(project, application);
    let permit = |attempt| windows.permit(attempt, now).unwrap_or(false);
    let recorded = application.status.operation_state.as_ref();
    let operation = application.operation.as_ref().or(recorded.map(|state| &state.operation));
    let manual = operation.is_some_and(|operation| !operation.initiated_by.automated);
    // One that waits for its next try has an end time, and began all the same.
    let is_under_way = |state: &&OperationState| {
        state.phase.parse::<OperationPhase>().is_ok_and(|phase| !phase.is_completed())
    };
    let started = recorded.filter(is_under_way).and_then(|state| state.started_at.timestamp());
    Open {
        automated: permit(Attempt { manual: false, started: None }),
        operation: permit(Attempt { manual, started }),
        changes_at: windows.changes_at(now),
    }
}

fn concerns(window: &SyncWindow, application: &Application) -> bool {
    let destination = &application.spec.destination;
    let names = |patterns: &[String], text: &str| {
        patterns.iter().any(|pattern| pattern == "*" || matches(pattern, text, &[]))
    };
    let clusters = [&destination.name, &destination.server];
    let mut clusters = clusters.into_iter().filter(|cluster| !cluster.is_empty());
    let questions = [
        (&window.applications, names(&window.applications, &application.metadata.name)),
        (&window.namespaces, names(&window.namespaces, &destination.namespace)),
        (&window.clusters, clusters.any(|cluster| names(&window.clusters, cluster))),
    ];
    let mut asked = questions.iter().filter(|(patterns, _)| !patterns.is_empty()).peekable();
    if window.and_operator {
        asked.peek().is_some() && asked.all(|(_, named)| *named)
    } else {
        asked.any(|(_, named)| *named)
    }
}

/// Whether a window began less than its duration ago, by the clocks of its zone: one from ten to eight ends at eight, however long
/// that night is. One that cannot be read is not active.
pub fn is_active(window: &SyncWindow, now: Timestamp) -> bool {
    let Some(read) = Read::of(window) else { return false };
    let clock = read.clock(now);
    read.first_to_end_after(clock).is_some_and(|begin| begin < clock)
}

/// When a window opens or closes next, or clocks are put forward or back, which may open or close it as well.
fn changes_at(window: &SyncWindow, now: Timestamp) -> Option<Timestamp> {
    let read = Read::of(window)?;
    let clock = read.clock(now);
    // It is open from right after it begins.
    let begins = clock.checked_sub(MOMENT).ok().and_then(|clock| read.schedule.next_after(clock));
    let opens = begins.and_then(|begin| begin.checked_add(MOMENT).ok());
    let closes = read.first_to_end_after(clock).and_then(|begin| begin.checked_add(read.duration).ok());
    if opens.is_none() && closes.is_none() {
        return None;
    }
    let changes = [opens, closes].into_iter().flatten().flat_map(|time| read.moments(time));
    let shift = read.zone.following(now).next().map(|shift| shift.timestamp());
    changes.chain(shift).filter(|moment| *moment > now).min()
}

/// How long after its beginning a window is surely open.
const MOMENT: SignedDuration = SignedDuration::from_millis(1);

/// The times of a window, read.
struct Read {
    schedule: Schedule,
    duration: SignedDuration,
    zone: TimeZone,
}

impl Read {
    fn of(window: &SyncWindow) -> Option<Self> {
        let schedule = Schedule::parse(&window.schedule).ok()?;
        let GoDuration(nanoseconds) = window.duration.parse().ok()?;
        let duration = SignedDuration::from_nanos(nanoseconds);
        Some(Self { schedule, duration, zone: zone(&window.time_zone) })
    }

    /// What clocks show in the zone.
    fn clock(&self, now: Timestamp) -> DateTime {
        now.to_zoned(self.zone.clone()).datetime()
    }

    /// The first beginning of those that are not over when clocks show this.
    fn first_to_end_after(&self, clock: DateTime) -> Option<DateTime> {
        self.schedule.next_after(clock.checked_sub(self.duration).unwrap_or(DateTime::MIN))
    }

    /// When clocks show a time: twice when they are put back, never when it is left out.
    fn moments(&self, time: DateTime) -> impl Iterator<Item = Timestamp> {
        let zoned = self.zone.to_ambiguous_zoned(time);
        let never = matches!(zoned.offset(), AmbiguousOffset::Gap { .. });
        let both = [zoned.clone().earlier(), zoned.later()];
        both.into_iter().filter(move |_| !never).filter_map(|found| Some(found.ok()?.timestamp()))
    }
}

/// UTC, where the zone is not given or nobody knows it.
fn zone(name: &str) -> TimeZone {
    if name.is_empty() {
        return TimeZone::UTC;
    }
    TimeZoneDatabase::bundled().get(name).unwrap_or(TimeZone::UTC)
}
