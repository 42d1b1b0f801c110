//! Manifests that a file, standard input or an address holds.

use std::io::Read;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::{Failure, Outcome, io_error};
use crate::session::Session;

impl Session<'_> {
    /// All objects of the documents of a file; `-` is standard input. None at all shows the help.
    pub(crate) fn read_manifests<T: DeserializeOwned>(&mut self, file: &str) -> Outcome<Vec<T>> {
        let bytes = self.read_file(file).map_err(Failure::generic)?;
        let objects = objects(&bytes)
            .map_err(|error| Failure::generic(format!("error unmarshaling {file}: {error}")))?;
        if objects.is_empty() { Err(Failure::usage()) } else { Ok(objects) }
    }

    /// What a file holds; `-` is standard input.
    pub(crate) fn read_file(&mut self, file: &str) -> Result<Vec<u8>, String> {
        let failed = |error: &std::io::Error| format!("open {file}: {}", io_error(error));
        let mut bytes = Vec::new();
        if file == "-" {
            self.environment.input.read_to_end(&mut bytes).map_err(|error| failed(&error))?;
            return Ok(bytes);
        }
        if file.starts_with("http://") || file.starts_with("https://") {
            return Err(format!("{file}: reading manifests over HTTP is not supported; download it first"));
        }
        std::fs::read(file).map_err(|error| failed(&error))
    }
}

/// The objects of all documents that are not empty.
pub(crate) fn objects<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>, String> {
    let documents = object::yaml::decode_documents(bytes, &object::yaml::Limits::default())
        .map_err(|error| error.to_string())?;
    let values = documents.into_iter().map(|document| document.value).filter(|value| *value != Value::Null);
    // The error names the field whose type is wrong.
    values.map(|value| serde_path_to_error::deserialize(value).map_err(|error| error.to_string())).collect()
}
