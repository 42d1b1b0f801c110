//! Questions to a real registry: what tags mean, what lies there, who is let in.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use download::Access;
use oci::{CHART_LAYER, Freshness, LAYERS, OciError, Options, Reference, Registries, Repository};
use testkit::proxy::Proxy;
use testkit::registry::{self, Artifact, Registry, Storage};

const CONFIG: &str = "application/vnd.oci.empty.v1+json";

fn repository(registry: &Registry, name: &str, access: Access) -> Repository {
    let reference = Reference::parse(&format!("oci://{}/{name}", registry.address())).unwrap();
    Repository { reference, plain_http: registry.certificate_authority().is_none(), access }
}

fn push(registry: &Registry, tag: &str, content: &[u8]) -> String {
    let layers = [(LAYERS[1], content)];
    let annotations = [("org.opencontainers.image.description", "of the test")];
    let artifact = Artifact { config_type: CONFIG, layers: &layers, annotations: &annotations };
    registry.push("team/app", tag, &artifact).unwrap()
}

async fn content(
    registries: &Registries,
    repository: &Repository,
    digest: &str,
) -> Result<Vec<u8>, OciError> {
    let manifest = registries.manifest(repository, digest).await?;
    let layer = manifest.content(&LAYERS.map(str::to_owned))?;
    Ok(registries.layer(repository, layer).await?.to_vec())
}

#[tokio::test]
async fn tags_digests_and_constraints_are_resolved() {
    let storage = Storage::new().unwrap();
    let registry = Registry::serve(&storage, &registry::Options::default()).unwrap();
    let (one, two) = (push(&registry, "1.0.0", b"one"), push(&registry, "1.1.0_build.1", b"two"));
    push(&registry, "2.0.0", b"three");
    let registries = Registries::new(Options::default());
    let there = repository(&registry, "team/app", Access::default());
    registries.ping(&there).await.unwrap();
    let resolve = |revision: &'static str| registries.resolve(&there, revision, Freshness::Cached);
    assert_eq!(resolve("1.0.0").await.unwrap(), one);
    assert_eq!(resolve("1.1.0+build.1").await.unwrap(), two);
    assert_eq!(resolve("1.x").await.unwrap(), two);
    assert_eq!(registries.resolve(&there, &two, Freshness::Cached).await.unwrap(), two);
    assert_eq!(content(&registries, &there, &one).await.unwrap(), b"one");
    let manifest = registries.manifest(&there, &one).await.unwrap();
    assert_eq!(manifest.annotations["org.opencontainers.image.description"], "of the test");
    let mut tags = registries.tags(&there, Freshness::Cached).await.unwrap().as_ref().clone();
    tags.sort();
    assert_eq!(tags, ["1.0.0", "1.1.0+build.1", "2.0.0"]);
    // A tag that moved is seen when it is asked anew.
    let moved = push(&registry, "1.0.0", b"moved");
    assert_eq!(resolve("1.0.0").await.unwrap(), one);
    assert_eq!(registries.resolve(&there, "1.0.0", Freshness::Now).await.unwrap(), moved);
    let address = registry.address();
    let told = |error: OciError| error.to_string();
    assert_eq!(
        resolve("7.0.0").await.map_err(told).unwrap_err(),
        format!("cannot get digest for revision 7.0.0: {address}/team/app:7.0.0: not found")
    );
    assert_eq!(
        resolve("^7").await.map_err(told).unwrap_err(),
        "no version for constraints: version matching constraint not found in 3 tags"
    );
    assert!(resolve("../../x").await.map_err(told).unwrap_err().ends_with("not found"));
    let nobody = format!("sha256:{}", "0".repeat(64));
    assert!(registries.resolve(&there, &nobody, Freshness::Cached).await.is_err());
}

