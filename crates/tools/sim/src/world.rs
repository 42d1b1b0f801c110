//! Everything there is, and what may happen next. One thing happens at a time; which, the seed says.

use crate::api_server::ApiServer;
use crate::check::Notes;
use crate::controller::Controller;
use crate::facts::Given;
use crate::git::Git;
use crate::hub::Hub;
use crate::machines::Machines;
use crate::random::Random;
use crate::side::Side;
use jiff::{SignedDuration, Timestamp};
use object::ResourceKey;
use reconcile::{CompareWith, RefreshCause};
use std::cell::RefCell;
use sync::Event;

/// The world.
pub struct World {
    /// What time it is.
    pub now: Timestamp,
    /// Chance.
    pub random: Random,
    /// Settings that do not change.
    pub given: Given,
    /// The hub.
    pub hub: Hub,
    /// The repository.
    pub git: Git,
    /// The destination.
    pub api: ApiServer,
    /// What runs there by itself.
    pub machines: Machines,
    /// The controller process.
    pub controller: Controller,
    /// The other application that syncs, where there is one.
    pub second: Option<Box<Side>>,
    /// `controller.sync.timeout.seconds`.
    pub sync_timeout: i64,
    /// What ConfigMaps say as their value is ignored.
    pub ignores_values: bool,
    /// `timeout.reconciliation` is zero.
    pub without_resync: bool,
    /// Writes of the controller to the destination so far.
    pub controller_writes: usize,
    /// What checks remember.
    pub notes: Notes,
    /// What happened, for people who look for the cause of a failure.
    pub trace: Option<Vec<String>>,
    /// The first rule that was broken.
    pub violation: RefCell<Option<String>>,
}

/// Something that can happen now.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Next {
    HubNews,
    ClusterNews(String),
    List,
    BeginLook,
    Look,
    Operate,
    Perform(usize),
    Answer(usize),
    Machine(ResourceKey),
    Timer,
    Later,
}

impl World {
    /// Notes that a rule was broken; the first one counts.
    pub fn violated(&self, what: impl Into<String>) {
        self.violation.borrow_mut().get_or_insert_with(|| what.into());
    }

    /// Whether a rule was broken.
    pub fn is_broken(&self) -> bool {
        self.violation.borrow().is_some()
    }

    /// Writes a line of the trace, if somebody reads it.
    pub fn tell(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.trace.is_some() {
            let line = format!("{} {}", self.now, line(self));
            if let Some(trace) = &mut self.trace {
                trace.push(line);
            }
        }
    }

    fn ready(&self) -> (Vec<Next>, Option<Timestamp>) {
        let controller = &self.controller;
        let mut ready = Vec::new();
        let mut when = |is: bool, next: Next| {
            if is {
                ready.push(next);
            }
        };
        when(!self.hub.news.is_empty(), Next::HubNews);
        when(!controller.cache.listed && !self.api.down, Next::List);
        when(controller.look.is_some(), Next::Look);
        when(controller.queued && controller.look.is_none() && !controller.is_ending(), Next::BeginLook);
        when(self.can_operate() && !(controller.is_ending() && self.hub.down), Next::Operate);
        when(controller.timer.is_some_and(|at| at <= self.now), Next::Timer);
        when(controller.later.as_ref().is_some_and(|(at, _)| *at <= self.now), Next::Later);
        ready.extend(controller.cache.waiting().into_iter().map(Next::ClusterNews));
        ready.extend(self.doable().into_iter().map(Next::Perform));
        ready.extend(self.answered().into_iter().map(Next::Answer));
        let (machines, machine) = self.machines.due(&self.api, self.now);
        ready.extend(machines.into_iter().map(Next::Machine));
        let later = controller.later.as_ref().map(|(at, _)| *at);
        let timers = controller.timer.into_iter().chain(later).chain(self.operation_timer()).chain(machine);
        (ready, timers.filter(|at| *at > self.now).min())
    }

