//! Keys of SSH hosts and TLS certificates that repositories are recognised by.

use crate::authorization::Access;
use crate::failure;
use crate::hub::Hub;
use crate::services::register::no_payload;
use api::k8s::meta_v1::ListMeta;
use api::v1alpha1::{RepositoryCertificate, RepositoryCertificateList};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{KNOWN_HOSTS, KNOWN_HOSTS_KEY, TLS_CERTIFICATES};
use tonic::{Request, Response, Status};
use trust::{Certificate, KnownHost, certificates};
use wire::certificate::certificate_service_server::CertificateService;
use wire::certificate::{RepositoryCertificateCreateRequest, RepositoryCertificateQuery};

const RESOURCE: &str = "certificates";
const SSH: &str = "ssh";
const HTTPS: &str = "https";

/// Certificates and host keys.
pub(crate) struct Certificates(pub(crate) Arc<Hub>);

type Answer = Result<Response<RepositoryCertificateList>, Status>;

#[tonic::async_trait]
impl CertificateService for Certificates {
    async fn list_certificates(&self, request: Request<RepositoryCertificateQuery>) -> Answer {
        let (access, query) = self.0.enter(request)?;
        access.require(RESOURCE, "get", "")?;
        Ok(list(described(&self.0, &query)))
    }

    async fn create_certificate(&self, request: Request<RepositoryCertificateCreateRequest>) -> Answer {
        let (access, request) = self.0.enter(request)?;
        create(&self.0, &access, request).await.map(list)
    }

    async fn delete_certificate(&self, request: Request<RepositoryCertificateQuery>) -> Answer {
        let (access, query) = self.0.enter(request)?;
        access.require(RESOURCE, "delete", "")?;
        delete(&self.0, &query).await.map(list)
    }
}

fn list(items: Vec<RepositoryCertificate>) -> Response<RepositoryCertificateList> {
    Response::new(RepositoryCertificateList { metadata: ListMeta::default(), items })
}

/// What a query is about.
struct Selector<'q>(&'q RepositoryCertificateQuery);

impl Selector<'_> {
    fn wants(&self, kinds: &[&str]) -> bool {
        let kind = self.0.cert_type.as_str();
        matches!(kind, "" | "*") || kinds.contains(&kind)
    }

    fn ssh(&self, host: &KnownHost) -> bool {
        let subtype = self.0.cert_sub_type.as_str();
        self.wants(&[SSH])
            && trust::matches(&self.0.host_name_pattern, &host.hosts)
            && (matches!(subtype, "" | "*") || subtype == host.key_type)
    }

    fn tls(&self, name: &str) -> bool {
        self.wants(&[HTTPS, "tls"]) && trust::matches(&self.0.host_name_pattern, name)
    }
}

/// What is trusted, described. The original gives no fingerprint here, only its name.
fn described(hub: &Hub, query: &RepositoryCertificateQuery) -> Vec<RepositoryCertificate> {
    let selector = Selector(query);
    let hosts = KnownHosts::read(hub);
    let ssh = hosts.entries().filter(|host| selector.ssh(host)).map(|host| RepositoryCertificate {
        server_name: host.hosts,
        cert_type: SSH.into(),
        cert_sub_type: host.key_type,
        cert_info: "SHA256:".into(),
        ..RepositoryCertificate::default()
    });
    let mut found: Vec<_> = ssh.collect();
    let stored = hub.store.config_map(TLS_CERTIFICATES);
    for (name, text) in stored.iter().filter(|(name, _)| selector.tls(name)) {
        for pem in certificates(text).unwrap_or_default() {
            let (kind, info) = match Certificate::parse(&pem) {
                Ok(certificate) => (certificate.algorithm.to_owned(), certificate.subject),
                Err(error) => ("invalid".to_owned(), error.to_string()),
            };
            found.push(RepositoryCertificate {
                server_name: name.clone(),
                cert_type: HTTPS.into(),
                cert_sub_type: kind,
                cert_info: info,
                ..RepositoryCertificate::default()
            });
        }
    }
    found
}

