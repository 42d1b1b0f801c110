//! Certificates: authorities, and what they or the certificates themselves sign. Time and randomness come from
//! outside.

use super::der::{integer, sequence, skip, tagged, take};
use super::keys::{self, Key};
use super::{int, text};
use crate::cast::to_text;
use crate::functions::Line;
use crate::machine::Machine;
use crate::value::{Object, Value};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::rc::Rc;

pub(super) const LINES: &[Line] = &[
    ("genCA", "si", |machine, a| {
        let key = keys::rsa_key(machine, 2048)?;
        authority(machine, a, &key)
    }),
    ("genCAWithKey", "sis", |machine, a| {
        let key = given_key(a, 2)?;
        authority(machine, a, &key)
    }),
    ("genSelfSignedCert", "slli", |machine, a| {
        let key = keys::rsa_key(machine, 2048)?;
        issued(machine, a, &key, None)
    }),
    ("genSelfSignedCertWithKey", "sllis", |machine, a| {
        let key = given_key(a, 4)?;
        issued(machine, a, &key, None)
    }),
    ("genSignedCert", "sllic", |machine, a| {
        let key = keys::rsa_key(machine, 2048)?;
        issued(machine, a, &key, Some(&a[4]))
    }),
    ("genSignedCertWithKey", "sllics", |machine, a| {
        let key = given_key(a, 5)?;
        issued(machine, a, &key, Some(&a[4]))
    }),
    ("buildCustomCert", "ss", custom),
];

/// The name of the type, which `genSignedCert` asks for.
pub(crate) const TYPE: &str = "sprig.certificate";

struct Certificate {
    certificate: String,
    key: String,
}

impl Object for Certificate {
    fn type_name(&self) -> &'static str {
        TYPE
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(Value::text(self.certificate.as_str())),
            "Key" => Some(Value::text(self.key.as_str())),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![("Cert", Value::text(self.certificate.as_str())), ("Key", Value::text(self.key.as_str()))]
    }

    fn json(&self) -> Value {
        let members = self.fields().into_iter().map(|(name, value)| (name.into(), value));
        crate::value::Map::any(members.collect())
    }
}

fn given_key(a: &[Value], index: usize) -> Result<Key, String> {
    Key::parse(&text(a, index).to_str()).map_err(|error| format!("parsing private key: {error}"))
}

/// What makes a certificate, besides keys.
struct Request {
    name: String,
    days: i64,
    alternatives: Vec<Vec<u8>>,
    authority: bool,
}

/// Who signs: the key, the name, and the key's id where there is one.
struct Issuer<'k> {
    key: &'k Key,
    name: Vec<u8>,
    key_id: Option<Vec<u8>>,
}

fn authority(machine: &mut Machine<'_>, a: &[Value], key: &Key) -> Result<Value, String> {
    let name = text(a, 0).to_str().into_owned();
    let request = Request { name, days: int(a, 1), alternatives: Vec::new(), authority: true };
    let issuer = Issuer { key, name: common_name(&request.name), key_id: None };
    finished(machine, &request, key, &issuer)
}

fn issued(machine: &mut Machine<'_>, a: &[Value], key: &Key, ca: Option<&Value>) -> Result<Value, String> {
    let request = Request {
        name: text(a, 0).to_str().into_owned(),
        days: int(a, 3),
        alternatives: alternatives(&a[1], &a[2])?,
        authority: false,
    };
    let Some(ca) = ca else {
        let issuer = Issuer { key, name: common_name(&request.name), key_id: None };
        return finished(machine, &request, key, &issuer);
    };
    let Value::Object(ca) = ca else { return Err("unable to decode certificate".into()) };
    let part =
        |name: &str| ca.field(name).map(|value| to_text(&value).to_str().into_owned()).unwrap_or_default();
    let Some((_, certificate)) = keys::from_pem(&part("Cert")).map(|(_, bytes)| ((), bytes)) else {
        return Err("unable to decode certificate".into());
    };
    let (name, key_id) = subject(&certificate).ok_or("error parsing certificate: malformed certificate")?;
    let ca_key = Key::parse(&part("Key")).map_err(|error| format!("error parsing private key: {error}"))?;
    finished(machine, &request, key, &Issuer { key: &ca_key, name, key_id })
}

fn finished(
    machine: &mut Machine<'_>,
    request: &Request,
    key: &Key,
    issuer: &Issuer<'_>,
) -> Result<Value, String> {
    let body = body(machine, request, key, issuer)?;
    let mut signature = vec![0];
    signature.extend(issuer.key.sign(&body)?);
    let certificate = sequence(&[body, issuer.key.algorithm().to_vec(), tagged(0x03, &signature)]);
    Ok(Value::Object(Rc::new(Certificate {
        certificate: keys::pem("CERTIFICATE", &certificate),
        key: key.pem()?,
    })))
}

fn body(
    machine: &mut Machine<'_>,
    request: &Request,
    key: &Key,
    issuer: &Issuer<'_>,
) -> Result<Vec<u8>, String> {
    let mut serial = [0; 16];
    machine.outside.random(&mut serial)?;
    let from = machine.outside.now();
    let hours = request.days.checked_mul(24).ok_or("too many days")?;
    let to = from.checked_add(hours.hours()).map_err(|error| error.to_string())?;
    let public = key.public()?;
    Ok(sequence(&[
        tagged(0xA0, &integer(&[2])),
        integer(&serial),
        issuer.key.algorithm().to_vec(),
        issuer.name.clone(),
        sequence(&[time(from), time(to)]),
        common_name(&request.name),
        public.clone(),
        tagged(0xA3, &sequence(&extensions(request, &public, issuer.key_id.as_deref()))),
    ]))
}

