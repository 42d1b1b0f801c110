//! Charts that other charts need: whose repository they lie in, with whose credentials, and the charts themselves.

use crate::repository::{Trust, chart_repository, registry_repository};
use crate::sources::{NoChart, Sources};
use crate::status;
use api::v1alpha1::{AppProject, RepoCreds, Repository};
use object::Secret;
use render::{MissingDependency, RenderError, SeamError};
use std::collections::{BTreeMap, BTreeSet};
use tonic::Status;
use wire::repository::ManifestRequest;

/// Repositories and credentials that an application's project may use for charts.
#[derive(Clone, Default)]
pub(crate) struct ChartAccess {
    pub(crate) repositories: Vec<Repository>,
    pub(crate) credentials: Vec<RepoCreds>,
    /// Whether a chart repository's credentials go to whatever host its charts lie on.
    pub(crate) pass_credentials: bool,
    /// The way out that the source's repository has: it is that of repositories nobody registered, too.
    pub(crate) proxy: Secret<String>,
    /// Hosts that are reached without it.
    pub(crate) no_proxy: String,
}

impl ChartAccess {
    /// A chart that another needs, packed.
    pub(crate) async fn chart(
        &self,
        sources: &Sources,
        trust: Trust<'_>,
        wanted: &MissingDependency,
    ) -> Result<Vec<u8>, SeamError> {
        let MissingDependency { name, repository, version } = wanted;
        let about = format!("chart {name} {version} of {repository}");
        let failed =
            |error: NoChart| SeamError { retry: error.withheld(), cause: format!("{about}: {error}") };
        let fact = |reason: String| SeamError::fact(format!("{about}: {reason}"));
        let place = self.place(repository).map_err(fact)?;
        let packed = if place.repo.starts_with("http://") || place.repo.starts_with("https://") {
            let there = chart_repository(place, trust);
            sources.packed_chart(&there, name, version, self.pass_credentials, false).await
        } else {
            let reference = oci::Reference::registry(&place.repo).and_then(|found| found.child(name));
            let reference = reference.map_err(|error| fact(error.to_string()))?;
            let there = registry_repository(place, reference, trust);
            let version = if version.is_empty() { "*" } else { version };
            sources.registry_chart(&there, version, false).await
        };
        packed.map(Vec::from).map_err(failed)
    }

    /// The repository a dependency names: by address, or as `@name` and `alias:name` by name.
    fn place(&self, named: &str) -> Result<Repository, String> {
        if let Some(name) = name(named) {
            let found =
                self.repositories.iter().find(|repository| !name.is_empty() && repository.name == name);
            let found = found.ok_or_else(|| format!("no repository of the name {name:?} is registered"))?;
            // Its address finds its credentials, also those of a template.
            let bare = found.enable_oci && !found.repo.contains("://");
            let address = if bare { format!("oci://{}", found.repo) } else { found.repo.clone() };
            return self.at(&address);
        }
        self.at(named)
    }

    /// The repository at an address, with what opens it.
    fn at(&self, named: &str) -> Result<Repository, String> {
        let oci = named.starts_with("oci://");
        if !oci && !named.starts_with("http://") && !named.starts_with("https://") {
            return Err(
                "a repository is an address (https:// or oci://), or the name of one after an @".into()
            );
        }
        let bare = normal(named);
        let same = self.repositories.iter().find(|repository| normal(&repository.repo) == bare);
        let unknown = || Repository {
            proxy: self.proxy.reveal().clone(),
            no_proxy: self.no_proxy.clone(),
            ..Repository::default()
        };
        let mut place = same.cloned().unwrap_or_else(unknown);
        named.clone_into(&mut place.repo);
        place.enable_oci |= oci;
        if has_credentials(&place) {
            return Ok(place);
        }
        let credentials = self.credentials.iter().filter(|found| covers(normal(&found.url), bare));
        if let Some(found) = credentials.max_by_key(|found| normal(&found.url).len()) {
            inherit(&mut place, found);
            return Ok(place);
        }
        if same.is_some() {
            return Ok(place);
        }
        // A registry's credentials are for its repositories, wherever below it they were registered.
        let related = |repository: &&Repository| {
            let own = normal(&repository.repo);
            let registry = repository.enable_oci || repository.repo.starts_with("oci://");
            (oci && registry && covers(bare, own)) || covers(own, bare)
        };
        let related = self.repositories.iter().filter(related);
        if let Some(found) = related.max_by_key(|repository| normal(&repository.repo).len()) {
            place = Repository { repo: named.to_owned(), ..found.clone() };
        }
        Ok(place)
    }
}