/// Adds what is new; gives what was added or replaced. Nothing is written when one of them cannot be taken.
async fn create(
    hub: &Hub,
    access: &Access,
    request: RepositoryCertificateCreateRequest,
) -> Result<Vec<RepositoryCertificate>, Status> {
    access.require(RESOURCE, "create", "")?;
    let wanted = request.certificates.ok_or_else(no_payload)?.items;
    let _one_at_a_time = hub.writes.lock().await;
    let mut hosts = KnownHosts::read(hub);
    let stored = hub.store.config_map(TLS_CERTIFICATES);
    let mut tls: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut created = Vec::new();
    for certificate in wanted {
        match certificate.cert_type.as_str() {
            SSH => created.extend(hosts.add(certificate, request.upsert)?),
            HTTPS => {
                let name = certificate.server_name.clone();
                let known = tls.get(&name).and_then(Option::as_ref).or_else(|| stored.get(&name));
                if let Some((text, added)) = tls_entry(&certificate, known, request.upsert)? {
                    tls.insert(name, Some(text));
                    created.extend(added);
                }
            }
            other => return Err(Status::unknown(format!("unknown certificate type: {other}"))),
        }
    }
    hosts.write(hub).await?;
    write(hub, TLS_CERTIFICATES, &stored, &tls).await?;
    Ok(created)
}

async fn delete(hub: &Hub, query: &RepositoryCertificateQuery) -> Result<Vec<RepositoryCertificate>, Status> {
    let selector = Selector(query);
    let _one_at_a_time = hub.writes.lock().await;
    let mut hosts = KnownHosts::read(hub);
    let gone = hosts.remove(|host| selector.ssh(host));
    let ssh = gone.into_iter().map(|host| RepositoryCertificate {
        server_name: host.hosts,
        cert_type: SSH.into(),
        cert_sub_type: host.key_type,
        cert_data: host.data.into_bytes(),
        ..RepositoryCertificate::default()
    });
    let mut removed: Vec<_> = ssh.collect();
    let stored = hub.store.config_map(TLS_CERTIFICATES);
    let mut tls = BTreeMap::new();
    for (name, text) in stored.iter().filter(|(name, _)| selector.tls(name)) {
        let found = certificates(text).map_err(|error| Status::unknown(error.to_string()))?;
        removed.extend(found.into_iter().map(|pem| https(name, pem)));
        tls.insert(name.clone(), None);
    }
    hosts.write(hub).await?;
    write(hub, TLS_CERTIFICATES, &stored, &tls).await?;
    Ok(removed)
}

fn https(name: &str, pem: String) -> RepositoryCertificate {
    RepositoryCertificate {
        server_name: name.to_owned(),
        cert_type: HTTPS.into(),
        cert_data: pem.into_bytes(),
        ..RepositoryCertificate::default()
    }
}

/// The text to keep for a server and the certificates in it; nothing when that is what is kept.
fn tls_entry(
    wanted: &RepositoryCertificate,
    known: Option<&String>,
    upsert: bool,
) -> Result<Option<(String, Vec<RepositoryCertificate>)>, Status> {
    let name = &wanted.server_name;
    if !trust::is_host_name(name) {
        return Err(Status::unknown(format!("invalid hostname in request: {name}")));
    }
    let text = String::from_utf8_lossy(&wanted.cert_data).into_owned();
    if known.is_some_and(|known| *known != text) && !upsert {
        return Err(Status::unknown(format!(
            "TLS certificate for server '{name}' already exists, and upsert was not specified"
        )));
    }
    let invalid = |error: trust::InvalidCertificate| Status::unknown(error.to_string());
    let found = certificates(&text).map_err(invalid)?;
    if found.is_empty() {
        return Err(Status::unknown("no valid PEM data received"));
    }
    for pem in &found {
        Certificate::parse(pem).map_err(invalid)?;
    }
    if known == Some(&text) {
        return Ok(None);
    }
    Ok(Some((text, found.into_iter().map(|pem| https(name, pem)).collect())))
}

/// The lines of `known_hosts`, comments included: what is not touched stays as it is.
struct KnownHosts {
    before: BTreeMap<String, String>,
    lines: Vec<String>,
    changed: bool,
}

impl KnownHosts {
    fn read(hub: &Hub) -> Self {
        let before = hub.store.config_map(KNOWN_HOSTS);
        let lines = before.get(KNOWN_HOSTS_KEY).map(|text| text.lines().map(str::to_owned).collect());
        Self { before, lines: lines.unwrap_or_default(), changed: false }
    }

