//! Flags every command has, and `ARGOCD_OPTS`, which gives them other defaults.

use std::collections::BTreeMap;

use crate::command::{Flag, int, list, switch, text};

/// Flags of the root, known to all commands.
pub(crate) const GLOBAL: &[Flag] = &[
    text("argocd-context", "Use this context of the configuration file"),
    text("auth-token", "The token to authenticate with; also ARGOCD_AUTH_TOKEN"),
    text("client-crt", "File with the client certificate"),
    text("client-crt-key", "File with the key of the client certificate"),
    text("config", "The configuration file"),
    text("controller-name", "Name of the application controller, for --core and --port-forward")
        .or("argocd-application-controller"),
    switch("core", "Talk to Kubernetes instead of an API server"),
    switch("grpc-web", "Speak gRPC-web, for proxies that know no HTTP/2"),
    text("grpc-web-root-path", "Speak gRPC-web below this path"),
    list("header", "Send this header with each request, as name:value").short('H'),
    int("http-retry-max", "How often a connection is tried again"),
    switch("insecure", "Do not verify the server's certificate"),
    text("kube-context", "Kubernetes context for --core and --port-forward"),
    text("logformat", "Shape of log lines: json or text").or("json"),
    text("loglevel", "Least important level that is logged: debug, info, warn or error").or("info"),
    switch("plaintext", "Do not use TLS"),
    switch("port-forward", "Reach the server through a port of the Kubernetes API"),
    text("port-forward-namespace", "Namespace of the server for --port-forward"),
    switch("prompts-enabled", "Ask before commands that delete"),
    text("redis-compress", "Compression of cached values for --core: gzip or none").or("gzip"),
    text("redis-haproxy-name", "Name of the Redis proxy for --core").or("argocd-redis-ha-haproxy"),
    text("redis-name", "Name of Redis for --core").or("argocd-redis"),
    text("repo-server-name", "Name of the repo-server for --core").or("argocd-repo-server"),
    text("server", "Address of the API server; also ARGOCD_SERVER"),
    text("server-crt", "File with the certificate authority of the server"),
    text("server-name", "Name of the API server for --port-forward").or("argocd-server"),
];

/// Flags for commands that may talk to Kubernetes themselves.
pub(crate) const KUBERNETES: &[Flag] = &[
    text("cluster", "The cluster of the kubeconfig"),
    text("context", "The context of the kubeconfig"),
    switch("insecure-skip-tls-verify", "Do not verify the certificate of the Kubernetes API"),
    text("kubeconfig", "The kubeconfig file"),
    text("namespace", "The namespace").short('n'),
    text("password", "Password for the Kubernetes API"),
    text("proxy-url", "Proxy to the Kubernetes API"),
    text("request-timeout", "Time-out of one request to the Kubernetes API").or("0"),
    text("token", "Token for the Kubernetes API"),
    text("user", "The user of the kubeconfig"),
    text("username", "User name for the Kubernetes API"),
];

/// The flags in `ARGOCD_OPTS`.
pub(crate) fn from_variable(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut flags = BTreeMap::new();
    let mut open: Option<String> = None;
    for word in words(text)? {
        match (word.strip_prefix("--"), open.take()) {
            (Some(name), before) => {
                if let Some(before) = before {
                    flags.insert(before, "true".to_owned());
                }
                match name.split_once('=') {
                    Some((name, value)) => {
                        flags.insert(name.to_owned(), value.to_owned());
                    }
                    None => open = Some(name.to_owned()),
                }
            }
            (None, Some(name)) => {
                flags.insert(name, word);
            }
            (None, None) => return Err(format!("ARGOCD_OPTS invalid at '{word}'")),
        }
    }
    if let Some(name) = open {
        flags.insert(name, "true".to_owned());
    }
    Ok(flags)
}

/// Splits as a shell does: blanks, quotes and backslashes.
pub(crate) fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let open = word.get_or_insert_default();
                loop {
                    match letters.next() {
                        Some('\'') => break,
                        Some(c) => open.push(c),
                        None => return Err("Unterminated single-quoted string".into()),
                    }
                }
            }
            '"' => {
                let open = word.get_or_insert_default();
                loop {
                    match letters.next() {
                        Some('"') => break,
                        Some('\\') => match letters.next() {
                            Some(c @ ('"' | '\\' | '$' | '`')) => open.push(c),
                            Some('\n') => {}
                            Some(c) => open.extend(['\\', c]),
                            None => return Err("Unterminated double-quoted string".into()),
                        },
                        Some(c) => open.push(c),
                        None => return Err("Unterminated double-quoted string".into()),
                    }
                }
            }
            '\\' => match letters.next() {
                Some('\n') => {}
                Some(c) => word.get_or_insert_default().push(c),
                None => return Err("Unterminated backslash-escape".into()),
            },
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}
