//! Amazon's Signature Version 4, as a value: of a request that carries it in its `Authorization`, or of an address.
//! Source: AWS General Reference, "Signature Version 4 signing process".

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// What every request of Signature Version 4 says it is signed by.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Who signs. The secret is read here and kept by the caller.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The access key's name.
    pub key: &'a str,
    /// The access key's secret.
    pub secret: &'a str,
    /// The token of a session, empty when the key is a lasting one.
    pub session: &'a str,
}

/// What a signature is good for.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// `20260102T030405Z`.
    pub moment: &'a str,
    /// As `eu-central-1`.
    pub region: &'a str,
    /// As `sts`.
    pub service: &'a str,
}

/// A request to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// In capital letters.
    pub method: &'a str,
    /// Encoded, from the slash on.
    pub path: &'a str,
    /// Encoded, in the order of the names.
    pub query: &'a str,
    /// In lower case, in the order of the names.
    pub headers: &'a [(&'a str, String)],
    /// The body.
    pub body: &'a [u8],
}

impl Scope<'_> {
    fn date(&self) -> &str {
        self.moment.get(..8).unwrap_or(self.moment)
    }

    fn text(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date(), self.region, self.service)
    }

    fn sign(&self, secret: &str, request: &Request<'_>) -> String {
        let listed: String =
            request.headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!(
            "{}\n{}\n{}\n{listed}\n{}\n{}",
            request.method,
            request.path,
            request.query,
            names(request.headers),
            digest(request.body)
        );
        let text = format!("{ALGORITHM}\n{}\n{}\n{}", self.moment, self.text(), digest(canonical.as_bytes()));
        let key = [self.date(), self.region, self.service, "aws4_request"]
            .iter()
            .fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part));
        hex(&hmac(&key, &text))
    }

    /// The value of `Authorization` for a request that has all other headers already.
    pub fn authorization(&self, signer: &Signer<'_>, request: &Request<'_>) -> String {
        let signature = self.sign(signer.secret, request);
        let (key, scope, names) = (signer.key, self.text(), names(request.headers));
        format!("{ALGORITHM} Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}")
    }

    /// The query of an address that whoever has it may ask with `GET` for so many seconds, with these headers. `asked` are the
    /// parameters of the action, sorted, all before `X-Amz`.
    pub fn address(
        &self,
        signer: &Signer<'_>,
        seconds: u32,
        path: &str,
        asked: &[(&str, &str)],
        headers: &[(&str, String)],
    ) -> String {
        let credential = format!("{}/{}", signer.key, self.text());
        let (lasts, names) = (seconds.to_string(), names(headers));
        let mut query = asked.to_vec();
        query.extend([
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", credential.as_str()),
            ("X-Amz-Date", self.moment),
            ("X-Amz-Expires", lasts.as_str()),
        ]);
        if !signer.session.is_empty() {
            query.push(("X-Amz-Security-Token", signer.session));
        }
        query.push(("X-Amz-SignedHeaders", names.as_str()));
        let query: Vec<String> =
            query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let query = query.join("&");
        let signature =
            self.sign(signer.secret, &Request { method: "GET", path, query: &query, headers, body: b"" });
        format!("{query}&X-Amz-Signature={signature}")
    }
}

fn names(headers: &[(&str, String)]) -> String {
    headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";")
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// A part of a query, as Amazon encodes it: all but unreserved characters.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::{Request, Scope, Signer};

    const SIGNER: Signer<'_> = Signer { key: "AK", secret: "SK", session: "" };

    /// Computed with another implementation (Python's hmac and hashlib) from the same parts.
    #[test]
    fn a_header_is_that_of_others() {
        let headers = [
            ("content-type", "application/x-amz-json-1.0".to_owned()),
            ("host", "sink.example".to_owned()),
            ("x-amz-date", "20260102T030405Z".to_owned()),
            ("x-amz-target", "AmazonSQS.GetQueueUrl".to_owned()),
        ];
        let scope = Scope { moment: "20260102T030405Z", region: "us-east-1", service: "sqs" };
        let body = b"{\"QueueName\":\"argo\"}";
        let request = Request { method: "POST", path: "/sqs", query: "", headers: &headers, body };
        let signed = scope.authorization(&SIGNER, &request);
        let expected = "d1aacfb7fb34c4929576ab1684101f43f9066956fa9a27d80cc59824af2c8be4";
        assert!(signed.ends_with(expected), "{signed}");
    }
    /// As botocore 1.40 signs the same.
    #[test]
    fn an_address_is_that_of_others() {
        let scope = Scope { moment: "20260102T030405Z", region: "eu-central-1", service: "sts" };
        let headers = [
            ("host", "sts.eu-central-1.amazonaws.com".to_owned()),
            ("x-k8s-aws-id", "prod cluster".to_owned()),
        ];
        let asked = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")];
        let mut signer = Signer { key: "AKIDEXAMPLE", secret: "secret/key+1", session: "" };
        assert_eq!(
            scope.address(&signer, 60, "/", &asked, &headers),
            "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-central-1%2Fsts%2Faws4_request&X-Amz-Date=20260102T030405Z\
             &X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id\
             &X-Amz-Signature=1de73476180c21864c33a3f75446c5fd4428d5426de4fc85bb7e663d0599c003"
        );
        signer.session = "tok/en+1==";
        let signed = scope.address(&signer, 60, "/", &asked, &headers);
        assert!(signed.contains("&X-Amz-Security-Token=tok%2Fen%2B1%3D%3D&"), "{signed}");
        let expected = "1e22b78739c7b5558175c98730138ee59ef1fee592fd1e86240a51b8be0e0837";
        assert!(signed.ends_with(expected), "{signed}");
    }
}
