//! What `reqsign` finds credentials of clouds with: variables, files, requests, programs; and where Amazon's are.

pub mod amazon;
pub mod programs;

use bytes::Bytes;
use reqsign_core::{Context, Error, HttpSend, Result, StaticEnv};
use reqsign_file_read_tokio::TokioFileRead;
use std::collections::BTreeMap;

/// The longest answer, in bytes.
const LARGEST: usize = 1 << 20;

/// Finds with the variables and files alone.
pub fn variables(environment: &BTreeMap<String, String>) -> Context {
    let home = environment.get("HOME").filter(|home| !home.is_empty()).map(Into::into);
    let envs = environment.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    Context::new().with_file_read(TokioFileRead).with_env(StaticEnv { home_dir: home, envs })
}

/// Requests of a client, whose limits of time count.
#[derive(Debug)]
pub struct Requests(pub reqwest::Client);

impl HttpSend for Requests {
    async fn http_send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let wrong = |said: String| Error::unexpected(format!("ask {host}: {said}"));
        let failed = |error: reqwest::Error| wrong(causes(&error.without_url())).set_retryable(true);
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let mut answer = self.0.execute(request).await.map_err(failed)?;
        let mut built = http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            built = built.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(wrong(format!("the answer is larger than {LARGEST} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        built.body(body.into()).map_err(|error| wrong(error.to_string()))
    }
}

/// An error with what it came from; the address, which may hold a key, is not in it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        told = format!("{told}: {cause}");
        next = cause.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::sink::{Answer, HttpSink};

    fn client() -> reqwest::Client {
        boot::crypto();
        reqwest::Client::new()
    }

    async fn ask(requests: &Requests, address: &str) -> Result<http::Response<Bytes>> {
        requests.http_send(http::Request::get(address).body(Bytes::new()).expect("a request")).await
    }

    #[tokio::test]
    async fn answers_have_a_bound() {
        let sink = HttpSink::start().expect("a server");
        sink.answer("GET /fits", [Answer::new(200, &"x".repeat(LARGEST))]);
        sink.answer("GET /large", [Answer::new(200, &"x".repeat(LARGEST + 1))]);
        let requests = Requests(client());
        let answer = ask(&requests, &format!("{}/fits", sink.url())).await.expect("an answer");
        assert_eq!(answer.body().len(), LARGEST);
        let error = ask(&requests, &format!("{}/large", sink.url())).await.expect_err("too large");
        let told = "ask 127.0.0.1: the answer is larger than 1048576 bytes";
        assert!(error.to_string().contains(told) && !error.is_retryable(), "{error}");
    }

    #[tokio::test]
    async fn nothing_of_an_address_is_told_but_its_host() {
        let port = testkit::free_port().expect("a port");
        let address = format!("http://127.0.0.1:{port}/canary?key=canary");
        let error = ask(&Requests(client()), &address).await.expect_err("nobody listens");
        assert!(error.is_retryable() && error.to_string().contains("ask 127.0.0.1: "), "{error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}
