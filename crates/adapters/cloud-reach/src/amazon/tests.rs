//! What profiles say of credentials; STS answers at the transport.

use super::profiles::Profiles;
use super::{Asking, of_process, of_profile};
use crate::programs::Programs;
use bytes::Bytes;
use reqsign_core::{Context, Error, HttpSend, ProvideCredential, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// STS at the transport: notes what it is asked and by which key, and makes a key of the role's name.
#[derive(Clone, Debug, Default)]
struct Sts(Arc<Mutex<Vec<String>>>);

impl HttpSend for Sts {
    async fn http_send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        let signed = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let by = signed.and_then(|signed| signed.split("Credential=").nth(1)?.split('/').next());
        let asked = format!("{}{}", request.uri(), String::from_utf8_lossy(request.body()));
        let note = format!("{} {asked}", by.unwrap_or("nobody"));
        self.0.lock().expect("a list").push(note);
        let action = match asked.contains("WithWebIdentity") {
            true => "AssumeRoleWithWebIdentity",
            false => "AssumeRole",
        };
        let role = asked.split("role%2F").nth(1).and_then(|rest| rest.split('&').next());
        let role = role.ok_or_else(|| Error::unexpected("nobody is there"))?;
        let answer = format!(
            "<{action}Response><{action}Result><Credentials><AccessKeyId>ASIAROLEROLEROLE{role}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
             <SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></{action}Result></{action}Response>"
        );
        Ok(http::Response::new(answer.into()))
    }
}

const CONFIG: &str = "\
[default]
region = eu-north-1
[profile direct]
aws_access_key_id = DIRECT
aws_secret_access_key = s
aws_session_token = direct-session
[profile two]
role_arn = arn:aws:iam::111122223333:role/two
source_profile = one
role_session_name = deploys
duration_seconds = 1800
[profile one]
role_arn = arn:aws:iam::111122223333:role/one
source_profile = direct
external_id = ours
[profile own]
role_arn = arn:aws:iam::111122223333:role/own
source_profile = own
aws_access_key_id = OWN
aws_secret_access_key = s
[profile web]
role_arn = arn:aws:iam::111122223333:role/web
web_identity_token_file = <folder>/token
[profile after-web]
role_arn = arn:aws:iam::111122223333:role/after
source_profile = web
[profile variables]
role_arn = arn:aws:iam::111122223333:role/variables
credential_source = Environment
[profile program]
credential_process = printf '{\"Version\": 1, \"AccessKeyId\": \"%s\", \"SecretAccessKey\": \"s\", \"Expiration\": \"2099-01-01T00:00:00Z\"}' \"PRO GRAM\"
[profile after-program]
role_arn = arn:aws:iam::111122223333:role/after
source_profile = program
[profile fails]
credential_process = echo canary; echo canary >&2; exit 7
[profile prints]
credential_process = echo canary
[profile new]
credential_process = echo '{\"Version\": 2}'
[profile empty]
credential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"canary\"}'
[profile loop]
role_arn = arn:aws:iam::111122223333:role/a
source_profile = loop2
[profile loop2]
role_arn = arn:aws:iam::111122223333:role/a
source_profile = loop
[profile lost]
role_arn = arn:aws:iam::111122223333:role/a
source_profile = nowhere
[profile roleless]
source_profile = direct
[profile both]
role_arn = arn:aws:iam::111122223333:role/a
credential_source = Environment
credential_process = x
[profile odd]
role_arn = arn:aws:iam::111122223333:role/a
credential_source = Moon
[profile code]
role_arn = arn:aws:iam::111122223333:role/a
source_profile = direct
mfa_serial = arn:aws:iam::1:mfa/x
";

/// The key and session that come of a profile, or of the process where none is named; and what STS was asked.
async fn found(
    profile: &str,
    variables: &[(&str, &str)],
) -> (std::result::Result<String, String>, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config");
    std::fs::write(&config, CONFIG.replace("<folder>", &folder.path().to_string_lossy())).expect("written");
    std::fs::write(folder.path().join("token"), "a.web.token").expect("written");
    let mut variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    variables.insert("AWS_CONFIG_FILE".into(), config.to_string_lossy().into_owned());
    let sts = Sts::default();
    let context =
        crate::variables(&variables).with_http_send(sts.clone()).with_command_execute(Programs(variables));
    let outcome = keys(&context, profile).await.map_err(|error| error.to_string());
    let asked = sts.0.lock().expect("a list").clone();
    (outcome, asked)
}