    fn entries(&self) -> impl Iterator<Item = KnownHost> + '_ {
        self.lines.iter().filter_map(|line| KnownHost::parse(line))
    }

    fn add(
        &mut self,
        mut wanted: RepositoryCertificate,
        upsert: bool,
    ) -> Result<Option<RepositoryCertificate>, Status> {
        let name = &wanted.server_name;
        let bare = bracketed(name).unwrap_or(name);
        if !trust::is_host_name(bare) {
            return Err(Status::unknown(format!("invalid hostname in request: {bare}")));
        }
        let host = KnownHost {
            hosts: name.clone(),
            key_type: wanted.cert_sub_type.clone(),
            data: String::from_utf8_lossy(&wanted.cert_data).trim().to_owned(),
        };
        let same = |line: &String| {
            KnownHost::parse(line)
                .is_some_and(|known| known.hosts == host.hosts && known.key_type == host.key_type)
        };
        let place = self.lines.iter().position(same);
        let equal = place.is_some_and(|place| {
            KnownHost::parse(&self.lines[place]).is_some_and(|known| known.data == host.data)
        });
        if place.is_some() && !equal && !upsert {
            return Err(Status::unknown(format!(
                "key for '{}' (subtype: '{}') already exists and upsert was not specified",
                host.hosts, host.key_type
            )));
        }
        let read = host.fingerprint().map_err(|error| Status::unknown(error.to_string()))?;
        // One line stays one line, and says what was checked.
        let line = KnownHost::parse(&host.line()).filter(|line| *line == host && !host.line().contains('\n'));
        let line = line.ok_or_else(|| Status::unknown(format!("the key of {name} cannot be read")))?;
        if equal {
            return Ok(None);
        }
        self.changed = true;
        match place {
            Some(place) => self.lines[place] = line.line(),
            None => self.lines.push(line.line()),
        }
        wanted.cert_info = read;
        Ok(Some(wanted))
    }

    fn remove(&mut self, mut gone: impl FnMut(&KnownHost) -> bool) -> Vec<KnownHost> {
        let mut removed = Vec::new();
        self.lines.retain(|line| match KnownHost::parse(line) {
            Some(host) if gone(&host) => {
                removed.push(host);
                false
            }
            _ => true,
        });
        self.changed |= !removed.is_empty();
        removed
    }

    async fn write(&self, hub: &Hub) -> Result<(), Status> {
        if !self.changed {
            return Ok(());
        }
        let text: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        let change = BTreeMap::from([(KNOWN_HOSTS_KEY.to_owned(), Some(text))]);
        write(hub, KNOWN_HOSTS, &self.before, &change).await
    }
}

async fn write(
    hub: &Hub,
    name: &str,
    before: &BTreeMap<String, String>,
    changes: &BTreeMap<String, Option<String>>,
) -> Result<(), Status> {
    if changes.is_empty() {
        return Ok(());
    }
    let written = hub.store.change_config_map(name, before, changes).await;
    written.map_err(|error| failure::store(&error))
}

/// The name in `[name]:port`.
fn bracketed(text: &str) -> Option<&str> {
    let (name, port) = text.strip_prefix('[')?.rsplit_once("]:")?;
    (!port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    fn hosts(text: &str) -> KnownHosts {
        KnownHosts {
            before: BTreeMap::new(),
            lines: text.lines().map(str::to_owned).collect(),
            changed: false,
        }
    }

    fn ssh(name: &str, data: &str) -> RepositoryCertificate {
        RepositoryCertificate {
            server_name: name.into(),
            cert_type: SSH.into(),
            cert_sub_type: "ssh-ed25519".into(),
            cert_data: data.into(),
            ..RepositoryCertificate::default()
        }
    }

    #[test]
    fn a_host_key_is_added_once_and_replaced_only_when_asked() {
        let mut known = hosts("# mine\nother line\n");
        let added = known.add(ssh("[h.example]:22", KEY), false).unwrap().unwrap();
        assert_eq!(added.cert_info, "+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
        assert!(known.add(ssh("[h.example]:22", KEY), false).unwrap().is_none());
        let other = format!("{KEY} me@there");
        assert!(known.add(ssh("[h.example]:22", &other), false).is_err());
        assert!(known.add(ssh("[h.example]:22", &other), true).unwrap().is_some());
        assert_eq!(known.lines, ["# mine", "other line", &format!("[h.example]:22 ssh-ed25519 {other}")]);
    }

    #[test]
    fn a_key_brings_no_lines_of_its_own() {
        let smuggled = format!("{KEY}\nevil.example ssh-ed25519 {KEY}");
        let mut known = hosts("");
        assert!(known.add(ssh("h.example", &smuggled), false).is_err());
        assert!(known.add(ssh("h.example\nevil", KEY), false).is_err());
        assert!(known.lines.is_empty() && !known.changed);
    }

    #[test]
    fn only_what_matches_is_removed_and_comments_stay() {
        let mut known = hosts(&format!("# mine\na.example ssh-ed25519 {KEY}\nb.example ssh-ed25519 {KEY}\n"));
        let query = RepositoryCertificateQuery {
            host_name_pattern: "a.*".into(),
            ..RepositoryCertificateQuery::default()
        };
        assert_eq!(known.remove(|host| Selector(&query).ssh(host)).len(), 1);
        assert_eq!(known.lines, ["# mine".to_owned(), format!("b.example ssh-ed25519 {KEY}")]);
    }
}
