//! Extensions of the web pages: scripts that pages load, and backends behind our own address.

mod scripts;

pub(crate) use scripts::scripts;

use crate::authentication::Caller;
use crate::authorization::{Access, Wanted};
use crate::credentials;
use crate::hub::Hub;
use crate::sso::secret_text;
use crate::terminal::is_name;
use axum::body::Body;
use forward::{Certificates, Connections, Forwarder};
use http::header::{AUTHORIZATION, COOKIE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use settings::{Extension, ExtensionService};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;
use tonic::Status;

const APPLICATION: &str = "argocd-application-name";
const PROJECT: &str = "argocd-project-name";
/// What only we may tell a backend.
const OURS: [&str; 6] = [
    "argocd-namespace",
    "argocd-target-cluster-name",
    "argocd-target-cluster-url",
    "argocd-user-groups",
    "argocd-user-id",
    "argocd-username",
];

/// The extensions, as long as the settings they come from stay.
#[derive(Default)]
pub(crate) struct Extensions(RwLock<Option<(crate::snapshot::Versions, Arc<Registry>)>>);

type Registry = BTreeMap<String, (Extension, Forwarder)>;

/// A refusal.
type Refused = (StatusCode, String);

impl Hub {
    fn extensions(&self) -> Arc<Registry> {
        let versions = crate::snapshot::versions(&self.store);
        let known = self.extensions.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, known)) = known.filter(|(own, _)| *own == versions) {
            return known;
        }
        let lookup = |key: &str| secret_text(&self.store, key);
        let snapshot = self.snapshot();
        let (found, problems) = settings::extensions(&snapshot.data, &lookup);
        for problem in snapshot.other_problems(problems) {
            tracing::warn!("argocd-cm {}: {}", problem.key, problem.message);
        }
        let registry: Registry = found
            .into_iter()
            .filter_map(|(name, extension)| {
                let connections = Connections {
                    connect: extension.connect,
                    keep_alive: extension.keep_alive,
                    idle: extension.idle,
                    most_idle: extension.most_idle,
                };
                let forwarder = Forwarder::new(&Certificates::OfTheSystem, &connections);
                let forwarder =
                    forwarder.map_err(|error| tracing::error!(%name, %error, "an extension cannot be used"));
                Some((name, (extension, forwarder.ok()?)))
            })
            .collect();
        let registry = Arc::new(registry);
        *self.extensions.0.write().unwrap_or_else(PoisonError::into_inner) =
            Some((versions, registry.clone()));
        registry
    }
}

/// Passes a request on to an extension's backend. Nothing when backends are not switched on.
pub(crate) async fn answer(hub: &Arc<Hub>, request: Request<Body>) -> Option<Response<Body>> {
    if !hub.options.proxy_extensions {
        return None;
    }
    let name = extension_name(request.uri().path());
    let started = Instant::now();
    let response = match pass_on(hub, &name, request).await {
        Ok(response) => response,
        Err((status, text)) => refused(status, &text),
    };
    if hub.extensions().contains_key(&name) {
        hub.metrics.extension(&name, response.status().as_u16(), started.elapsed());
    }
    Some(response)
}

fn extension_name(path: &str) -> String {
    let rest = path.strip_prefix("/extensions/").unwrap_or_default();
    rest.split('/').next().unwrap_or_default().to_owned()
}

fn refused(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{text}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

async fn pass_on(hub: &Arc<Hub>, name: &str, mut request: Request<Body>) -> Result<Response<Body>, Refused> {
    let access = authenticated(hub, request.headers()).await?;
    if name.is_empty() {
        return Err((StatusCode::BAD_REQUEST, "Invalid URL: extension name must be provided".into()));
    }
    let (namespace, application, project) = meant(request.headers())
        .map_err(|reason| (StatusCode::BAD_REQUEST, format!("Invalid headers: {reason}")))?;
    let wanted = Wanted { project: &project, namespace: &namespace, name: &application };
    let cluster = authorize(hub, &access, wanted, name).await.map_err(|status| {
        tracing::info!(extension = name, reason = status.message(), "an extension was refused");
        (StatusCode::UNAUTHORIZED, "Unauthorized extension request".to_owned())
    })?;
    let registry = hub.extensions();
    let Some((extension, forwarder)) = registry.get(name) else {
        return Err((StatusCode::NOT_FOUND, "Extension not found".into()));
    };
    let service =
        backend(extension, &cluster).ok_or((StatusCode::BAD_REQUEST, "invalid extension".to_owned()))?;
    say_where_from(hub, &mut request);
    prepare(hub, &access, &cluster, service, request.headers_mut());
    let mut to = service.url.clone();
    let path = request.uri().path();
    to.set_path(
        path.strip_prefix("/extensions/").and_then(|rest| rest.strip_prefix(name)).unwrap_or_default(),
    );
    to.set_query(request.uri().query());
    forwarder.forward(request, to).await.map_err(|error| {
        tracing::warn!(extension = name, %error, "an extension's backend could not be asked");
        (StatusCode::BAD_GATEWAY, "the extension's backend cannot be reached".to_owned())
    })
}

/// The session of a browser.
async fn authenticated(hub: &Arc<Hub>, headers: &HeaderMap) -> Result<Access, Refused> {
    if hub.options.disable_auth {
        return Ok(hub.access(Caller::Unlimited));
    }
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let token = cookies.filter_map(credentials::cookie_token).find(|token| !token.is_empty());
    let token = token.ok_or((StatusCode::BAD_REQUEST, "Auth cookie not found".to_owned()))?;
    match hub.identify(&token).await {
        Ok((identity, _)) => Ok(hub.access(Caller::Known(Arc::new(identity)))),
        Err(_) => Err((StatusCode::UNAUTHORIZED, "Invalid token".into())),
    }
}

/// Namespace and name of the application a request is about, and its project.
fn meant(headers: &HeaderMap) -> Result<(String, String, String), String> {
    let text = |name: &str, shown: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
        value.map(str::to_owned).ok_or_else(|| format!("header {shown:?} must be provided"))
    };
    let application = text(APPLICATION, "Argocd-Application-Name")?;
    let (namespace, name) = application.split_once(':').filter(|(_, name)| !name.contains(':')).ok_or(
        "error getting app details: invalid value for \"Argocd-Application-Name\" header: expected format: \
             <namespace>:<app-name>",
    )?;
    let project = text(PROJECT, "Argocd-Project-Name")?;
    for (value, longest, what) in [
        (namespace, 63, "namespace"),
        (name, 253, "application name"),
        (project.as_str(), 253, "project name"),
    ] {
        if value.is_empty() || !is_name(value, longest, longest > 63) {
            return Err(format!("invalid value for {what}"));
        }
    }
    Ok((namespace.to_owned(), name.to_owned(), project))
}