fn time(at: Timestamp) -> Vec<u8> {
    let zoned = at.to_zoned(TimeZone::UTC);
    let text = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        zoned.year(),
        zoned.month(),
        zoned.day(),
        zoned.hour(),
        zoned.minute(),
        zoned.second()
    );
    // Up to 2049 certificates write two digits of the year.
    if (1950..2050).contains(&zoned.year()) {
        tagged(0x17, &text.as_bytes()[2..])
    } else {
        tagged(0x18, text.as_bytes())
    }
}

fn common_name(name: &str) -> Vec<u8> {
    if name.is_empty() {
        return sequence(&[]);
    }
    let printable = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte));
    let value = tagged(if printable { 0x13 } else { 0x0C }, name.as_bytes());
    let attribute = sequence(&[tagged(0x06, &[0x55, 0x04, 0x03]), value]);
    sequence(&[tagged(0x31, &attribute)])
}

fn extensions(request: &Request, public: &[u8], authority_id: Option<&[u8]>) -> Vec<Vec<u8>> {
    let extension = |id: u8, critical: bool, value: &[u8]| {
        let mut parts = vec![tagged(0x06, &[0x55, 0x1d, id])];
        if critical {
            parts.push(vec![0x01, 0x01, 0xFF]);
        }
        parts.push(tagged(0x04, value));
        sequence(&parts)
    };
    // Signing digests, and keys; an authority signs certificates as well.
    let (usage, unused) = if request.authority { (0xA4, 2) } else { (0xA0, 5) };
    let purpose = |last: u8| tagged(0x06, &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, last]);
    let constraints = if request.authority { sequence(&[vec![0x01, 0x01, 0xFF]]) } else { sequence(&[]) };
    let mut out = vec![
        extension(0x0F, true, &tagged(0x03, &[unused, usage])),
        extension(0x25, false, &sequence(&[purpose(1), purpose(2)])),
        extension(0x13, true, &constraints),
    ];
    if request.authority {
        out.push(extension(0x0E, false, &tagged(0x04, &key_id(public))));
    }
    if let Some(id) = authority_id {
        out.push(extension(0x23, false, &sequence(&[tagged(0x80, id)])));
    }
    if !request.alternatives.is_empty() {
        out.push(extension(0x11, false, &sequence(&request.alternatives)));
    }
    out
}

/// The id of a key: the start of the digest of its bits.
fn key_id(public: &[u8]) -> Vec<u8> {
    let bits = take(public, 0x30)
        .and_then(|(inner, _)| skip(inner))
        .and_then(|(_, rest)| take(rest, 0x03))
        .map_or(public, |(bits, _)| bits.get(1..).unwrap_or_default());
    Sha256::digest(bits)[..20].to_vec()
}

/// Names and addresses a certificate is for.
fn alternatives(addresses: &Value, names: &Value) -> Result<Vec<Vec<u8>>, String> {
    let items = |value: &Value| match value {
        Value::List(list) => list.items.clone(),
        _ => Vec::new(),
    };
    let mut out = Vec::new();
    for name in items(names) {
        match name {
            Value::String(name) => out.push(tagged(0x82, name.as_bytes())),
            other => {
                return Err(format!("error processing alternate dns name: {}", crate::print::plain(&other)));
            }
        }
    }
    for address in items(addresses) {
        let shown = crate::print::plain(&address);
        let Value::String(_) = address else {
            return Err(format!("error parsing ip: {shown} is not a string"));
        };
        let parsed: IpAddr = shown.parse().map_err(|_| format!("error parsing ip: {shown}"))?;
        out.push(match parsed {
            IpAddr::V4(address) => tagged(0x87, &address.octets()),
            IpAddr::V6(address) => tagged(0x87, &address.octets()),
        });
    }
    Ok(out)
}

/// A certificate's own name, and the id of its key.
fn subject(certificate: &[u8]) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let (inner, _) = take(certificate, 0x30)?;
    let (mut rest, _) = take(inner, 0x30)?;
    if rest.first() == Some(&0xA0) {
        rest = skip(rest)?.1;
    }
    for _ in 0..4 {
        // Serial number, algorithm, issuer, validity.
        rest = skip(rest)?.1;
    }
    let (name, mut rest) = skip(rest)?;
    rest = skip(rest)?.1;
    let mut id = None;
    if let Some((extensions, _)) = take(rest, 0xA3).and_then(|(inner, _)| take(inner, 0x30)) {
        let mut pending = extensions;
        while let Some((extension, after)) = take(pending, 0x30) {
            pending = after;
            let (oid, value) = take(extension, 0x06)?;
            if oid == [0x55, 0x1d, 0x0E] {
                id = take(value, 0x04).and_then(|(inner, _)| take(inner, 0x04)).map(|(id, _)| id.to_vec());
            }
        }
    }
    Some((name.to_vec(), id))
}

fn custom(_: &mut Machine<'_>, a: &[Value]) -> Result<Value, String> {
    let decoded = |index: usize| super::encodings::from_base64(text(a, index).as_bytes()).ok();
    let certificate = decoded(0).ok_or("unable to decode base64 certificate")?;
    let key = decoded(1).ok_or("unable to decode base64 private key")?;
    let certificate = String::from_utf8_lossy(&certificate).into_owned();
    let key = String::from_utf8_lossy(&key).into_owned();
    let (_, bytes) = keys::from_pem(&certificate).ok_or("unable to decode certificate")?;
    subject(&bytes).ok_or("error parsing certificate: decodedCert.Bytes: x509: malformed certificate")?;
    Key::parse(&key).map_err(|error| format!("error parsing private key: {error}"))?;
    Ok(Value::Object(Rc::new(Certificate { certificate, key })))
}
