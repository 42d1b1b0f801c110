//! Both sides show who they are.

use axum::Router;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::net::SocketAddr;
use std::sync::Arc;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use transport::{ChannelOptions, ClientIdentity, Listener, SelfSigned, Trust};

struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

fn authority() -> Authority {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).expect("a certificate").pem();
    Authority { certificate, issuer: Issuer::new(params, key) }
}

fn client(authority: &Authority) -> ClientIdentity {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec!["controller".to_owned()]).expect("parameters");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.signed_by(&key, &authority.issuer).expect("a certificate");
    ClientIdentity { certificate: certificate.pem().into_bytes(), key: key.serialize_pem().into_bytes() }
}

async fn healthy(options: &ChannelOptions, identity: Option<&ClientIdentity>) -> bool {
    let channel = transport::connect_as(options, identity).expect("a channel");
    HealthClient::new(channel).check(HealthCheckRequest::default()).await.is_ok()
}

#[tokio::test]
async fn a_server_that_asks_serves_those_only_whom_its_authority_knows() {
    boot::crypto();
    let (ours, theirs) = (authority(), authority());
    let made = SelfSigned::new(&["localhost"]).expect("a certificate");
    let identity = made.identity().expect("an identity");
    let identity = identity.clients_of(ours.certificate.as_bytes()).expect("an authority");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Listener::bind(any, Some(identity)).await.expect("a port");
    let address = format!("localhost:{}", listener.address().port());
    let (_reporter, health) = tonic_health::server::health_reporter();
    let routes = tonic::service::Routes::new(health).prepare().into_axum_router();
    let serving =
        tokio::spawn(transport::serve(listener, Router::new().merge(routes), std::future::pending()));
    let trust = Trust::Authorities(made.certificate.clone().into_bytes());
    let options = ChannelOptions { address, trust, timeout: None };
    assert!(healthy(&options, Some(&client(&ours))).await);
    assert!(!healthy(&options, Some(&client(&theirs))).await);
    assert!(!healthy(&options, None).await);
    serving.abort();
}

#[test]
fn one_file_alone_is_a_mistake_and_none_is_none() {
    let folder = std::env::temp_dir();
    let missing = folder.join("no-such-file-of-ours").display().to_string();
    let there = std::env::current_exe().expect("a file").display().to_string();
    assert!(ClientIdentity::from_files(&missing, &missing).expect("nothing").is_none());
    let error = ClientIdentity::from_files(&there, &missing).expect_err("a mistake").to_string();
    assert!(error.contains("is missing"), "{error}");
    assert!(transport::Identity::from_pem(b"", b"").is_err());
}

/// What is agreed upon with a client that speaks one version only.
fn agreed(
    port: u16,
    certificate: &[u8],
    version: &'static rustls::SupportedProtocolVersion,
) -> Option<String> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(certificate) {
        roots.add(certificate.expect("a certificate")).expect("a root");
    }
    let config = rustls::ClientConfig::builder_with_protocol_versions(&[version])
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let mut client = rustls::ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    while client.is_handshaking() {
        client.complete_io(&mut stream).ok()?;
    }
    client.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()))
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_and_ciphers_are_those_that_are_named() {
    boot::crypto();
    let made = SelfSigned::new(&["localhost"]).expect("a certificate");
    let mut told = Vec::new();
    for (least, most, ciphers) in
        [("1.3", "1.3", ""), ("1.2", "1.2", ""), ("1.2", "1.3", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")]
    {
        let protocols = transport::Protocols::new(least, most, ciphers).expect("protocols");
        let identity = made.identity().expect("an identity").speaking(protocols);
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Listener::bind(any, Some(identity)).await.expect("a port");
        let port = listener.address().port();
        let serving = tokio::spawn(transport::serve(listener, Router::new(), std::future::pending()));
        let certificate = made.certificate.clone().into_bytes();
        let both = tokio::task::spawn_blocking(move || {
            [&rustls::version::TLS12, &rustls::version::TLS13].map(|it| agreed(port, &certificate, it))
        });
        told.push(both.await.expect("answers"));
        serving.abort();
    }
    let [only_13, only_12, chosen] = &told[..] else { panic!("{told:?}") };
    assert!(only_13[0].is_none() && only_13[1].is_some(), "{told:?}");
    assert!(only_12[0].is_some() && only_12[1].is_none(), "{told:?}");
    assert_eq!(chosen[0].as_deref(), Some("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
    assert!(chosen[1].is_some(), "{told:?}");
}
