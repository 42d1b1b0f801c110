//! Azure: a token of Entra for the clusters' own application, got as `kubelogin` gets it.

use crate::{Refusal, Token, variable};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use reqsign_core::Context;
use serde_json::Value;

/// The application that all clusters of Azure are.
const CLUSTERS: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const MACHINE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

pub(crate) async fn token(context: &Context, now: Timestamp) -> Result<Token, Refusal> {
    let server = variable(context, "AAD_SERVER_APPLICATION_ID").unwrap_or_else(|| CLUSTERS.to_owned());
    let method = variable(context, "AAD_LOGIN_METHOD").unwrap_or_else(|| "workloadidentity".to_owned());
    let bound = variable(context, "AAD_IS_POP_TOKEN_ENABLED");
    if method == "spn"
        && bound.is_some_and(|value| matches!(value.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True"))
    {
        return Err(Refusal::lasting(
            "AAD_IS_POP_TOKEN_ENABLED: tokens with proof of possession are not made here",
        ));
    }
    let request = match method.as_str() {
        "workloadidentity" => {
            let file = needed(context, &["AZURE_FEDERATED_TOKEN_FILE"])?;
            let assertion = context.file_read_as_string(&file).await.map_err(|error| {
                Refusal::lasting(format!("read {file}, which AZURE_FEDERATED_TOKEN_FILE names: {error}"))
            })?;
            let client = needed(context, &["AZURE_CLIENT_ID", "AAD_SERVICE_PRINCIPAL_CLIENT_ID"])?;
            let proof = [("client_assertion_type", ASSERTION), ("client_assertion", assertion.trim())];
            login(context, &server, &client, &proof)?
        }
        "spn" => {
            let client = needed(context, &["AAD_SERVICE_PRINCIPAL_CLIENT_ID", "AZURE_CLIENT_ID"])?;
            let secret = needed(context, &["AAD_SERVICE_PRINCIPAL_CLIENT_SECRET", "AZURE_CLIENT_SECRET"])?;
            login(context, &server, &client, &[("client_secret", &secret)])?
        }
        "msi" => of_machine(context, &server)?,
        other => {
            return Err(Refusal::lasting(format!(
                "AAD_LOGIN_METHOD is {other:?}; without a person at hand there are workloadidentity, spn and msi"
            )));
        }
    };
    let answer = context.http_send(request).await?;
    let told: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let status = answer.status();
    let text = told["access_token"].as_str().unwrap_or_default();
    if !status.is_success() || text.is_empty() {
        // `error` is one of a few words; the description may quote what was sent.
        let error = told["error"].as_str().unwrap_or("no token in the answer");
        let again = status.is_server_error() || status == http::StatusCode::TOO_MANY_REQUESTS;
        return Err(Refusal { message: format!("Azure refuses a token ({status}): {error}"), again });
    }
    // Entra tells a number, the machine's service the same as text.
    let lasts = &told["expires_in"];
    let lasts = lasts.as_i64().or_else(|| lasts.as_str()?.parse().ok()).unwrap_or_default();
    let expires = now.saturating_add(SignedDuration::from_secs(lasts)).unwrap_or(now);
    Ok(Token { text: text.to_owned(), expires })
}

fn needed(context: &Context, names: &[&str]) -> Result<String, Refusal> {
    names
        .iter()
        .find_map(|name| variable(context, name))
        .ok_or_else(|| Refusal::lasting(format!("{} is not set", names.join(" or "))))
}

fn login(
    context: &Context,
    server: &str,
    client: &str,
    proof: &[(&str, &str)],
) -> Result<http::Request<Bytes>, Refusal> {
    let tenant = needed(context, &["AZURE_TENANT_ID", "AAD_TENANT_ID"])?;
    let authority = match variable(context, "AZURE_AUTHORITY_HOST") {
        Some(authority) => authority,
        None => authority(context)?.to_owned(),
    };
    let address = format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/'));
    if !address.starts_with("https://") {
        return Err(Refusal::lasting("AZURE_AUTHORITY_HOST is no https address"));
    }
    let scope = format!("{server}/.default");
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs([("grant_type", "client_credentials"), ("client_id", client), ("scope", &scope)]);
    form.extend_pairs(proof);
    http::Request::post(&address)
        .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.finish().into())
        .map_err(|error| Refusal::lasting(format!("ask {authority} for the tenant {tenant:?}: {error}")))
}

/// Where one logs in, by the cloud's name.
fn authority(context: &Context) -> Result<&'static str, Refusal> {
    let name = variable(context, "AAD_ENVIRONMENT_NAME").unwrap_or_default();
    Ok(match name.to_ascii_uppercase().as_str() {
        "" | "AZURECLOUD" | "AZUREPUBLICCLOUD" => "https://login.microsoftonline.com",
        "AZURECHINACLOUD" => "https://login.chinacloudapi.cn",
        "AZUREUSGOVERNMENT" | "AZUREUSGOVERNMENTCLOUD" => "https://login.microsoftonline.us",
        _ => {
            return Err(Refusal::lasting(format!(
                "AAD_ENVIRONMENT_NAME is {name:?}, which is no cloud of Azure"
            )));
        }
    })
}

