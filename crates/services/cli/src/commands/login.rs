//! `argocd login`: a token for a server, kept in a context.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use wire::session::SessionCreateRequest;

use crate::command::{Command, Flag, Running, int, switch, text};
use crate::config::{self, Context};
use crate::connection::{Encryption, Server, Target, is_forwarded, probe};
use crate::failure::{Failure, Outcome, io_error};
use crate::session::Session;
use crate::sso::{self, Login};

/// What the server of `--core` is called in the configuration file.
const CORE: &str = "kubernetes";
/// What a server behind `--port-forward` is called there.
const FORWARDED: &str = "port-forward";

/// Flags of SSO logins, shared with `relogin`.
pub(crate) const SSO: &[Flag] = &[
    text("callback", "Scheme, host and port of the address that the provider sends the browser back to"),
    switch("sso-launch-browser", "Open the browser for an SSO login").or("true"),
    int("sso-port", "Port of the local server that receives the token").or("8085"),
];

pub(crate) static COMMAND: Command = Command {
    details: "The files of --client-crt and --client-crt-key are named in the context, and read again at every call.\n\n\
              Examples:\n  argocd login cd.argoproj.io\n  argocd login cd.argoproj.io --username admin\n  \
              argocd login localhost:8080 --plaintext\n  argocd login cd.argoproj.io --sso\n  \
              argocd login cd.argoproj.io --client-crt argocd.crt --client-crt-key argocd.key",
    flags: &[
        SSO,
        &[
            text("name", "Name of the context; the server's address when not given"),
            text("password", "Password of the account"),
            switch("skip-test-tls", "Do not try whether the server speaks TLS"),
            switch("sso", "Log in through the identity provider"),
            text("username", "Name of the account"),
        ],
    ],
    run: Some(start),
    ..Command::new("login", "SERVER", "Log in to Argo CD")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    if session.is("core") {
        let name = context_name(session, CORE);
        let user = config::User { name: name.clone(), ..config::User::default() };
        let target = Target::default();
        remember(session, &target, entry(session, CORE, &target)?, user)?;
        session.line(&format!("Context '{name}' updated"));
        return Ok(());
    }
    let forwarded = is_forwarded(session);
    let address = if forwarded { FORWARDED.to_owned() } else { session.only_argument()? };
    let mut target = Target::at(&address, session).await?;
    let entry = entry(session, &address, &target)?;
    if target.identity.is_none() {
        target.identity = entry.identity().map_err(Failure::generic)?;
    }
    if !session.is("skip-test-tls") && !forwarded {
        agree_on_encryption(session, &mut target).await?;
    }
    let server = session.connect(target).await?;
    let Login { token, refresh_token } = if session.is("sso") {
        sso::login(session, &server).await?
    } else {
        let (username, password) = (session.text("username"), session.text("password"));
        let token = by_password(session, &server, username, password).await?;
        Login { token, refresh_token: String::new() }
    };
    session.line(&format!("'{}' logged in successfully", display_name(&claims(&token)?)));
    let name = context_name(session, &address);
    let user = config::User { name, auth_token: token, refresh_token };
    let name = user.name.clone();
    remember(session, &server.target, entry, user)?;
    session.line(&format!("Context '{name}' updated"));
    Ok(())
}

/// Asks before a connection that is not encrypted, or not to whom it seems to be.
async fn agree_on_encryption(session: &mut Session<'_>, target: &mut Target) -> Outcome {
    match probe(target).await.map_err(Failure::generic)? {
        Encryption::Trusted => {}
        Encryption::None if target.plain_text => {}
        Encryption::None => {
            let question = "WARNING: server is not configured with TLS. Proceed (y/n)? ";
            if !session.proceed(question)? {
                return Err(Failure::Exit(1));
            }
            target.plain_text = true;
        }
        Encryption::Untrusted(_) if target.insecure => {}
        Encryption::Untrusted(reason) => {
            let question =
                format!("WARNING: server certificate had error: {reason}. Proceed insecurely (y/n)? ");
            if !session.proceed(&question)? {
                return Err(Failure::Exit(1));
            }
            target.insecure = true;
        }
    }
    Ok(())
}