async fn keys(context: &Context, profile: &str) -> Result<String> {
    let profiles = Profiles::read(context).await?;
    let asking = Asking { context, region: "eu-north-1", session: "us" };
    let chain = match profile {
        "" => of_process(&profiles, &profiles.chosen(context)?, &asking)?,
        named => of_profile(&profiles, named, &asking)?,
    };
    let found = chain.provide_credential(context).await?;
    Ok(found.map_or_else(
        || "nobody".to_owned(),
        |found| format!("{} {}", found.access_key_id, found.session_token.unwrap_or_default()),
    ))
}

#[tokio::test]
async fn profiles_lead_to_keys_as_amazons_sdk_reads_them() {
    let variables = [("AWS_ACCESS_KEY_ID", "VARIABLE"), ("AWS_SECRET_ACCESS_KEY", "s")];
    for (profile, key, steps) in [
        ("direct", "DIRECT direct-session", &[][..]),
        ("two", "ASIAROLEROLEROLEtwo t", &["DIRECT one ours us 900", "ASIAROLEROLEROLEone two deploys 1800"]),
        ("own", "ASIAROLEROLEROLEown t", &["OWN own us 900"]),
        ("web", "ASIAROLEROLEROLEweb t", &["nobody web a.web.token us"]),
        (
            "after-web",
            "ASIAROLEROLEROLEafter t",
            &["nobody web a.web.token us", "ASIAROLEROLEROLEweb after us 900"],
        ),
        ("variables", "ASIAROLEROLEROLEvariables t", &["VARIABLE variables us"]),
        ("program", "PRO GRAM ", &[]),
        ("after-program", "ASIAROLEROLEROLEafter t", &["PRO after"]),
    ] {
        let (outcome, asked) = found(profile, &variables).await;
        assert_eq!(outcome.as_deref(), Ok(key), "{profile}");
        assert_eq!(asked.len(), steps.len(), "{profile}: {asked:?}");
        for (asked, step) in asked.iter().zip(steps) {
            let mut words = step.split(' ');
            assert!(asked.starts_with(words.next().expect("a key")), "{profile}: {asked}");
            assert!(words.all(|word| asked.contains(word)), "{profile}: {step}: {asked}");
        }
    }
}

#[tokio::test]
async fn what_a_profile_cannot_mean_is_told_and_no_key_with_it() {
    for (profile, said) in [
        ("fails", "credential_process of the profile \"fails\": it ended with the status 7"),
        ("prints", "it did not print JSON"),
        ("new", "it printed the version 2"),
        ("empty", "it printed no AccessKeyId or no SecretAccessKey"),
        ("loop", "the profile \"loop2\" has the source_profile \"loop\", which has no credentials"),
        ("lost", "has the source_profile \"nowhere\", which is in no file of profiles"),
        ("roleless", "the profile \"roleless\" has source_profile and no role_arn"),
        ("both", "has more than one of"),
        ("odd", "has the credential_source \"Moon\", which is none"),
        ("code", "has an mfa_serial"),
    ] {
        let (outcome, _) = found(profile, &[]).await;
        let told = outcome.expect_err(profile);
        assert!(told.contains(said) && !told.contains("canary"), "{profile}: {told}");
    }
}

#[tokio::test]
async fn variables_come_before_the_profile_and_a_named_one_must_be_there() {
    let keys = [("AWS_ACCESS_KEY_ID", "VARIABLE"), ("AWS_SECRET_ACCESS_KEY", "s")];
    assert_eq!(
        found("", &[&keys[..], &[("AWS_PROFILE", "direct")]].concat()).await.0.as_deref(),
        Ok("VARIABLE ")
    );
    assert_eq!(found("", &[("AWS_PROFILE", "direct")]).await.0.as_deref(), Ok("DIRECT direct-session"));
    assert_eq!(
        found("", &[("AWS_DEFAULT_PROFILE", "direct")]).await.0.as_deref(),
        Ok("DIRECT direct-session")
    );
    let told = found("", &[("AWS_PROFILE", "nowhere")]).await.0.expect_err("no such profile");
    assert!(told.contains("\"nowhere\", which AWS_PROFILE names"), "{told}");
    let off = [("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_DEFAULT_PROFILE", "nowhere")];
    assert_eq!(found("", &off).await.0.as_deref(), Ok("nobody"));
}