/// What a project says of the repositories that the charts of a source need others of.
pub(crate) struct Permitted {
    /// With its name and its repositories, and nothing else of it.
    project: AppProject,
    /// Addresses of registered repositories by their names.
    registered: BTreeMap<String, String>,
    /// Registries that are registered as `oci://` and come with the request, which has what the project permits only.
    registries: BTreeSet<String>,
}

impl Permitted {
    pub(crate) fn of(request: &ManifestRequest) -> Self {
        let mut project = AppProject::default();
        project.metadata.name.clone_from(&request.project_name);
        project.spec.source_repos.clone_from(&request.project_source_repos);
        let registered = request.repos.iter().filter(|repository| !repository.name.is_empty());
        let registered = registered.map(|repository| (repository.name.clone(), repository.repo.clone()));
        let registries = request.repos.iter().filter_map(|repository| repository.repo.strip_prefix("oci://"));
        let registries = registries.map(str::to_owned).collect();
        Self { project, registered: registered.collect(), registries }
    }

    /// What is answered about a source that does not render. Where a chart that it needs was withheld, the repositories
    /// that the project does not permit are named: no credentials are for these. As in the original, one that gives its
    /// charts to everybody needs no permission.
    pub(crate) fn status(&self, error: &RenderError) -> Status {
        let RenderError::Dependency { repositories, error: SeamError { retry: true, .. }, .. } = error else {
            return status::render(error);
        };
        let refused = self.refused(repositories);
        if refused.is_empty() {
            return status::render(error);
        }
        let (refused, name) = (refused.join(", "), &self.project.metadata.name);
        Status::permission_denied(format!("helm repos {refused} are not permitted in project '{name}'"))
    }

    /// Addresses of those repositories that the project does not permit, in their order.
    fn refused<'a>(&'a self, repositories: &'a [String]) -> Vec<&'a str> {
        if self.project.spec.source_repos.is_empty() {
            // Who asks did not say what the project permits: a client that renders a folder of its own.
            return Vec::new();
        }
        let addresses = repositories.iter().filter_map(|named| self.address(named));
        let permitted = |address: &str| {
            self.registries.contains(address) || project::permits_source(&self.project, address)
        };
        addresses.filter(|address| !permitted(address)).collect()
    }

    /// The address of a repository as the original holds it against the project: that of a registry without `oci://`.
    /// Those of other schemes than `https` and `oci` it passes over.
    fn address<'a>(&'a self, named: &'a str) -> Option<&'a str> {
        match name(named) {
            Some(name) => self.registered.get(name).map(String::as_str),
            None => named.strip_prefix("oci://").or_else(|| named.starts_with("https://").then_some(named)),
        }
    }
}

/// The name of a repository that is named and not addressed.
fn name(named: &str) -> Option<&str> {
    named.strip_prefix('@').or_else(|| named.strip_prefix("alias:"))
}

/// An address without `oci://` and closing slashes, so that both spellings of a registry are one.
fn normal(address: &str) -> &str {
    address.strip_prefix("oci://").unwrap_or(address).trim_end_matches('/')
}