/// The application's cluster, if the caller may see the application and invoke the extension, and its project permits
/// where it goes.
async fn authorize(
    hub: &Hub,
    access: &Access,
    wanted: Wanted<'_>,
    extension: &str,
) -> Result<project::Cluster, Status> {
    let application = access.application(wanted, "get").await?;
    access.require("extensions", "invoke", extension)?;
    let scope = hub.project_of(&application)?;
    let destination = &application.spec.destination;
    let cluster = scope.destination(destination).map_err(Status::invalid_argument)?;
    let there = project::Destination { cluster: &cluster, namespace: &destination.namespace };
    let permitted = project::permits_destination(&scope.project, there, &scope.own_clusters);
    permitted
        .then_some(cluster)
        .ok_or_else(|| Status::permission_denied("the project does not permit the application's destination"))
}

/// The backend for a cluster: the only one there is, or the one that names it.
fn backend<'e>(extension: &'e Extension, cluster: &project::Cluster) -> Option<&'e ExtensionService> {
    if let [only] = extension.services.as_slice() {
        return Some(only);
    }
    extension.services.iter().find(|service| {
        (!service.cluster_name.is_empty() && service.cluster_name == cluster.name)
            || (!service.cluster_server.is_empty() && service.cluster_server == cluster.server)
    })
}

/// Says where a request came from, as proxies do. What the client says of that is not passed on.
fn say_where_from(hub: &Hub, request: &mut Request<Body>) {
    let peer = request.extensions().get::<transport::Peer>().map(|peer| peer.0.ip().to_string());
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    let host = host.or_else(|| request.uri().authority().map(ToString::to_string));
    let scheme = if hub.options.insecure { "http" } else { "https" };
    let headers = request.headers_mut();
    headers.remove("forwarded");
    let told = [
        ("x-forwarded-for", peer.as_deref()),
        ("x-forwarded-host", host.as_deref()),
        ("x-forwarded-proto", Some(scheme)),
    ];
    for (name, value) in told {
        headers.remove(name);
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    }
}

/// A backend learns who asks from us, and nothing it could ask with itself.
fn prepare(
    hub: &Hub,
    access: &Access,
    cluster: &project::Cluster,
    service: &ExtensionService,
    headers: &mut HeaderMap,
) {
    headers.remove(AUTHORIZATION);
    headers.remove(COOKIE);
    for name in OURS {
        headers.remove(name);
    }
    let identity = access.caller().identity();
    let groups = identity.map(|identity| identity.claims.groups.join(",")).unwrap_or_default();
    let id = identity.map(|identity| identity.subject.name()).unwrap_or_default();
    let own = [
        ("argocd-namespace", hub.store.namespace().to_owned()),
        ("argocd-target-cluster-name", cluster.name.clone()),
        ("argocd-target-cluster-url", cluster.server.clone()),
        ("argocd-user-groups", groups),
        ("argocd-user-id", id),
        ("argocd-username", access.username()),
    ];
    let configured = service.headers.iter().map(|(name, value)| (name.as_str(), value.reveal().clone()));
    for (name, value) in own.into_iter().chain(configured).filter(|(_, value)| !value.is_empty()) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_is_about_is_read_from_its_headers() {
        let of = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            meant(&headers)
        };
        let both = |application, project| of(&[(APPLICATION, application), (PROJECT, project)]);
        assert_eq!(both("ns:app", "default"), Ok(("ns".into(), "app".into(), "default".into())));
        assert_eq!(of(&[]).unwrap_err(), "header \"Argocd-Application-Name\" must be provided");
        assert_eq!(
            of(&[(APPLICATION, "n:a")]).unwrap_err(),
            "header \"Argocd-Project-Name\" must be provided"
        );
        assert!(both("app", "p").unwrap_err().contains("expected format"));
        assert!(both("a:b:c", "p").unwrap_err().contains("expected format"));
        assert_eq!(both("../x:a", "p").unwrap_err(), "invalid value for namespace");
        assert_eq!(both("n:A", "p").unwrap_err(), "invalid value for application name");
        assert_eq!(both("n:a", "p/..").unwrap_err(), "invalid value for project name");
    }
}
