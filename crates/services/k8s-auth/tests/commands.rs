//! The command line: what is asked for, what is refused.

use std::collections::BTreeMap;

async fn told(arguments: &[&str], variables: &[(&str, &str)]) -> Result<String, String> {
    let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    boot::crypto();
    k8s_auth::run(&arguments, &variables).await
}

#[tokio::test]
async fn a_credential_is_as_kubernetes_clients_want_it() {
    let keys =
        [("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "SECRET"), ("AWS_REGION", "eu-central-1")];
    let text = told(&["aws", "--cluster-name", "prod"], &keys).await.unwrap();
    let credential: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(credential["kind"], "ExecCredential");
    assert_eq!(credential["apiVersion"], "client.authentication.k8s.io/v1beta1");
    let token = credential["status"]["token"].as_str().unwrap();
    assert!(token.starts_with("k8s-aws-v1.") && !token.contains('='), "{token}");
    let ends: jiff::Timestamp =
        credential["status"]["expirationTimestamp"].as_str().unwrap().parse().unwrap();
    assert!(ends > jiff::Timestamp::now());
    assert!(!text.contains("SECRET"));
}

#[tokio::test]
async fn mistakes_are_named() {
    for (arguments, said) in [
        (vec!["oracle"], "it has aws, azure and gcp"),
        (vec!["--verbose"], "unknown flag: --verbose"),
        (vec!["gcp", "--role-arn", "x"], "unknown argument \"--role-arn\" for \"gcp\""),
        (vec!["aws"], "--cluster-name is empty"),
        (vec!["azure"], "AZURE_FEDERATED_TOKEN_FILE is not set"),
    ] {
        let error = told(&arguments, &[]).await.unwrap_err();
        assert!(error.contains(said), "{error}");
    }
    let error = told(&["azure"], &[("AAD_LOGIN_METHOD", "devicecode")]).await.unwrap_err();
    assert!(error.contains("workloadidentity, spn and msi"), "{error}");
    let file = [("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")];
    assert!(told(&["gcp"], &file).await.is_err());
    for arguments in [vec![], vec!["--help"]] {
        assert!(told(&arguments, &[]).await.unwrap().contains("Available Commands:"));
    }
    assert!(told(&["aws", "--help"], &[]).await.unwrap().contains("--role-arn string"));
}