/// Whether an address is another one or lies below it; never another host that begins the same.
fn covers(prefix: &str, address: &str) -> bool {
    let rest = address.strip_prefix(prefix).filter(|_| !prefix.is_empty());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn has_credentials(repository: &Repository) -> bool {
    let secrets = [
        &repository.username,
        &repository.password,
        &repository.bearer_token,
        &repository.tls_client_cert_data,
    ];
    secrets.iter().any(|secret| !secret.is_empty())
}

fn inherit(place: &mut Repository, from: &RepoCreds) {
    place.username.clone_from(&from.username);
    place.password.clone_from(&from.password);
    place.bearer_token.clone_from(&from.bearer_token);
    place.tls_client_cert_data.clone_from(&from.tls_client_cert_data);
    place.tls_client_cert_key.clone_from(&from.tls_client_cert_key);
    if !from.proxy.is_empty() {
        place.proxy.clone_from(&from.proxy);
        place.no_proxy.clone_from(&from.no_proxy);
    }
    place.insecure_oci_force_http |= from.insecure_oci_force_http;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(repo: &str, username: &str) -> Repository {
        Repository {
            repo: repo.into(),
            name: username.into(),
            username: username.into(),
            enable_oci: !repo.contains("://"),
            ..Repository::default()
        }
    }

    #[test]
    fn credentials_are_for_what_lies_below_and_for_no_other_host() {
        let access = ChartAccess {
            repositories: vec![
                repository("https://charts.example/stable", "stable"),
                repository("registry.example/team", "team"),
                repository("https://private.example", "host"),
            ],
            credentials: vec![
                RepoCreds {
                    url: "https://templates.example/a".into(),
                    username: "a".into(),
                    ..RepoCreds::default()
                },
                RepoCreds {
                    url: "https://templates.example/a/b".into(),
                    username: "b".into(),
                    ..RepoCreds::default()
                },
            ],
            proxy: "http://proxy.example:3128".into(),
            no_proxy: "direct.example".into(),
            pass_credentials: false,
        };
        let proxy = |named: &str| access.place(named).map(|place| (place.proxy, place.no_proxy));
        let own = ("http://proxy.example:3128".to_owned(), "direct.example".to_owned());
        assert_eq!(proxy("https://unknown.example/charts").as_ref(), Ok(&own));
        assert_eq!(proxy("https://templates.example/a/x").as_ref(), Ok(&own));
        assert_eq!(proxy("https://charts.example/stable"), Ok(Default::default()));
        let of = |named: &str| access.place(named).map(|place| place.username);
        for (named, user) in [
            ("https://charts.example/stable/", "stable"),
            ("https://charts.example/stable/inner", "stable"),
            ("https://charts.example/stable2", ""),
            ("https://charts.example", ""),
            ("https://private.example.evil.example/x", ""),
            ("https://templates.example/a/x", "a"),
            ("https://templates.example/a/b/x", "b"),
            ("https://templates.example/ab", ""),
            ("oci://registry.example/team/charts", "team"),
            ("oci://registry.example", "team"),
            ("oci://registry.example.evil.example/team", ""),
            ("@stable", "stable"),
            ("alias:team", "team"),
        ] {
            assert_eq!(of(named).as_deref(), Ok(user), "{named}");
        }
        for wrong in ["", "@", "@nobody", "stable", "file:///etc", "git+https://x"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn repositories_that_the_project_does_not_permit_are_named_where_a_chart_was_withheld() {
        let told = |permitted: &[&str], retry: bool| {
            let request = ManifestRequest {
                project_name: "red".into(),
                project_source_repos: permitted.iter().map(|entry| (*entry).to_owned()).collect(),
                repos: vec![repository("https://charts.example/stable", "stable")],
                ..ManifestRequest::default()
            };
            let repositories = [
                "oci://localhost:5000/myrepo",
                "https://charts.example/two",
                "file://../lib",
                "",
                "@stable",
                "alias:nobody",
                "http://plain.example",
                "https://charts.example/one",
            ];
            let error = RenderError::Dependency {
                path: "app".into(),
                repositories: repositories.map(str::to_owned).into(),
                error: SeamError { cause: "chart db: refused".into(), retry },
            };
            let status = Permitted::of(&request).status(&error);
            (status.code(), status.message().to_owned())
        };
        let named = |repositories: &str| {
            let text = format!("helm repos {repositories} are not permitted in project 'red'");
            (tonic::Code::PermissionDenied, text)
        };
        let plain = (tonic::Code::Unknown, "app: chart db: refused".to_owned());
        assert_eq!(
            told(&["https://git.example/*"], true),
            named(
                "localhost:5000/myrepo, https://charts.example/two, https://charts.example/stable, https://charts.example/one"
            )
        );
        assert_eq!(
            told(&["localhost:5000/*", "https://charts.example/*", "!https://charts.example/one"], true),
            named("https://charts.example/one")
        );
        assert_eq!(told(&["*"], true), plain);
        // A chart that is not there is what is wrong, whoever may have it; and what nobody said is held against nobody.
        assert_eq!(told(&["https://git.example/*"], false), plain);
        assert_eq!(told(&[], true), plain);
    }
}
