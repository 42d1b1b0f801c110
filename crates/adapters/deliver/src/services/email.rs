//! Mail by SMTP: encrypted from the start on port 465, by STARTTLS where the server offers it; a password is never sent in
//! the clear, but to this very machine.

use super::{Delivery, text};
use crate::failure::Failure;
use crate::http::Outlet;
use async_trait::async_trait;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Mailbox, Message, SinglePart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::extension::ClientId;
use notify::fields::Members;
use notify::{Destination, Notification};
use object::Secret;
use std::net::SocketAddr;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(20);
/// A whole delivery, with all its steps.
const LONGEST: Duration = Duration::from_secs(60);
/// The port that speaks TLS from the first byte.
const IMPLICIT_TLS: u16 = 465;

struct Email {
    host: String,
    port: u16,
    username: String,
    password: Secret<String>,
    from: String,
    html: bool,
    tls: TlsParameters,
    outlet: Outlet,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let host = options.text("host")?;
    let port = options.integer("port")?;
    let port = u16::try_from(port).map_err(|_| format!("email: {port} is no port"))?;
    let insecure = options.flag("insecure_skip_verify")?.unwrap_or_default();
    Ok(Box::new(Email {
        tls: tls(&host, port, insecure, outlet)?,
        port: if port == 0 { 25 } else { port },
        host,
        username: options.text("username")?,
        password: Secret::new(options.text("password")?),
        from: options.text("from")?,
        html: options.flag("html")?.unwrap_or_default(),
        outlet: outlet.clone(),
    }))
}

fn tls(host: &str, port: u16, insecure: bool, outlet: &Outlet) -> Result<TlsParameters, String> {
    let failed = |error: SmtpError| format!("email: TLS for {host}: {error}");
    let mut builder: TlsParametersBuilder = TlsParameters::builder(host.to_owned());
    let known = [format!("{host}:{port}"), host.to_owned()];
    if insecure {
        builder = builder.dangerous_accept_invalid_certs(true).dangerous_accept_invalid_hostnames(true);
    } else if let Some(pem) = known.iter().find_map(|host| (outlet.world.authorities)(host)) {
        let certificate = Certificate::from_pem(&pem).map_err(failed)?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(failed)
}

impl Email {
    fn message(&self, notification: &Notification, recipients: &[Mailbox]) -> Result<Message, Failure> {
        let section = notification.section("email");
        let body = match text(section.as_ref(), "body")? {
            body if body.is_empty() => notification.message.clone(),
            body => body,
        };
        let from: Mailbox = self.from.parse().map_err(|error| {
            Failure::lasting(format!("email: the sender {:?} is no address: {error}", self.from))
        })?;
        // A subject is one line, whatever a template makes of it.
        let subject = text(section.as_ref(), "subject")?.replace(['\r', '\n'], " ");
        let kind = if self.html { ContentType::TEXT_HTML } else { ContentType::TEXT_PLAIN };
        let part =
            SinglePart::builder().header(kind).header(ContentTransferEncoding::QuotedPrintable).body(body);
        let mut builder = Message::builder().from(from).subject(subject.trim());
        for recipient in recipients {
            builder = builder.to(recipient.clone());
        }
        builder.singlepart(part).map_err(|error| Failure::lasting(format!("email: {error}")))
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, Failure> {
        let failed = |error| Failure::passing(format!("email: look up {}: {error}", self.host));
        let elsewhere = self.outlet.world.instead.get(&format!("smtp://{}:{}", self.host, self.port));
        let found: Vec<SocketAddr> = match elsewhere {
            Some(place) => tokio::net::lookup_host(place.as_str()).await.map_err(failed)?.collect(),
            None => tokio::net::lookup_host((self.host.as_str(), self.port)).await.map_err(failed)?.collect(),
        };
        let reach = self.outlet.reach;
        let permitted: Vec<_> = found.into_iter().filter(|address| reach.permits(address.ip())).collect();
        if permitted.is_empty() {
            return Err(Failure::lasting(format!("email: {} must not be reached", self.host)));
        }
        Ok(permitted)
    }

    async fn send(&self, message: &Message) -> Result<(), Failure> {
        let addresses = self.addresses().await?;
        let about = |error: SmtpError| self.failure(&error);
        let hello = ClientId::Domain("localhost".to_owned());
        let implicit = (self.port == IMPLICIT_TLS).then(|| self.tls.clone());
        let connected =
            AsyncSmtpConnection::connect_tokio1(&addresses[..], Some(TIMEOUT), &hello, implicit, None).await;
        let mut connection = connected.map_err(about)?;
        if self.port != IMPLICIT_TLS && connection.can_starttls() {
            connection.starttls(self.tls.clone(), &hello).await.map_err(about)?;
        }
        // As in the original: who has no password, or is asked for none, needs none.
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        let offered = connection.server_info().get_auth_mechanism(&mechanisms).is_some();
        if offered && !self.username.is_empty() && !self.password.reveal().is_empty() {
            let local = addresses.iter().all(|address| address.ip().is_loopback());
            if !connection.is_encrypted() && !local {
                connection.abort().await;
                return Err(Failure::lasting(format!(
                    "email: {}:{} offers no encryption: the password is not sent in the clear",
                    self.host, self.port
                )));
            }
            let credentials = Credentials::new(self.username.clone(), self.password.reveal().clone());
            connection.auth(&mechanisms, &credentials).await.map_err(about)?;
        }
        let sent = connection.send(message.envelope(), &message.formatted()).await;
        let sent = sent.map_err(about).map(|_| ());
        // It was taken, or not: how the conversation ends changes nothing about that.
        let _ = connection.quit().await;
        sent
    }

    fn failure(&self, error: &SmtpError) -> Failure {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
        let text = error.to_string();
        let cause = if text.contains(cause.trim_start_matches(": ")) { String::new() } else { cause };
        let message = format!("email: could not send by {}:{}: {text}{cause}", self.host, self.port);
        Failure { message, retry: !error.is_permanent(), after: None }
    }
}

#[async_trait]
impl Delivery for Email {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        // One mail to all of them.
        let addresses = destination.recipient.split(',').map(|address| {
            address.trim().parse::<Mailbox>().map_err(|error| {
                Failure::lasting(format!("email: {:?} is no address: {error}", address.trim()))
            })
        });
        let message = self.message(notification, &addresses.collect::<Result<Vec<_>, _>>()?)?;
        let _place = self.outlet.gate.place().await?;
        let late = |_| Failure::passing(format!("email: no answer of {}:{} in time", self.host, self.port));
        tokio::time::timeout(LONGEST, self.send(&message)).await.map_err(late)?
    }
}