#[tokio::test]
async fn ghsa_6w87_g839_9wv7_only_the_right_password_over_the_right_certificate_is_let_in() {
    let storage = Storage::new().unwrap();
    let open = Registry::serve(&storage, &registry::Options::default()).unwrap();
    let digest = push(&open, "1.0.0", b"secret");
    let basic_auth = Some(("user".to_owned(), "open-sesame".to_owned()));
    let registry = Registry::serve(&storage, &registry::Options { basic_auth, tls: true }).unwrap();
    let authority = registry.certificate_authority().unwrap().to_owned();
    let right = Access {
        username: "user".into(),
        password: "open-sesame".to_owned().into(),
        certificate_authorities: authority.clone(),
        ..Access::default()
    };
    let registries = Registries::new(Options::default());
    let mine = repository(&registry, "team/app", right.clone());
    registries.ping(&mine).await.unwrap();
    assert_eq!(registries.resolve(&mine, "1.0.0", Freshness::Cached).await.unwrap(), digest);
    assert_eq!(content(&registries, &mine, &digest).await.unwrap(), b"secret");
    assert!(registries.admitted(&mine).await.unwrap());
    let wrong = [
        Access { password: "wrong-password".to_owned().into(), ..right.clone() },
        Access { certificate_authorities: authority, ..Access::default() },
        Access { certificate_authorities: String::new(), ..right.clone() },
    ];
    for access in wrong {
        let theirs = repository(&registry, "team/app", access);
        let refused = registries.ping(&theirs).await.unwrap_err().to_string();
        assert!(refused.contains("401") || refused.contains("certificate"), "{refused}");
        // What others were given by digest is not given to these.
        let refused = content(&registries, &theirs, &digest).await.unwrap_err().to_string();
        assert!(!refused.contains("password") && !refused.contains("sesame"), "{refused}");
        assert!(!registries.admitted(&theirs).await.unwrap());
    }
    let careless = Access { certificate_authorities: String::new(), insecure: true, ..right };
    registries.ping(&repository(&registry, "team/app", careless)).await.unwrap();
}

#[tokio::test]
async fn what_is_too_large_or_of_another_sort_is_not_taken() {
    let storage = Storage::new().unwrap();
    let registry = Registry::serve(&storage, &registry::Options::default()).unwrap();
    let digest = push(&registry, "1.0.0", &[7; 100]);
    let there = repository(&registry, "team/app", Access::default());
    let small = Registries::new(Options { layer_bytes: 50, ..Options::default() });
    let refused = content(&small, &there, &digest).await.unwrap_err().to_string();
    assert!(refused.ends_with("larger than the limit of 50 bytes"), "{refused}");
    let layers = [("application/vnd.example.zip", &b"x"[..]), (CHART_LAYER, b"y"), (LAYERS[0], b"z")];
    let several = Artifact { config_type: CONFIG, layers: &layers, annotations: &[] };
    let digest = registry.push("team/app", "several", &several).unwrap();
    let refused = content(&small, &there, &digest).await.unwrap_err().to_string();
    assert_eq!(refused, "expected only a single oci content layer, got 2");
    let nowhere = Repository {
        reference: Reference::parse("127.0.0.1:1/x").unwrap(),
        plain_http: true,
        access: Access::default(),
    };
    let refused = small.ping(&nowhere).await.unwrap_err();
    assert!(refused.retryable() && refused.to_string().contains("refused"), "{refused}");
}

#[tokio::test]
async fn a_proxy_leads_to_the_registry_unless_it_is_excepted() {
    let storage = Storage::new().unwrap();
    let open = Registry::serve(&storage, &registry::Options::default()).unwrap();
    let digest = push(&open, "1.0.0", b"one");
    let registry = Registry::serve(&storage, &registry::Options { tls: true, ..Default::default() }).unwrap();
    let proxy = Proxy::serve(None).unwrap();
    let access = Access {
        proxy: proxy.url("http").into(),
        certificate_authorities: registry.certificate_authority().unwrap_or_default().to_owned(),
        ..Access::default()
    };
    let through = repository(&registry, "team/app", access.clone());
    let registries = Registries::new(Options::default());
    assert_eq!(registries.resolve(&through, "1.0.0", Freshness::Now).await.unwrap(), digest);
    assert_eq!(content(&registries, &through, &digest).await.unwrap(), b"one");
    let led = proxy.led();
    assert!(!led.is_empty() && led.iter().all(|to| to.starts_with("CONNECT ")), "{led:?}");
    let no_proxy = "localhost,127.0.0.1".to_owned();
    let excepted = repository(&registry, "team/app", Access { no_proxy, ..access });
    assert_eq!(registries.resolve(&excepted, "1.0.0", Freshness::Now).await.unwrap(), digest);
    assert_eq!(proxy.led(), led);
}

#[tokio::test]
async fn a_registry_on_this_machine_may_do_without_tls() {
    let storage = Storage::new().unwrap();
    let registry = Registry::serve(&storage, &registry::Options::default()).unwrap();
    let digest = push(&registry, "1.0.0", b"plain");
    let there = Repository { plain_http: false, ..repository(&registry, "team/app", Access::default()) };
    let registries = Registries::new(Options::default());
    assert_eq!(registries.resolve(&there, "1.0.0", Freshness::Now).await.unwrap(), digest);
    assert_eq!(content(&registries, &there, &digest).await.unwrap(), b"plain");
}
