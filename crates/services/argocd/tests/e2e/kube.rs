//! The cluster behind the back of what is under test.

use crate::installation::LIMIT;
use base64::Engine;
use kubernetes::{
    Access, ApplyOptions, Cluster, Connection, DeleteOptions, DryRun, Error, Known, ListOptions, Method,
    Patch, WriteOptions,
};
use object::{GroupVersionKind, Object};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const MANAGER: &str = "test";

pub struct Kube {
    runtime: tokio::runtime::Runtime,
    cluster: Cluster,
}

impl Kube {
    pub fn connect(kubeconfig: &Path) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let access = Access::Kubeconfig { path: Some(kubeconfig.into()), context: None };
        let cluster = runtime.block_on(Cluster::connect(&Connection::new(access))).unwrap();
        Self { runtime, cluster }
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub fn raw(&self, path: &str) -> Result<Value, Error> {
        let answer = self.wait(self.cluster.raw(path, "application/json"))?;
        Ok(serde_json::from_slice(&answer.body).unwrap())
    }

    /// What the API server counts.
    pub fn metrics(&self) -> String {
        let answer = self.wait(self.cluster.raw("/metrics", "text/plain")).unwrap();
        String::from_utf8(answer.body.to_vec()).unwrap()
    }

    pub fn apply(&self, object: Value) {
        let object = Object::from_value(object).unwrap();
        let options = ApplyOptions {
            method: Method::ServerSide,
            field_manager: MANAGER.into(),
            force: true,
            ..ApplyOptions::default()
        };
        self.wait(async {
            let resource = self.cluster.resource(&object.gvk()).await.unwrap();
            self.cluster.apply(&resource, &object, &options).await.unwrap();
        });
    }

    pub fn create(&self, object: Value) -> Result<(), Error> {
        self.create_as(MANAGER, object)
    }

    pub fn create_as(&self, manager: &str, object: Value) -> Result<(), Error> {
        let object = Object::from_value(object).unwrap();
        self.wait(async {
            let resource = self.cluster.resource(&object.gvk()).await?;
            self.cluster.create(&resource, &object, &WriteOptions::manager(manager)).await.map(drop)
        })
    }

    pub fn merge(&self, version: &str, kind: &str, namespace: &str, name: &str, patch: Value) {
        self.try_merge(version, kind, namespace, name, patch).unwrap();
    }

    pub fn try_merge(
        &self,
        version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
        patch: Value,
    ) -> Result<(), Error> {
        let kind = gvk(version, kind);
        self.wait(async {
            let resource = self.cluster.resource(&kind).await?;
            let options = WriteOptions::manager(MANAGER);
            self.cluster.patch(&resource, namespace, name, &Patch::Merge(patch), &options).await.map(drop)
        })
    }

    pub fn delete(&self, version: &str, kind: &str, namespace: &str, name: &str) {
        let kind = gvk(version, kind);
        self.wait(async {
            let resource = self.cluster.resource(&kind).await.unwrap();
            self.cluster.delete(&resource, namespace, name, &DeleteOptions::default()).await.unwrap();
        });
    }

    pub fn find(&self, version: &str, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let kind = gvk(version, kind);
        let found = self.wait(self.cluster.find_kind(&kind, namespace, name)).unwrap();
        found.map(|object| Value::Object(object.0))
    }

    pub fn list(&self, version: &str, kind: &str, namespace: &str) -> Vec<Value> {
        let kind = gvk(version, kind);
        let (objects, _) = self
            .wait(async {
                let resource = self.cluster.resource(&kind).await?;
                self.cluster.list(&resource, namespace, &ListOptions::default()).await
            })
            .unwrap();
        objects.into_iter().map(|object| Value::Object(object.0)).collect()
    }

    /// Whether a kind's objects live in namespaces; nothing for one that is not served.
    pub fn is_namespaced(&self, object: &Object) -> Option<bool> {
        self.wait(self.cluster.resource(&object.gvk())).ok().map(|resource| resource.namespaced)
    }

    /// What the server would make of an object that is not there.
    pub fn pretend(&self, object: &Object, method: Method) -> Result<Object, Error> {
        let options = ApplyOptions {
            method,
            field_manager: "argocd-controller".into(),
            dry_run: DryRun::Server,
            validate: false,
            ..ApplyOptions::default()
        };
        self.wait(async {
            let resource = self.cluster.resource(&object.gvk()).await?;
            let known = Known::Absent;
            let options = &options;
            Ok(match method {
                Method::ClientSide => {
                    self.cluster.apply_knowing(&resource, object, known, options).await?.object
                }
                _ => self.cluster.apply(&resource, object, options).await?.object,
            })
        })
    }

    /// Everything in a namespace that somebody could have made on purpose, with uid and resource version.
    pub fn listing(&self, namespace: &str) -> BTreeMap<String, String> {
        // The cluster's own comings and goings are nobody's doing.
        let ignored = ["Event", "Lease", "Endpoints", "EndpointSlice", "PodMetrics"];
        // It gives these to each namespace, a moment after that is made.
        let given = || {
            let account = self.find("v1", "ServiceAccount", namespace, "default");
            account.and(self.find("v1", "ConfigMap", namespace, "kube-root-ca.crt"))
        };
        testkit::poll(LIMIT, given).unwrap();
        self.wait(async {
            let mut all = BTreeMap::new();
            let discovery = self.cluster.refresh_discovery().await.unwrap();
            for resource in discovery.preferred_resources() {
                let listed = resource.can("list") && resource.namespaced;
                if !listed || ignored.contains(&resource.kind.as_str()) {
                    continue;
                }
                let (objects, _) =
                    self.cluster.list(resource, namespace, &ListOptions::default()).await.unwrap();
                for object in objects {
                    let key = format!("{} {}/{}", object.kind(), object.namespace(), object.name());
                    all.insert(key, format!("{} {}", object.uid(), object.resource_version()));
                }
            }
            all
        })
    }

    /// Asks a gRPC server how it is.
    pub fn grpc_health(&self, address: &str, token: &str, service: &str) -> Result<i32, tonic::Status> {
        let options = transport::ChannelOptions {
            address: address.to_owned(),
            trust: transport::Trust::AnyCertificate,
            timeout: None,
        };
        self.wait(async {
            let channel = transport::connect(&options).unwrap();
            let mut client = tonic_health::pb::health_client::HealthClient::new(channel);
            let message = tonic_health::pb::HealthCheckRequest { service: service.to_owned() };
            let mut request = tonic::Request::new(message);
            if !token.is_empty() {
                request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
            }
            client.check(request).await.map(|answer| answer.into_inner().status)
        })
    }
}

fn gvk(version: &str, kind: &str) -> GroupVersionKind {
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    GroupVersionKind::new(group, version, kind)
}

pub fn decoded(text: &str) -> String {
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).unwrap()).unwrap()
}