fn of_machine(context: &Context, server: &str) -> Result<http::Request<Bytes>, Refusal> {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs([("api-version", "2018-02-01"), ("resource", server)]);
    if let Some(client) = variable(context, "AZURE_CLIENT_ID") {
        query.append_pair("client_id", &client);
    }
    http::Request::get(format!("{MACHINE}?{}", query.finish()))
        .header("Metadata", "true")
        .body(Bytes::new())
        .map_err(|error| Refusal::lasting(format!("ask the machine: {error}")))
}

#[cfg(test)]
mod tests {
    use super::token;
    use bytes::Bytes;
    use jiff::Timestamp;
    use reqsign_core::{HttpSend, Result};
    use std::collections::BTreeMap;

    const NOW: Timestamp = Timestamp::constant(1_767_323_045, 0);

    /// Entra and the machine's own service at the transport.
    #[derive(Debug)]
    struct Entra(u16);

    impl HttpSend for Entra {
        async fn http_send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
            let body = String::from_utf8_lossy(request.body()).into_owned();
            let answer = if self.0 == 200 {
                // The token tells what was asked, for the test to see.
                let token = format!("{} {} {body}", request.method(), request.uri());
                serde_json::json!({"access_token": token, "expires_in": if body.is_empty() { "600".into() } else { serde_json::json!(600) }})
            } else {
                serde_json::json!({"error": "invalid_client", "error_description": format!("was sent: {body}")})
            };
            Ok(http::Response::builder().status(self.0).body(answer.to_string().into()).unwrap())
        }
    }

    async fn ask(variables: &[(&str, &str)], status: u16) -> std::result::Result<String, (String, bool)> {
        let variables: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let context = cloud_reach::variables(&variables).with_http_send(Entra(status));
        match token(&context, NOW).await {
            Ok(token) => {
                assert_eq!(token.expires.to_string(), "2026-01-02T03:14:05Z");
                Ok(token.text)
            }
            Err(refusal) => Err((refusal.message, refusal.again)),
        }
    }

    #[tokio::test]
    async fn a_workload_proves_itself_by_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "federated.token\n").unwrap();
        let mut variables = vec![
            ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
            ("AZURE_CLIENT_ID", "client"),
            ("AZURE_TENANT_ID", "tenant"),
        ];
        assert_eq!(
            ask(&variables, 200).await.unwrap(),
            "POST https://login.microsoftonline.com/tenant/oauth2/v2.0/token grant_type=client_credentials&client_id=client\
             &scope=6dae42f8-4368-4678-94ff-3960e28e3630%2F.default\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=federated.token"
        );
        let (told, again) = ask(&variables, 401).await.unwrap_err();
        assert_eq!(told, "Azure refuses a token (401 Unauthorized): invalid_client");
        assert!(!again && ask(&variables, 503).await.unwrap_err().1);
        variables.push(("AZURE_AUTHORITY_HOST", "http://login.example"));
        assert!(ask(&variables, 200).await.unwrap_err().0.contains("no https address"));
    }

    #[tokio::test]
    async fn secrets_and_machines_have_their_ways() {
        let variables = [
            ("AAD_LOGIN_METHOD", "spn"),
            ("AAD_SERVICE_PRINCIPAL_CLIENT_ID", "client"),
            ("AAD_SERVICE_PRINCIPAL_CLIENT_SECRET", "s&cret"),
            ("AZURE_TENANT_ID", "tenant"),
            ("AAD_ENVIRONMENT_NAME", "AzureChinaCloud"),
            ("AAD_SERVER_APPLICATION_ID", "own"),
        ];
        assert_eq!(
            ask(&variables, 200).await.unwrap(),
            "POST https://login.chinacloudapi.cn/tenant/oauth2/v2.0/token grant_type=client_credentials&client_id=client\
             &scope=own%2F.default&client_secret=s%26cret"
        );
        assert_eq!(
            ask(&[("AAD_LOGIN_METHOD", "msi"), ("AZURE_CLIENT_ID", "user")], 200).await.unwrap(),
            "GET http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01\
             &resource=6dae42f8-4368-4678-94ff-3960e28e3630&client_id=user "
        );
    }
}
