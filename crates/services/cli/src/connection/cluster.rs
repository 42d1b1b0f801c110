//! The cluster Argo CD lives in, and connections to its pods through the API server.

use kubernetes::{Access, Cluster, Connection, ListOptions};
use object::{GroupVersionKind, Object};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::environment::Environment;

/// Where the port of a pod may be renamed, as the original says it.
const ADVICE: &str = "use the --{component}-name flag in this command or set the environmental variable (Refer to \
     https://argo-cd.readthedocs.io/en/stable/user-guide/environment-variables), to change the Argo CD component \
     name in the CLI";

/// The cluster of a kubeconfig (empty: `KUBECONFIG`, else the usual place) and a context of it (empty: the current).
pub(crate) async fn connect(
    environment: &Environment,
    kubeconfig: &str,
    context: &str,
) -> Result<Cluster, kubernetes::Error> {
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let variable = environment.variable("KUBECONFIG").unwrap_or_default();
    // Several files may be named; those who keep such lists have their current context in the first.
    let variable = given(variable.split(':').next().unwrap_or_default());
    let path = given(kubeconfig).or(variable).map(Into::into);
    Cluster::connect(&Connection::new(Access::Kubeconfig { path, context: given(context) })).await
}

/// A port of this machine that leads to the first ready pod of one of these components, while the runtime lives:
/// to `port`, or where the pod declares others, to the first of them.
pub(crate) async fn forward(
    cluster: &Cluster,
    namespace: &str,
    components: &[&str],
    port: u16,
) -> Result<u16, String> {
    let selectors: Vec<String> =
        components.iter().map(|name| format!("app.kubernetes.io/name={name}")).collect();
    let mut pod = None;
    for selector in &selectors {
        pod = ready_pod(cluster, namespace, selector).await?;
        if pod.is_some() {
            break;
        }
    }
    let Some((pod, port)) = pod.map(|pod| (pod.name().to_owned(), listens_at(&pod, port))) else {
        return Err(format!("cannot find ready pod with selector: [{}] - {ADVICE}", selectors.join(" ")));
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let (cluster, namespace) = (cluster.clone(), namespace.to_owned());
    tokio::spawn(async move {
        while let Ok((mut here, _)) = listener.accept().await {
            let (cluster, namespace, pod) = (cluster.clone(), namespace.clone(), pod.clone());
            tokio::spawn(async move {
                // Whoever connected sees the connection end, and says so.
                if let Ok(mut there) = cluster.forward(&namespace, &pod, port).await {
                    tokio::io::copy_bidirectional(&mut here, &mut there).await.ok();
                }
            });
        }
    });
    Ok(address.port())
}

async fn ready_pod(cluster: &Cluster, namespace: &str, selector: &str) -> Result<Option<Object>, String> {
    let failed = |error: kubernetes::Error| error.message();
    let pods = cluster.resource(&GroupVersionKind::new("", "v1", "Pod")).await.map_err(failed)?;
    let options = ListOptions { label_selector: selector.to_owned(), ..ListOptions::default() };
    let (found, _) = cluster.list(&pods, namespace, &options).await.map_err(failed)?;
    Ok(found.into_iter().find(is_ready))
}

/// The port of a pod's server, usually `usual`.
fn listens_at(pod: &Object, usual: u16) -> u16 {
    let containers = pod.at(&["spec", "containers"]).and_then(Value::as_array).into_iter().flatten();
    let ports = containers.filter_map(|container| container["ports"].as_array()).flatten();
    let ports: Vec<u16> =
        ports.filter_map(|port| u16::try_from(port["containerPort"].as_u64()?).ok()).collect();
    if ports.contains(&usual) { usual } else { ports.first().copied().unwrap_or(usual) }
}

fn is_ready(pod: &Object) -> bool {
    let conditions = pod.at(&["status", "conditions"]).and_then(Value::as_array);
    let ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
    pod.text_at(&["status", "phase"]) == "Running" && conditions.is_some_and(|all| all.iter().any(ready))
}

#[cfg(test)]
mod tests {
    use super::{is_ready, listens_at};
    use object::Object;
    use serde_json::{Value, json};

    fn pod(ports: &Value, phase: &str, ready: &str) -> Object {
        Object::from_value(json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "server"},
            "spec": {"containers": [{"name": "side"}, {"name": "main", "ports": ports}]},
            "status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]},
        }))
        .expect("a pod")
    }

    #[test]
    fn a_server_listens_where_its_pod_says() {
        let at = |ports: &Value| listens_at(&pod(ports, "Running", "True"), 8080);
        assert_eq!(at(&json!(null)), 8080);
        assert_eq!(at(&json!([{"containerPort": 8083}, {"containerPort": 8080}])), 8080);
        assert_eq!(at(&json!([{"containerPort": 9443}, {"containerPort": 9090}])), 9443);
    }

    #[test]
    fn only_a_pod_that_runs_and_is_ready_is_ready() {
        assert!(is_ready(&pod(&json!(null), "Running", "True")));
        assert!(!is_ready(&pod(&json!(null), "Running", "False")));
        assert!(!is_ready(&pod(&json!(null), "Pending", "True")));
    }
}
