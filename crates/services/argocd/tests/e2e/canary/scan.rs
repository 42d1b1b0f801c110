//! Finds what was planted, however it is written.

use super::planted::APPLICATION;
use crate::installation::{Installation, NAMESPACE};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use std::io::Read as _;

/// Shown on both sides of what was found.
const AROUND: usize = 90;

pub struct Found {
    needles: Vec<(String, Vec<u8>)>,
    places: Vec<String>,
}

impl Found {
    pub fn new(installation: &Installation) -> Self {
        let mut seeker = Self { needles: Vec::new(), places: Vec::new() };
        seeker.seek("planted", b"plantedcanary");
        // What the installation made for itself is as secret.
        let secret = installation.kube.find("v1", "Secret", NAMESPACE, "argocd-secret").unwrap();
        for key in ["server.secretkey", "admin.password"] {
            seeker.seek(key, &STANDARD.decode(secret["data"][key].as_str().unwrap()).unwrap());
        }
        let initial =
            installation.kube.find("v1", "Secret", NAMESPACE, "argocd-initial-admin-secret").unwrap();
        let password = STANDARD.decode(initial["data"]["password"].as_str().unwrap()).unwrap();
        seeker.seek("the password of admin", &password);
        seeker.seek("the password of Redis", crate::installation::REDIS_PASSWORD.as_bytes());
        seeker
    }

    /// A text, plain and in base64: where it begins in three letters decides how that looks.
    fn seek(&mut self, name: &str, text: &[u8]) {
        self.needles.push((name.to_owned(), text.to_vec()));
        for before in 0..3 {
            let coded = STANDARD_NO_PAD.encode([&vec![0; before], text].concat());
            // Letters that neighbours have a part in are left out.
            let start = [0, 2, 3][before];
            let whole = (before + text.len()) * 8 / 6;
            self.needles.push((format!("{name} in base64"), coded.as_bytes()[start..whole].to_vec()));
        }
    }

    /// The search itself must find what it is to find.
    pub fn knows_what_it_seeks(&self, installation: &Installation) {
        let live = installation.kube.find("v1", "Secret", APPLICATION, "planted").unwrap().to_string();
        assert!(self.first(live.as_bytes()).is_some(), "the Secret itself holds it in base64");
        assert!(self.first(b"x plantedcanaryx").is_some());
        for before in ["", "a", "ab"] {
            let coded = STANDARD_NO_PAD.encode(format!("{before}plantedcanaryx"));
            assert!(self.first(coded.as_bytes()).is_some(), "{before:?}");
        }
        assert!(self.first(b"planted canary").is_none());
    }

    fn first(&self, text: &[u8]) -> Option<(&str, usize)> {
        let mut at = self.needles.iter().filter_map(|(name, needle)| {
            text.windows(needle.len()).position(|window| window == needle).map(|at| (name.as_str(), at))
        });
        at.next()
    }

    pub fn look(&mut self, what: &str, text: &[u8]) {
        let Some((name, at)) = self.first(text) else { return };
        let around = &text[at.saturating_sub(AROUND)..(at + AROUND).min(text.len())];
        let place = format!("{name} in {what}: …{}…", String::from_utf8_lossy(around));
        self.places.push(place);
    }

    pub fn nothing(&self) {
        assert!(self.places.is_empty(), "{} leaks\n{}", self.places.len(), self.places.join("\n"));
    }
}

/// An entry of the cache; most are compressed.
pub fn unpacked(value: &[u8]) -> Vec<u8> {
    if !value.starts_with(&[0x1f, 0x8b]) {
        return value.to_vec();
    }
    let mut whole = Vec::new();
    match flate2::read::GzDecoder::new(value).take(256 << 20).read_to_end(&mut whole) {
        Ok(_) => whole,
        Err(error) => panic!("an entry of the cache cannot be unpacked: {error}"),
    }
}
