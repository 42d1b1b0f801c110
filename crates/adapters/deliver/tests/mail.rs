//! Mail through a real server: encrypted by STARTTLS, from the start, or not at all; with passwords, right and wrong.

mod common;

use common::Application;
use deliver::{Failure, Services, World};
use notify::{Config, Destination, Origin};
use object::Secret;
use std::collections::BTreeMap;
use std::sync::Arc;
use testkit::smtp::{Encryption, Mail, Options, SmtpSink};

const TEMPLATE: &str = "message: fallback\nemail:\n  subject: \"Mail about {{.app.metadata.name}}\\nBcc: x@y\"\n  \
     body: \"Body äöü\\nsecond line\\n.\\nafter a dot\\n\"\n";

struct Case {
    server: Options,
    /// Further lines of the service's settings.
    settings: &'static str,
    trusted: bool,
    recipient: &'static str,
}

impl Case {
    fn run(&self) -> (Result<(), Failure>, SmtpSink) {
        boot::crypto();
        let sink = SmtpSink::start(self.server.clone()).expect("a server");
        let port = if self.server.encryption == Encryption::Tls { 465 } else { sink.port };
        let options =
            format!("host: localhost\nport: {port}\nfrom: Argo <argo@example.com>\n{}", self.settings);
        let data: BTreeMap<String, String> = [("service.email", options.as_str()), ("template.t", TEMPLATE)]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into();
        let secrets = [("password".to_owned(), Secret::new(b"mail-password".to_vec()))].into();
        let config = Config::parse(&data, secrets, Origin::default()).expect("a configuration");
        let mut world = World::new(BTreeMap::new());
        let authority = sink.certificate_authority().as_bytes().to_vec();
        let trusted = self.trusted;
        // The port that speaks TLS from the start is not a test's to have.
        world.instead = [("smtp://localhost:465".to_owned(), format!("localhost:{}", sink.port))].into();
        world.authorities = Arc::new(move |host| (trusted && host == "localhost").then(|| authority.clone()));
        let services = Services::new(&config, &world).expect("services");
        let destination = Destination { service: "email".into(), recipient: self.recipient.into() };
        let notification = Application::recorded().notification(&config, "t", &destination).expect("a text");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let sent = runtime.block_on(services.send(&notification, &destination));
        if let Err(failure) = &sent {
            assert!(!failure.message.contains("mail-password"), "{failure}");
        }
        (sent, sink)
    }

    fn delivered(&self) -> Mail {
        let (sent, sink) = self.run();
        sent.expect("delivered");
        assert_eq!(sink.mails().len(), 1);
        sink.mails().remove(0)
    }

    fn refused(&self) -> String {
        let (sent, sink) = self.run();
        assert!(sink.mails().is_empty(), "nothing was sent");
        sent.expect_err("refused").message
    }
}

fn login() -> Option<(String, String)> {
    Some(("mu".to_owned(), "mail-password".to_owned()))
}

#[test]
fn plain_mail_is_what_was_written() {
    let server = Options::default();
    let mail = Case { server, settings: "", trusted: true, recipient: "a@example.com" }.delivered();
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("argo@example.com", &["a@example.com".to_owned()][..])
    );
    let (head, body) = mail.data.split_once("\n\n").expect("headers and a body");
    for line in [
        "From: Argo <argo@example.com>",
        "To: a@example.com",
        "Subject: Mail about notif Bcc: x@y",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
    ] {
        assert!(head.lines().any(|known| known == line), "{line} in\n{head}");
    }
    assert!(head.contains("Date: ") && !head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    assert_eq!(body.trim_end(), "Body =C3=A4=C3=B6=C3=BC\nsecond line\n.\nafter a dot");
}

