//! What leads to an object and from it: addresses, selectors, targets.

use api::k8s::core_v1::LoadBalancerIngress;
use api::names::IGNORE_DEFAULT_LINKS;
use api::v1alpha1::{ResourceNetworkingInfo, ResourceRef};
use object::Object;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The network side of an object; none when there is nothing to tell. `links` are those users put on it.
pub(crate) fn networking(live: &Object, links: Vec<String>) -> Option<ResourceNetworkingInfo> {
    let plain = ResourceNetworkingInfo { external_urls: links, ..ResourceNetworkingInfo::default() };
    match (live.group(), live.kind()) {
        ("", "Pod") => Some(ResourceNetworkingInfo { labels: live.labels(), ..plain }),
        ("", "Service") => Some(service(live, plain)),
        ("extensions" | "networking.k8s.io", "Ingress") => Some(ingress(live, plain)),
        ("networking.istio.io", "VirtualService") => Some(virtual_service(live, plain)),
        ("networking.istio.io", "ServiceEntry") => service_entry(live, plain),
        _ => (!plain.external_urls.is_empty()).then_some(plain),
    }
}

fn service(live: &Object, plain: ResourceNetworkingInfo) -> ResourceNetworkingInfo {
    let balanced = live.text_at(&["spec", "type"]) == "LoadBalancer";
    ResourceNetworkingInfo {
        target_labels: texts(live.at(&["spec", "selector"])),
        ingress: if balanced { load_balancer(live) } else { Vec::new() },
        ..plain
    }
}

fn load_balancer(live: &Object) -> Vec<LoadBalancerIngress> {
    let entries = list(live.at(&["status", "loadBalancer", "ingress"]));
    entries
        .iter()
        .filter_map(|entry| {
            let text = |name: &str| entry.get(name).and_then(Value::as_str);
            match (text("hostname"), text("ip")) {
                (Some(hostname), _) => {
                    Some(LoadBalancerIngress { hostname: hostname.into(), ..LoadBalancerIngress::default() })
                }
                (None, Some(ip)) => {
                    Some(LoadBalancerIngress { ip: ip.into(), ..LoadBalancerIngress::default() })
                }
                (None, None) => None,
            }
        })
        .collect()
}

fn ingress(live: &Object, mut plain: ResourceNetworkingInfo) -> ResourceNetworkingInfo {
    let addresses = load_balancer(live);
    let own_address = addresses
        .iter()
        .map(|address| if address.hostname.is_empty() { &address.ip } else { &address.hostname })
        .find(|address| !address.is_empty());
    let mut services: BTreeSet<&str> = live.at(&["spec", "backend"]).and_then(backend).into_iter().collect();
    let mut urls = BTreeSet::new();
    for rule in list(live.at(&["spec", "rules"])) {
        let host = rule.get("host").and_then(Value::as_str).filter(|host| !host.is_empty());
        let host = host.or(own_address.map(String::as_str));
        for path in list(rule.pointer("/http/paths")) {
            services.extend(path.get("backend").and_then(backend));
            let Some(host) = host else { continue };
            let scheme = if is_encrypted(live, host) { "https" } else { "http" };
            let path = path.get("path").and_then(Value::as_str).unwrap_or_default();
            urls.insert(format!("{scheme}://{host}{}", path.strip_suffix('*').unwrap_or(path)));
        }
    }
    let silent = live
        .annotation(IGNORE_DEFAULT_LINKS)
        .is_some_and(|text| matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True"));
    if !silent {
        plain.external_urls.extend(urls);
    }
    plain.target_refs = services.into_iter().map(|name| service_ref(live.namespace(), name)).collect();
    plain.ingress = addresses;
    plain
}

/// The Service behind a path, in the spelling of either version.
fn backend(backend: &Value) -> Option<&str> {
    backend.pointer("/service/name").or_else(|| backend.get("serviceName")).and_then(Value::as_str)
}

fn is_encrypted(live: &Object, host: &str) -> bool {
    list(live.at(&["spec", "tls"])).iter().any(|entry| {
        entry.get("secretName").is_some_and(|name| !name.is_null())
            || list(entry.get("hosts")).iter().any(|entry| entry.as_str() == Some(host))
    })
}

fn virtual_service(live: &Object, mut plain: ResourceNetworkingInfo) -> ResourceNetworkingInfo {
    let routes = list(live.at(&["spec", "http"])).iter().flat_map(|rule| list(rule.get("route")));
    let targets: BTreeSet<(&str, &str)> = routes
        .filter_map(|route| {
            let mut parts = route.pointer("/destination/host")?.as_str()?.split('.');
            let name = parts.next()?;
            Some((parts.next().unwrap_or(live.namespace()), name))
        })
        .collect();
    plain.target_refs = targets.into_iter().map(|(namespace, name)| service_ref(namespace, name)).collect();
    plain
}

fn service_entry(live: &Object, plain: ResourceNetworkingInfo) -> Option<ResourceNetworkingInfo> {
    let labels = live.at(&["spec", "workloadSelector", "labels"]).filter(|labels| labels.is_object())?;
    let pods = ResourceRef { kind: "Pod".into(), ..ResourceRef::default() };
    Some(ResourceNetworkingInfo { target_labels: texts(Some(labels)), target_refs: vec![pods], ..plain })
}

fn service_ref(namespace: &str, name: &str) -> ResourceRef {
    ResourceRef {
        kind: "Service".into(),
        namespace: namespace.into(),
        name: name.into(),
        ..ResourceRef::default()
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn texts(value: Option<&Value>) -> BTreeMap<String, String> {
    let members = value.and_then(Value::as_object).into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}
