//! What an application controller remembers: gone when it is killed.

use crate::cache::Cache;
use crate::comparing::{Compared, Loaded};
use api::codes::RefreshType;
use api::v1alpha1::{Application, ApplicationSpec, OperationState};
use jiff::Timestamp;
use reconcile::{Action, CompareWith, Ended, RefreshCause, RefreshRequest, RunningOperation};
use std::collections::VecDeque;
use sync::{Effect, Event, Plan, Progress};

/// One controller process.
#[derive(Clone, Debug, Default)]
pub struct Controller {
    /// The application as its watch has told.
    pub stored: Option<Application>,
    /// A refresh that is asked for.
    pub requested: Option<RefreshRequest>,
    /// When it last compared.
    pub refreshed_at: Option<Timestamp>,
    /// The spec it compared.
    pub refreshed_spec: Option<ApplicationSpec>,
    /// The operation it works on.
    pub operation: Option<Running>,
    /// When it looks again.
    pub timer: Option<Timestamp>,
    /// A refresh it asks for later.
    pub later: Option<(Timestamp, RefreshRequest)>,
    /// The application waits to be looked at.
    pub queued: bool,
    /// The look under way.
    pub look: Option<Look>,
    /// What it knows of the cluster.
    pub cache: Cache,
}

/// A look at the application, between two of its steps.
#[derive(Clone, Debug)]
pub struct Look {
    /// The application as the look knows it.
    pub application: Application,
    /// What is still to be done.
    pub actions: VecDeque<Action>,
    /// The refresh under way.
    pub refresh: Option<Refreshing>,
}

/// A refresh, between two of its steps.
#[derive(Clone, Debug)]
pub struct Refreshing {
    /// How thorough.
    pub level: RefreshType,
    /// Against what.
    pub compare_with: CompareWith,
    /// Why.
    pub cause: RefreshCause,
    /// What the sources said.
    pub loaded: Option<Loaded>,
    /// What was found.
    pub compared: Option<Box<Compared>>,
}

/// How an operation begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// From nothing.
    Anew,
    /// From its recorded results.
    Resume,
}

/// An operation that is worked on.
#[derive(Clone, Debug)]
pub struct Running {
    /// The application as it was when the attempt began.
    pub application: Application,
    /// What is recorded of it.
    pub state: OperationState,
    /// How it began.
    pub start: Start,
    /// What it asked the sources, before it has a plan.
    pub loaded: Option<Loaded>,
    /// Its plan and how far it is.
    pub run: Option<Box<Run>>,
    /// Events that wait for it.
    pub inbox: VecDeque<Event>,
    /// When it is to be told the time.
    pub wake: Option<Timestamp>,
    /// What it tells of itself.
    pub told: RunningOperation,
    /// Its end is being written.
    pub ended: Option<Ended>,
    /// Somebody stopped it.
    pub terminated: bool,
    /// Something of it is not written yet.
    pub dirty: bool,
    /// When something of it was last written.
    pub written: Timestamp,
}

/// A planned attempt.
#[derive(Clone, Debug)]
pub struct Run {
    /// What is to be done.
    pub plan: Plan,
    /// How far it is; always there between two steps.
    pub progress: Option<Progress>,
    /// Effects that were asked for, with their answers once they were done.
    pub flights: Vec<Flight>,
}

/// An effect that was asked for.
#[derive(Clone, Debug)]
pub struct Flight {
    /// What.
    pub effect: Effect,
    /// The answer, on its way back.
    pub answer: Option<Event>,
}

impl Controller {
    /// Asks for a refresh and a look.
    pub fn request(&mut self, compare_with: CompareWith, cause: RefreshCause) {
        let request = RefreshRequest { level: RefreshType::Normal, compare_with, cause };
        RefreshRequest::note(&mut self.requested, request);
        self.queued = true;
    }

    /// Looks again at a time; the earlier of two counts.
    pub fn wake_at(&mut self, at: Timestamp, now: Timestamp) {
        match self.timer {
            Some(known) if known <= at && known > now => {}
            _ => self.timer = Some(at),
        }
    }

    /// Tells the operation something.
    pub fn send(&mut self, event: Event) {
        if let Some(running) = &mut self.operation {
            running.inbox.push_back(event);
        }
    }

    /// Whether what is stored and what is remembered may not fit together.
    pub fn is_ending(&self) -> bool {
        self.operation.as_ref().is_some_and(|running| running.ended.is_some())
    }
}
