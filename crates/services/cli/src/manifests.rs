//! Manifests that a file, standard input or an address holds.

use std::io::Read;

use download::Access;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::io_error;
use crate::session::Session;

impl Session<'_> {
    /// All objects of the documents of a file or an address; `-` is standard input.
    pub(crate) async fn read_manifests<T: DeserializeOwned>(
        &mut self,
        place: &str,
    ) -> Result<Vec<T>, String> {
        let bytes = self.read_place(place).await?;
        objects(&bytes).map_err(|error| format!("error unmarshaling {place}: {error}"))
    }

    /// What a file or an address holds; `-` is standard input.
    pub(crate) async fn read_place(&mut self, place: &str) -> Result<Vec<u8>, String> {
        if place == "-" { self.read_file(place) } else { content(place).await }
    }

    /// What a file holds; `-` is standard input.
    pub(crate) fn read_file(&mut self, file: &str) -> Result<Vec<u8>, String> {
        if file != "-" {
            return local(file);
        }
        let mut bytes = Vec::new();
        let read = self.environment.input.read_to_end(&mut bytes);
        read.map_err(|error| format!("open {file}: {}", io_error(&error)))?;
        Ok(bytes)
    }
}

/// What a file or an address holds. Downloads have a limit of size and of time; a failure names the address.
pub(crate) async fn content(place: &str) -> Result<Vec<u8>, String> {
    if !is_address(place) {
        return local(place);
    }
    download::named(place, Access::default()).await.map_err(|error| error.to_string())
}

/// What a file holds.
pub(crate) fn local(file: &str) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("open {file}: {}", io_error(&error)))
}

fn is_address(place: &str) -> bool {
    let scheme = place.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https"))
}

/// The objects of all documents that are not empty.
pub(crate) fn objects<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>, String> {
    let documents = object::yaml::decode_documents(bytes, &object::yaml::Limits::default())
        .map_err(|error| error.to_string())?;
    let values = documents.into_iter().map(|document| document.value).filter(|value| *value != Value::Null);
    // The error names the field whose type is wrong.
    values.map(|value| serde_path_to_error::deserialize(value).map_err(|error| error.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn only_what_has_the_scheme_of_the_web_is_fetched() {
        for (place, expected) in [
            ("http://127.0.0.1/app.yaml", true),
            ("HTTPS://files.example/app.yaml", true),
            ("ftp://files.example/app.yaml", false),
            ("http:app.yaml", false),
            ("https", false),
            ("folder/app.yaml", false),
        ] {
            assert_eq!(is_address(place), expected, "{place}");
        }
    }
}
