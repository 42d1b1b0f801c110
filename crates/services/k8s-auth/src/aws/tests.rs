//! Where keys are found, in which order, and what is signed with them; STS answers at the transport.

use super::{Asked, token};
use crate::Refusal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use jiff::Timestamp;
use reqsign_core::{Context, Error, HttpSend, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const NOW: Timestamp = Timestamp::constant(1_767_323_045, 0);

/// STS at the transport: notes what it is asked, and lets everybody be the role they ask for.
#[derive(Clone, Debug, Default)]
struct Sts(Arc<Mutex<Vec<String>>>);

impl HttpSend for Sts {
    async fn http_send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        let signed = request.headers().get("authorization").map_or("", |value| value.to_str().unwrap());
        let by =
            signed.split("Credential=").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or("nobody");
        let body = String::from_utf8_lossy(request.body()).into_owned();
        self.0.lock().unwrap().push(format!("{by} {} {body}", request.uri()));
        let asked = format!("{}{body}", request.uri());
        let action =
            if asked.contains("WithWebIdentity") { "AssumeRoleWithWebIdentity" } else { "AssumeRole" };
        if !asked.contains("RoleArn") {
            return Err(Error::unexpected("nobody is there"));
        }
        let answer = format!(
            "<{action}Response><{action}Result><Credentials><AccessKeyId>ASIAROLEROLEROLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
             <SessionToken>SESSION</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></{action}Result>\
             </{action}Response>"
        );
        Ok(http::Response::new(answer.into()))
    }
}

struct Answer {
    told: std::result::Result<String, String>,
    asked: Vec<String>,
}

async fn ask(variables: &[(&str, &str)], role: &str, profile: &str) -> Answer {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let sts = Sts::default();
    let context: Context = cloud_reach::variables(&variables).with_http_send(sts.clone());
    let asked = Asked { cluster: "prod".into(), role: role.into(), profile: profile.into() };
    let told = match token(&asked, &context, NOW).await {
        Ok(token) => {
            assert_eq!(token.expires.to_string(), "2026-01-02T03:18:05Z");
            let text = token.text.strip_prefix("k8s-aws-v1.").unwrap();
            Ok(String::from_utf8(URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap())
        }
        Err(Refusal { message, .. }) => Err(message),
    };
    let asked = sts.0.lock().unwrap().clone();
    Answer { told, asked }
}

const KEYS: [(&str, &str); 3] =
    [("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "SK"), ("AWS_REGION", "eu-central-1")];

#[tokio::test]
async fn keys_in_variables_sign_the_address() {
    let answer = ask(&KEYS, "", "").await;
    let address = answer.told.unwrap();
    assert!(
        address.starts_with(
            "https://sts.eu-central-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15\
             &X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20260102%2Feu-central-1%2Fsts%2Faws4_request\
             &X-Amz-Date=20260102T030405Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Signature="
        ),
        "{address}"
    );
    assert_eq!(answer.asked, Vec::<String>::new());
}

#[tokio::test]
async fn a_role_is_taken_with_the_keys_and_signs() {
    let answer = ask(&KEYS, "arn:aws:iam::111122223333:role/deployer", "").await;
    let address = answer.told.unwrap();
    assert!(
        address.contains("Credential=ASIAROLEROLEROLE%2F")
            && address.contains("X-Amz-Security-Token=SESSION"),
        "{address}"
    );
    let [asked] = answer.asked.as_slice() else { panic!("{:?}", answer.asked) };
    assert!(asked.starts_with("AK https://sts.eu-central-1.amazonaws.com/"), "{asked}");
    assert!(asked.contains("deployer") && asked.contains("argocd-k8s-auth"), "{asked}");
}

#[tokio::test]
async fn the_service_accounts_own_role_is_taken_by_its_token() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "a.web.token").unwrap();
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws-cn:iam::111122223333:role/argocd"),
        ("AWS_REGION", "cn-north-1"),
    ];
    let answer = ask(&variables, "arn:aws-cn:iam::222233334444:role/deployer", "").await;
    let address = answer.told.unwrap();
    assert!(address.starts_with("https://sts.cn-north-1.amazonaws.com.cn/?"), "{address}");
    let [first, second] = answer.asked.as_slice() else { panic!("{:?}", answer.asked) };
    assert!(first.starts_with("nobody ") && first.contains("a.web.token"), "{first}");
    assert!(second.starts_with("ASIAROLEROLEROLE ") && second.contains("deployer"), "{second}");
}

#[tokio::test]
async fn profiles_lead_to_their_sources() {
    let folder = tempfile::tempdir().unwrap();
    let (config, keys) = (folder.path().join("config"), folder.path().join("keys"));
    std::fs::write(
        &config,
        "[default]\nregion = us-east-1\n\n[profile prod]\nrole_arn = arn:aws:iam::222233334444:role/prod\nsource_profile = base\nexternal_id = ours # a word\nregion=eu-west-1\n[profile loop]\nrole_arn=a\nsource_profile=loop2\nregion=x\n[profile loop2]\nrole_arn=a\nsource_profile=loop\n",
    )
    .unwrap();
    std::fs::write(&keys, "[base]\naws_access_key_id = BASE\naws_secret_access_key = S\n").unwrap();
    let files = [
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
        ("AWS_SHARED_CREDENTIALS_FILE", keys.to_str().unwrap()),
        // A profile that is asked for comes before keys.
        ("AWS_ACCESS_KEY_ID", "AK"),
        ("AWS_SECRET_ACCESS_KEY", "SK"),
    ];
    let answer = ask(&files, "", "prod").await;
    let address = answer.told.unwrap();
    assert!(address.contains("Credential=ASIAROLEROLEROLE%2F20260102%2Feu-west-1%2F"), "{address}");
    let [asked] = answer.asked.as_slice() else { panic!("{:?}", answer.asked) };
    assert!(asked.starts_with("BASE ") && asked.contains("ours"), "{asked}");
    assert!(!asked.contains("word"), "{asked}");
    for (profile, said) in [("loop", "has no credentials"), ("none", "in no file of profiles")] {
        let told = ask(&files, "", profile).await.told.unwrap_err();
        assert!(told.contains(said), "{told}");
    }
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let told = ask(&[], "", "").await.told.unwrap_err();
    assert!(told.contains("there is no region: set AWS_REGION"), "{told}");
    let off = [("AWS_REGION", "x"), ("AWS_EC2_METADATA_DISABLED", "true")];
    let told = ask(&off, "", "").await.told.unwrap_err();
    assert!(told.contains("there are no credentials of Amazon"), "{told}");
    let file = [("AWS_CONFIG_FILE", "/nowhere/config")];
    let told = ask(&file, "", "").await.told.unwrap_err();
    assert!(told.contains("/nowhere/config, which AWS_CONFIG_FILE names"), "{told}");
}
