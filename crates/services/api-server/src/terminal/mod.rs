//! `/terminal`: a program in a container, typed into from a browser.

mod request;
mod session;
mod socket;

use crate::authentication::Caller;
use crate::authorization::{APPLICATIONS, Access, Wanted, rbac_name};
use crate::credentials;
use crate::failure;
use crate::found;
use crate::hub::Hub;
use crate::sso;
use api::v1alpha1::{Application, ApplicationTree};
use axum::body::Body;
use http::header::{COOKIE, HOST, ORIGIN};
use http::{HeaderValue, Request, Response, StatusCode};
use kubernetes::Cluster;
use object::{GroupVersionKind, Object};
use serde_json::Value;
use std::sync::Arc;
use tonic::{Code, Status};
use url::Url;

use request::Place;
pub(crate) use request::is_name;

/// A refusal before the connection is one of messages.
type Refused = (StatusCode, String);

/// Opens a terminal. Nothing while `exec.enabled` is off.
pub(crate) async fn answer(hub: &Arc<Hub>, request: Request<Body>) -> Option<Response<Body>> {
    // Who asks comes first: strangers do not learn whether there are terminals.
    let token = cookie_token(&request);
    let access = match authenticated(hub, token.as_deref()).await {
        Ok(access) => access,
        Err((status, text)) => return Some(refused(status, &text)),
    };
    if !hub.snapshot().server.exec_enabled {
        return None;
    }
    Some(match open(hub, access, token, request).await {
        Ok(response) => response,
        Err((status, text)) => refused(status, &text),
    })
}

fn refused(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{text}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

async fn open(
    hub: &Arc<Hub>,
    access: Access,
    token: Option<String>,
    mut request: Request<Body>,
) -> Result<Response<Body>, Refused> {
    let place = Place::parse(request.uri().query().unwrap_or_default())?;
    let application = permitted(hub, &access, &place).await?;
    let bad = |text: &str| (StatusCode::BAD_REQUEST, text.to_owned());
    let scope = hub.project_of(&application).map_err(|_| bad("Cannot get raw cluster config"))?;
    let cluster = hub.connect(&application, &scope).await.map_err(|error| {
        tracing::warn!(error = error.message(), "a terminal could not be opened");
        bad("Cannot get raw cluster config")
    })?;
    let tree = found::tree(hub, &application).await;
    let tree =
        tree.map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, "Cannot get the resource tree".to_owned()))?;
    if !has_pod(&tree, &place) {
        return Err(bad("Pod doesn't belong to specified app"));
    }
    check_container(&cluster, &place).await?;
    if !is_of_ours(hub, &request) {
        return Err((StatusCode::FORBIDDEN, "the page that asks is of another site".to_owned()));
    }
    let (socket, response) =
        socket::upgrade(&mut request).ok_or_else(|| bad("Failed to start terminal session"))?;
    let session = session::Session::new(hub.clone(), token, place, cluster, access.username());
    tokio::spawn(async move {
        if let Some(socket) = socket.await {
            session.run(socket).await;
        }
    });
    Ok(response)
}

/// The session of a browser: nothing else opens terminals.
fn cookie_token(request: &Request<Body>) -> Option<String> {
    let cookies = request.headers().get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.filter_map(credentials::cookie_token).find(|token| !token.is_empty())
}

/// Who asks, as of now.
pub(super) async fn authenticated(hub: &Arc<Hub>, token: Option<&str>) -> Result<Access, Refused> {
    if hub.options.disable_auth {
        return Ok(hub.access(Caller::Unlimited));
    }
    let token = token.ok_or_else(|| (StatusCode::BAD_REQUEST, "Auth cookie not found".to_owned()))?;
    match hub.identify(token).await {
        Ok((identity, _)) => Ok(hub.access(Caller::Known(Arc::new(identity)))),
        Err(_) => Err((StatusCode::UNAUTHORIZED, "Invalid token".to_owned())),
    }
}

/// The application, if it may be seen and programs may be run in it. Rights are looked at before applications: who has
/// none learns of none.
pub(super) async fn permitted(
    hub: &Hub,
    access: &Access,
    place: &Place,
) -> Result<Arc<Application>, Refused> {
    let namespace = hub.namespace_or_default(&place.application_namespace);
    if !hub.store.namespaces().permits(namespace) {
        return Err((StatusCode::FORBIDDEN, format!("namespace '{namespace}' is not permitted")));
    }
    let object = rbac_name(hub.store.namespace(), &place.project, namespace, &place.application);
    let unauthorized = |status: Status| (StatusCode::UNAUTHORIZED, failure::go_text(&status));
    access.require(APPLICATIONS, "get", &object).map_err(unauthorized)?;
    access.require("exec", "create", &object).map_err(unauthorized)?;
    let wanted = Wanted { project: &place.project, namespace, name: &place.application };
    match access.application(wanted, "get").await {
        Ok(application) => Ok(application),
        Err(status) if status.code() == Code::NotFound => {
            // Only who may see it where it is learns that it is not in the project that was said.
            let elsewhere = access.application(Wanted { project: "", ..wanted }, "get").await;
            Err(match elsewhere {
                Ok(_) => (StatusCode::BAD_REQUEST, "The wrong project was specified for the app".to_owned()),
                Err(_) => (StatusCode::NOT_FOUND, "App not found".to_owned()),
            })
        }
        Err(_) => Err((StatusCode::UNAUTHORIZED, "permission denied".to_owned())),
    }
}

fn has_pod(tree: &ApplicationTree, place: &Place) -> bool {
    tree.nodes.iter().map(|node| &node.resource_ref).any(|of| {
        of.kind == "Pod"
            && of.group.is_empty()
            && !of.uid.is_empty()
            && of.name == place.pod
            && of.namespace == place.namespace
    })
}

async fn check_container(cluster: &Cluster, place: &Place) -> Result<(), Refused> {
    let bad = |text: &str| Err((StatusCode::BAD_REQUEST, text.to_owned()));
    let kind = GroupVersionKind::new("", "v1", "Pod");
    let Ok(Some(pod)) = cluster.find_kind(&kind, &place.namespace, &place.pod).await else {
        return bad("Cannot find pod");
    };
    // The original's words.
    if is_running(&pod, &place.container) { Ok(()) } else { bad("container find running") }
}

/// Whether a container runs: one of the pod's own, or one that came before or beside them.
fn is_running(pod: &Object, container: &str) -> bool {
    ["containerStatuses", "initContainerStatuses"].into_iter().any(|list| {
        let statuses = pod.at(&["status", list]).and_then(Value::as_array);
        let named = statuses.into_iter().flatten().find(|status| status["name"] == *container);
        named.is_some_and(|status| status["state"]["running"].is_object())
    })
}

/// Whether the page that opens the connection is one of ours. Browsers say so; what is no browser says nothing.
fn is_of_ours(hub: &Hub, request: &Request<Body>) -> bool {
    let text = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let Some(origin) = text(ORIGIN) else { return true };
    let Ok(origin) = Url::parse(origin) else { return false };
    let port = origin.port().map(|port| format!(":{port}")).unwrap_or_default();
    let authority = format!("{}{port}", origin.host_str().unwrap_or_default());
    if text(HOST).is_some_and(|host| host == authority) {
        return true;
    }
    let own = sso::own_urls(hub).into_iter();
    own.filter_map(|url| Url::parse(&url).ok()).any(|url| url.origin() == origin.origin())
}