#[test]
fn starttls_is_taken_where_it_is_offered_and_html_is_html() {
    let server = Options { encryption: Encryption::StartTls, login: login() };
    let settings = "username: mu\npassword: $password\nhtml: true\n";
    let mail = Case { server, settings, trusted: true, recipient: "a@example.com" }.delivered();
    assert!(mail.encrypted && mail.login.as_deref() == Some("mu"), "{mail:?}");
    assert!(mail.data.contains("Content-Type: text/html; charset=utf-8"), "{}", mail.data);
}

#[test]
fn who_is_not_asked_for_a_password_or_has_none_needs_none() {
    let settings = "username: mu\npassword: $password\n";
    let open = Options::default();
    let mail = Case { server: open.clone(), settings, trusted: true, recipient: "a@example.com" }.delivered();
    assert_eq!((mail.login, mail.encrypted), (None, false));
    let alone = "username: mu\n";
    let mail = Case { server: open, settings: alone, trusted: true, recipient: "a@example.com" }.delivered();
    assert_eq!(mail.login, None);
    // Who has none is not taken for somebody with an empty one.
    let server = Options { encryption: Encryption::StartTls, login: login() };
    let case = Case { server, settings: alone, trusted: true, recipient: "a@example.com" };
    let (sent, sink) = case.run();
    assert!(sent.expect_err("refused").message.contains("530"));
    assert!(!sink.commands().iter().any(|line| line.starts_with("AUTH")), "{:?}", sink.commands());
}

#[test]
fn port_465_is_encrypted_from_the_first_byte() {
    let server = Options { encryption: Encryption::Tls, login: login() };
    let settings = "username: mu\npassword: $password\n";
    let mail =
        Case { server: server.clone(), settings, trusted: true, recipient: "a@example.com" }.delivered();
    assert!(mail.encrypted && mail.login.as_deref() == Some("mu"), "{mail:?}");
    let (sent, sink) = Case { server, settings, trusted: false, recipient: "a@example.com" }.run();
    assert!(sent.expect_err("refused").message.contains("certificate"));
    assert!(sink.commands().is_empty(), "{:?}", sink.commands());
}

#[test]
fn several_recipients_get_one_mail() {
    let server = Options::default();
    let mail = Case {
        server,
        settings: "",
        trusted: true,
        recipient: "a@example.com, B <b@example.com>,c@example.com",
    }
    .delivered();
    assert_eq!(mail.to, ["a@example.com", "b@example.com", "c@example.com"]);
    assert!(mail.data.contains("\nTo: a@example.com, B <b@example.com>, c@example.com\n"), "{}", mail.data);
}

#[test]
fn a_certificate_nobody_vouches_for_ends_it_before_the_password() {
    let server = Options { encryption: Encryption::StartTls, login: login() };
    let settings = "username: mu\npassword: $password\n";
    let case = Case { server: server.clone(), settings, trusted: false, recipient: "a@example.com" };
    let (sent, sink) = case.run();
    assert!(sent.expect_err("refused").message.contains("certificate"));
    assert!(!sink.commands().iter().any(|line| line.starts_with("AUTH")), "{:?}", sink.commands());
    let settings = "username: mu\npassword: $password\ninsecure_skip_verify: true\n";
    let mail = Case { server, settings, trusted: false, recipient: "a@example.com" }.delivered();
    assert!(mail.encrypted);
}

#[test]
fn what_the_server_says_is_told_without_the_password() {
    let server = Options { encryption: Encryption::StartTls, login: Some(("mu".into(), "other".into())) };
    let settings = "username: mu\npassword: $password\n";
    let said = Case { server, settings, trusted: true, recipient: "a@example.com" }.refused();
    assert!(said.contains("535") && said.contains("wrong password"), "{said}");
    let said =
        Case { server: Options::default(), settings: "", trusted: true, recipient: "reject@example.com" };
    let said = said.refused();
    assert!(said.contains("550") && said.contains("no such user"), "{said}");
    let case = Case { server: Options::default(), settings: "", trusted: true, recipient: "nobody" };
    assert!(case.refused().contains("is no address"));
}
