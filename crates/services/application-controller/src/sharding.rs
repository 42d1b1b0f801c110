//! Which applications are this process' own, where several controllers share the clusters among them.

use crate::Controller;
use crate::registrations::Registered;
use api::v1alpha1::Application;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Algorithm, shard_of};

/// This process' share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which of the processes this is, from zero.
    pub shard: u32,
    /// How many there are; one, or none, has everything.
    pub replicas: u32,
    /// How clusters are shared out.
    pub algorithm: Algorithm,
}

impl Default for Share {
    fn default() -> Self {
        Self { shard: 0, replicas: 1, algorithm: Algorithm::Legacy }
    }
}

impl Share {
    /// From the flag, the variables and the host's name, whose last part is the ordinal of a StatefulSet. A shard
    /// outside the replicas would leave clusters without a controller.
    pub fn read(method: &str, environment: &BTreeMap<String, String>) -> (Self, Option<String>) {
        let number = |name: &str| environment.get(name).and_then(|text| text.parse::<u32>().ok());
        let replicas = number("ARGOCD_CONTROLLER_REPLICAS").unwrap_or(0).max(1);
        let algorithm = match method {
            "legacy" | "" => Algorithm::Legacy,
            "round-robin" => Algorithm::RoundRobin,
            other => {
                let share = Self { replicas, ..Self::default() };
                let problem = format!("the sharding method {other:?} is not one of ours: legacy is used");
                return (share.at(number("ARGOCD_CONTROLLER_SHARD"), environment), Some(problem));
            }
        };
        let share = Self { shard: 0, replicas, algorithm };
        (share.at(number("ARGOCD_CONTROLLER_SHARD"), environment), None)
    }

    fn at(self, given: Option<u32>, environment: &BTreeMap<String, String>) -> Self {
        let host = environment.get("HOSTNAME").map(String::as_str).unwrap_or_default();
        let ordinal = || host.rsplit_once('-').and_then(|(_, ordinal)| ordinal.parse().ok());
        let shard = given.or_else(ordinal).unwrap_or(0);
        Self { shard: if shard < self.replicas { shard } else { 0 }, ..self }
    }

    /// Whether the clusters are shared with others at all.
    pub(crate) fn is_everything(&self) -> bool {
        self.replicas <= 1
    }

    /// Whose a cluster is.
    fn of(&self, cluster: &Registered, all: &[Registered]) -> u32 {
        let ids: Vec<&str> = all.iter().map(|known| known.id.as_str()).collect();
        shard_of(&cluster.id, cluster.shard, &ids, self.replicas, self.algorithm)
    }

    /// Whether a cluster is this process' own.
    pub(crate) fn has(&self, cluster: &Registered, all: &[Registered]) -> bool {
        self.is_everything() || self.of(cluster, all) == self.shard
    }
}

impl Controller {
    /// Whether an application is this process' own: its destination is. One whose destination is not registered is
    /// the first process', which tells what is wrong with it.
    pub(crate) fn is_ours(&self, application: &Application) -> bool {
        let share = self.options().share;
        if share.is_everything() {
            return true;
        }
        let destination = &application.spec.destination;
        let clusters = self.registrations().clusters(self.store(), &self.rules());
        match find(&clusters, &destination.server, &destination.name) {
            Some(cluster) => share.has(cluster, &clusters),
            None => share.shard == 0,
        }
    }

    /// Whether the destination's Secret says that the cluster is to be left alone.
    pub(crate) fn is_cluster_skipped(&self, application: &Application) -> bool {
        let destination = &application.spec.destination;
        let clusters: Arc<[Registered]> = self.registrations().clusters(self.store(), &self.rules());
        find(&clusters, &destination.server, &destination.name).is_some_and(|cluster| cluster.is_skipped)
    }
}

fn find<'a>(clusters: &'a [Registered], server: &str, name: &str) -> Option<&'a Registered> {
    let server = server.trim_end_matches('/');
    clusters.iter().find(|known| {
        if server.is_empty() { known.cluster.name == name } else { known.cluster.server == server }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn registered(id: &str, shard: Option<i64>) -> Registered {
        Registered {
            cluster: project::Cluster::default(),
            project: String::new(),
            namespaces: Vec::new(),
            labels: BTreeMap::new(),
            shard,
            id: id.into(),
            is_skipped: false,
        }
    }

    #[test]
    fn the_share_is_read_from_the_variables_or_the_hosts_name() {
        let read = |variables: &[(&str, &str)]| Share::read("round-robin", &environment(variables)).0;
        let replicas = ("ARGOCD_CONTROLLER_REPLICAS", "3");
        assert_eq!(read(&[]), Share { algorithm: Algorithm::RoundRobin, ..Share::default() });
        assert_eq!(read(&[replicas, ("HOSTNAME", "argocd-application-controller-2")]).shard, 2);
        assert_eq!(read(&[replicas, ("HOSTNAME", "x-2"), ("ARGOCD_CONTROLLER_SHARD", "1")]).shard, 1);
        assert_eq!(read(&[replicas, ("ARGOCD_CONTROLLER_SHARD", "7")]).shard, 0);
        assert!(Share::read("unheard-of", &BTreeMap::new()).1.is_some());
    }

    #[test]
    fn every_cluster_has_exactly_one_controller() {
        let all: Vec<Registered> = ["a", "b", "c", "d", ""].map(|id| registered(id, None)).into();
        for algorithm in [Algorithm::Legacy, Algorithm::RoundRobin] {
            for cluster in &all {
                let owners =
                    (0..3).filter(|shard| Share { shard: *shard, replicas: 3, algorithm }.has(cluster, &all));
                assert_eq!(owners.count(), 1);
            }
        }
        let turns: Vec<u32> = all
            .iter()
            .map(|cluster| {
                Share { shard: 0, replicas: 3, algorithm: Algorithm::RoundRobin }.of(cluster, &all)
            })
            .collect();
        assert_eq!(turns, [1, 2, 0, 1, 0]);
    }

    #[test]
    fn a_secret_may_say_whose_a_cluster_is() {
        let share = Share { shard: 2, replicas: 3, algorithm: Algorithm::Legacy };
        assert!(share.has(&registered("a", Some(2)), &[]));
        assert_eq!(share.of(&registered("a", Some(9)), &[]), 0);
    }
}