/// A token for a name and a password; what is missing is asked for.
pub(crate) async fn by_password(
    session: &mut Session<'_>,
    server: &Server,
    username: String,
    password: String,
) -> Outcome<String> {
    let username = if username.is_empty() {
        session.print("Username: ");
        session.read_line()?.trim().to_owned()
    } else {
        username
    };
    let password = if password.is_empty() { session.read_password("Password: ")? } else { password };
    let request = SessionCreateRequest { username, password, token: String::new() };
    Ok(server.sessions().create(request).await?.into_inner().token)
}

/// The claims of a token, which the server has verified.
pub(crate) fn claims(token: &str) -> Outcome<Value> {
    let malformed = || Failure::generic("token is malformed: token contains an invalid number of segments");
    let payload = token.split('.').nth(1).ok_or_else(malformed)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).map_err(|_| malformed())?;
    serde_json::from_slice(&bytes).map_err(|_| malformed())
}

/// How the user is called in messages.
pub(crate) fn display_name(claims: &Value) -> &str {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text("email").or_else(|| text("name")).or_else(|| text("sub")).unwrap_or_default()
}

/// Whether a token is one of Argo CD's own, for a local account.
pub(crate) fn is_ours(claims: &Value) -> bool {
    claims.get("iss").and_then(Value::as_str) == Some("argocd")
}

/// The account in a subject `name:login`.
pub(crate) fn account(subject: Option<&Value>) -> String {
    let subject = subject.and_then(Value::as_str).unwrap_or_default();
    subject.split(':').next().unwrap_or_default().to_owned()
}

fn context_name(session: &Session<'_>, address: &str) -> String {
    let name = session.matches.text("name");
    let root = session.matches.text("grpc-web-root-path").trim_matches('/');
    match (name, root) {
        ("", "") => address.to_owned(),
        ("", root) => format!("{address}/{root}"),
        (name, _) => name.to_owned(),
    }
}

/// The entry of a server in the configuration file as far as it is known before the login: its certificates are those that
/// flags name, else those of the last login. Files of the client's are named and not copied, so that what renews them need
/// not log in; from the root, because the next call may be made in another folder.
fn entry(session: &Session<'_>, address: &str, target: &Target) -> Outcome<config::Server> {
    let config = config::load(&config::path(session.matches.text("config"), session.environment))?;
    let known = config.into_iter().flat_map(|config| config.servers).find(|known| known.server == address);
    let mut entry = known.unwrap_or_default();
    address.clone_into(&mut entry.server);
    if !session.matches.text("server-crt").is_empty() {
        entry.certificate_authority_data = STANDARD.encode(&target.authority);
    }
    let absolute = |flag: &str| {
        let file = session.matches.text(flag);
        let path = std::path::absolute(file)
            .map_err(|error| Failure::generic(format!("{file}: {}", io_error(&error))))?;
        Ok::<_, Failure>(path.to_string_lossy().into_owned())
    };
    match (session.matches.text("client-crt"), session.matches.text("client-crt-key")) {
        ("", "") => {}
        ("", _) | (_, "") => {
            return Err(Failure::generic(
                "--client-crt and --client-crt-key must always be specified together",
            ));
        }
        _ => {
            entry.client_certificate = absolute("client-crt")?;
            entry.client_certificate_key = absolute("client-crt-key")?;
            entry.client_certificate_data.clear();
            entry.client_certificate_key_data.clear();
        }
    }
    Ok(entry)
}

/// Keeps how the server was reached, and the user's token.
fn remember(session: &Session<'_>, target: &Target, entry: config::Server, user: config::User) -> Outcome {
    let name = user.name.clone();
    let path = config::path(session.matches.text("config"), session.environment);
    let mut config = config::load(&path)?.unwrap_or_default();
    config.put_context(Context { name: name.clone(), server: entry.server.clone(), user: name.clone() });
    config.put_server(config::Server {
        insecure: target.insecure,
        grpc_web: target.grpc_web,
        grpc_web_root_path: target.grpc_web_root_path.clone(),
        plain_text: target.plain_text,
        core: entry.server == CORE && session.is("core"),
        ..entry
    });
    config.put_user(user);
    config.current_context = name;
    config::write(&path, &config)
}