    /// Lets one thing happen, or time pass up to `until`; says whether anything did.
    pub fn turn(&mut self, until: Timestamp) -> bool {
        let (mut ready, timer) = self.ready();
        let (theirs, their_timer) = self.as_second(|world| world.ready()).unwrap_or_default();
        let own = ready.len();
        ready.extend(theirs);
        if ready.is_empty() {
            self.check_idle(timer);
            self.as_second(|world| world.check_idle(their_timer));
            let next = timer.into_iter().chain(their_timer).min();
            return match next.filter(|at| *at <= until) {
                Some(at) => {
                    self.now = at;
                    true
                }
                None => false,
            };
        }
        // Now and then a moment passes.
        if self.random.once_in(8) {
            self.now = self.now.saturating_add(SignedDuration::from_millis(200)).unwrap_or(self.now);
        }
        let index = self.random.below(ready.len());
        let (next, is_own) = (ready[index].clone(), index < own);
        let quiet =
            matches!(next, Next::Look | Next::Operate | Next::Answer(_) | Next::HubNews | Next::Perform(_));
        if !quiet {
            self.tell(|_| format!("{}{next:?}", if is_own { "" } else { "SECOND " }));
        }
        if is_own {
            self.happen(next);
        } else {
            self.tell(|_| "SECOND".to_owned());
            self.as_second(|world| world.happen(next));
        }
        self.send_changes();
        true
    }

    fn happen(&mut self, next: Next) {
        match next {
            Next::HubNews => self.hear_hub(),
            Next::ClusterNews(kind) => self.hear_cluster(&kind),
            Next::List => self.list(),
            Next::BeginLook => self.begin_look(),
            Next::Look => self.go_on_looking(),
            Next::Operate => self.go_on_operating(),
            Next::Perform(index) => self.perform(index),
            Next::Answer(index) => self.answer(index),
            Next::Machine(key) => self.machines.act(&mut self.api, &key, self.now),
            Next::Timer => {
                self.controller.timer = None;
                self.controller.queued = true;
            }
            Next::Later => {
                if let Some((_, request)) = self.controller.later.take() {
                    reconcile::RefreshRequest::note(&mut self.controller.requested, request);
                    self.controller.queued = true;
                }
            }
        }
    }

    fn hear_hub(&mut self) {
        let Some(news) = self.hub.news.pop_front() else { return };
        let version =
            |it: &api::v1alpha1::Application| it.metadata.resource_version.parse::<u64>().unwrap_or(0);
        match news {
            None => {
                let cause = Some("application deleted".to_owned());
                self.controller.send(Event::Terminate { cause });
                let operation = self.controller.operation.take();
                let cache = std::mem::take(&mut self.controller.cache);
                self.controller = Controller { cache, operation, ..Controller::default() };
            }
            Some(news) => {
                let known = self.controller.stored.as_ref().map_or(0, version);
                if version(&news) > known {
                    self.controller.stored = Some(news);
                    self.controller.queued = true;
                }
            }
        }
    }

    fn hear_cluster(&mut self, kind: &str) {
        let method = self.given.tracking.method;
        let Some(told) = self.controller.cache.deliver(kind, &self.given.instance, method) else { return };
        if !told.concerns {
            return;
        }
        match &told.now {
            Some(object) => {
                let state = self.live_state(object);
                self.controller.send(Event::Live { key: told.key, state });
            }
            None => self.controller.send(Event::Gone { key: told.key, uid: String::new() }),
        }
        self.controller.request(CompareWith::Recent, RefreshCause::LiveChanged);
    }

    /// The cluster is listed anew.
    pub fn list(&mut self) {
        self.controller.cache.list(&self.api);
        let cause = RefreshCause::Requested("the cluster was listed anew".into());
        self.controller.request(CompareWith::Recent, cause);
    }

    /// The controller is killed and started again: what it had sent may arrive all the same.
    pub fn restart(&mut self) {
        let before = std::mem::take(&mut self.controller);
        if let Some(running) = before.operation
            && let Some(run) = running.run
        {
            for flight in run.flights.iter().filter(|flight| flight.answer.is_none()) {
                // What was judged to stay as it is was not sent.
                let sent = self.random.once_in(2);
                let permitted = self.still_writes(&running.application, &run.plan, &flight.effect).is_ok();
                if sent && permitted && matches!(self.kept(&run.plan, &flight.effect), Ok(None)) {
                    self.check_effect(&run.plan, &flight.effect);
                    self.carry_out(&run.plan, &flight.effect).ok();
                }
            }
        }
        self.send_changes();
        self.notes.restarts += 1;
        self.hub.news.clear();
        self.controller = Controller { queued: true, ..Controller::default() };
        self.controller.stored.clone_from(&self.hub.application);
    }

    /// Goes on until nothing is left to do before a time.
    pub fn pass(&mut self, time: SignedDuration, most: usize) {
        let until = self.now.saturating_add(time).unwrap_or(self.now);
        let mut turns = 0;
        while !self.is_broken() && self.now < until && self.turn(until) {
            turns += 1;
            if turns > most {
                self.violated(format!("no end within {most} turns before {until}"));
            }
        }
        self.now = self.now.max(until);
    }
}
