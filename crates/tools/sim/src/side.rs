//! A second application that syncs: what it is made of beside what both share, which are the cluster and the time. Whatever
//! happens, happens to one of them; to have it happen to the other one, they change places.

use crate::check::Notes;
use crate::controller::Controller;
use crate::facts::{Given, SECOND};
use crate::git::Git;
use crate::hub::Hub;
use crate::people::application;
use crate::story::Setup;
use crate::world::World;
use object::AppInstance;

/// What an application has for itself.
pub struct Side {
    /// Settings, with its name and its project.
    pub given: Given,
    /// Where it is stored.
    pub hub: Hub,
    /// Its repository.
    pub git: Git,
    /// The controller that works on it.
    pub controller: Controller,
    /// What checks remember of it.
    pub notes: Notes,
}

impl Side {
    /// The second application of a set-up, if it has one.
    pub(crate) fn second(setup: &Setup, given: &Given) -> Option<Box<Self>> {
        let second = setup.second.as_ref()?;
        let mut given = given.clone();
        given.instance = AppInstance::new("argocd", SECOND, "argocd");
        let mut application = application(&Setup { policy: second.policy.clone(), ..setup.clone() });
        application.metadata.name = SECOND.into();
        application.metadata.uid = SECOND.into();
        let (mut hub, mut git, mut controller) = (Hub::default(), Git::default(), Controller::default());
        git.commits.push(second.things.clone());
        controller.stored = Some(hub.store(application));
        controller.queued = true;
        Some(Box::new(Self { given, hub, git, controller, notes: Notes::default() }))
    }
}

impl World {
    /// Has something happen to the second application, if there is one.
    pub(crate) fn as_second<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.second.as_ref()?;
        self.change_places();
        let done = work(self);
        self.change_places();
        Some(done)
    }

    fn change_places(&mut self) {
        let Some(second) = &mut self.second else { return };
        std::mem::swap(&mut self.given, &mut second.given);
        std::mem::swap(&mut self.hub, &mut second.hub);
        std::mem::swap(&mut self.git, &mut second.git);
        std::mem::swap(&mut self.controller, &mut second.controller);
        std::mem::swap(&mut self.notes, &mut second.notes);
    }

    /// What changed in the cluster is on its way to whoever watches.
    pub(crate) fn send_changes(&mut self) {
        let changes = std::mem::take(&mut self.api.changes);
        self.controller.cache.send(&changes);
        if let Some(second) = &mut self.second {
            second.controller.cache.send(&changes);
        }
    }
}
