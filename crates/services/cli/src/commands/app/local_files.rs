//! `--local` with `--server-side-generate`: the folder's files are packed and sent, and the server renders them.

use std::fs;
use std::io::Write;
use std::path::Path;

use api::v1alpha1::Application;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use wire::application::application_manifest_query_with_files_wrapper::Part;
use wire::application::{
    ApplicationManifestQueryWithFiles, ApplicationManifestQueryWithFilesWrapper, FileChunk,
};

use crate::connection::Server;
use crate::failure::{Failure, Outcome, io_error};
use crate::output::application;
use crate::session::Session;

const CHUNK: usize = 64 << 10;
/// More than a folder of manifests holds.
const MOST_BYTES: u64 = 256 << 20;

/// The manifests, as the server renders and shows them.
pub(super) async fn manifests(
    session: &Session<'_>,
    server: &Server,
    found: &Application,
) -> Outcome<Vec<String>> {
    let folder = session.text("local");
    let packed = packed(Path::new(&folder), session.matches.list("local-include"))
        .map_err(|error| Failure::generic(format!("{folder}: {}", io_error(&error))))?;
    let checksum = Sha256::digest(&packed).iter().map(|byte| format!("{byte:02x}")).collect();
    let query = ApplicationManifestQueryWithFiles {
        name: found.metadata.name.clone(),
        checksum,
        app_namespace: Some(found.metadata.namespace.clone()),
        project: Some(application::project(&found.spec).to_owned()),
    };
    let mut parts = vec![Part::Query(query)];
    parts.extend(packed.chunks(CHUNK).map(|chunk| Part::Chunk(FileChunk { chunk: chunk.to_vec() })));
    let messages =
        parts.into_iter().map(|part| ApplicationManifestQueryWithFilesWrapper { part: Some(part) });
    let stream = futures::stream::iter(messages.collect::<Vec<_>>());
    Ok(server.applications().get_manifests_with_files(stream).await?.into_inner().manifests)
}

/// A compressed archive of the files whose names match a pattern.
fn packed(folder: &Path, patterns: &[String]) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    archive.follow_symlinks(false);
    let mut bytes = 0;
    let mut waiting = vec![folder.to_owned()];
    while let Some(current) = waiting.pop() {
        let mut entries = fs::read_dir(&current)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let kind = entry.file_type()?;
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if kind.is_dir() {
                if name != ".git" {
                    waiting.push(path);
                }
                continue;
            }
            if !patterns.iter().any(|pattern| glob_pattern::matches(pattern, &name, &['/'])) {
                continue;
            }
            bytes += entry.metadata()?.len();
            if bytes > MOST_BYTES {
                return Err(std::io::Error::other(format!("more than {} MiB to send", MOST_BYTES >> 20)));
            }
            archive.append_path_with_name(&path, path.strip_prefix(folder).unwrap_or(&path))?;
        }
    }
    let mut compressed = archive.into_inner()?;
    compressed.flush()?;
    compressed.finish()
}

#[cfg(test)]
mod tests {
    use super::packed;

    #[test]
    fn only_what_matches_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("sub")).unwrap();
        for name in ["sub/a.yaml", "b.json", "secret.txt"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let patterns = ["*.yaml", "*.json"].map(str::to_owned);
        let packed = packed(folder.path(), &patterns).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed.as_slice()));
        let names: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, ["b.json", "sub/a.yaml"]);
    }
}
