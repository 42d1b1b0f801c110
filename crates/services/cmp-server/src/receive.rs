//! The files of a call: taken from the stream into a private folder.

use plugin::archive::{Limits, unpack};
use sha2::{Digest, Sha256};
use std::fs::Permissions;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use tempfile::TempDir;
use tonic::{Status, Streaming};
use wire::plugin::app_stream_request::Request;
use wire::plugin::{AppStreamRequest, ManifestRequestMetadata};

/// Bytes of a packed tree.
const LARGEST_ARCHIVE: u64 = 1 << 30;

/// The files of one call. Dropped, they are gone.
pub(crate) struct Received {
    folder: Option<TempDir>,
    root: PathBuf,
    pub(crate) metadata: ManifestRequestMetadata,
}

impl Received {
    /// Takes the files of a stream; the error says what was wrong, in the original's words.
    pub(crate) async fn take(
        mut stream: Streaming<AppStreamRequest>,
        work_folder: &Path,
        modes: bool,
    ) -> Result<Self, String> {
        let header = stream
            .message()
            .await
            .map_err(|status| format!("error receiving stream header: {}", said(&status)))?;
        let Some(Request::Metadata(metadata)) = header.and_then(|message| message.request) else {
            return Err("error getting stream metadata: metadata is nil".into());
        };
        let io = |error: std::io::Error| format!("error receiving tgz file: error creating file: {error}");
        let private = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().permissions(private).tempdir_in(work_folder).map_err(io)?;
        let mut archive = tempfile::tempfile_in(work_folder).map_err(io)?;
        receive(&mut stream, &mut archive, &metadata.checksum)
            .await
            .map_err(|error| format!("error receiving tgz file: {error}"))?;
        archive.seek(SeekFrom::Start(0)).map_err(io)?;
        let root = folder.path().canonicalize().map_err(io)?;
        let target = root.clone();
        let work = tokio::task::spawn_blocking(move || unpack(archive, &target, modes, Limits::default()));
        match work.await {
            Ok(Ok(())) => Ok(Self { folder: Some(folder), root, metadata }),
            Ok(Err(error)) => Err(format!("error decompressing tgz file: {error}")),
            Err(error) => Err(format!("error decompressing tgz file: {error}")),
        }
    }

    /// Where the files lie.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The application's folder, which is among the files.
    pub(crate) fn application(&self) -> Result<PathBuf, String> {
        let outside = || "illegal appPath: out of workDir bound".to_owned();
        let mut path = self.root.clone();
        for part in Path::new(&self.metadata.app_rel_path).components() {
            match part {
                Component::Normal(name) => path.push(name),
                Component::CurDir => {}
                Component::ParentDir if path != self.root => {
                    path.pop();
                }
                _ => return Err(outside()),
            }
        }
        // A folder on the way may be a link.
        match path.canonicalize() {
            Ok(real) if real.starts_with(&self.root) => Ok(path),
            Ok(_) => Err(outside()),
            Err(error) => Err(format!("{}: {error}", self.metadata.app_rel_path)),
        }
    }

    /// The variables that were sent.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let entries = self.metadata.env.iter().filter(|entry| !entry.name.is_empty());
        // The system takes no other ones.
        let usable = entries.filter(|entry| !entry.name.contains(['=', '\0']) && !entry.value.contains('\0'));
        usable.map(|entry| (entry.name.clone(), entry.value.clone())).collect()
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if let Some(folder) = self.folder.take() {
            let path = folder.path().to_owned();
            if let Err(error) = folder.close() {
                // They may hold secrets.
                tracing::error!(%error, folder = %path.display(), "remove the files of a call");
            }
        }
    }
}

async fn receive(
    stream: &mut Streaming<AppStreamRequest>,
    archive: &mut std::fs::File,
    checksum: &str,
) -> Result<(), String> {
    let mut hash = Sha256::new();
    let mut bytes = 0;
    loop {
        let message =
            stream.message().await.map_err(|status| format!("stream Recv error: {}", said(&status)))?;
        let Some(message) = message else { break };
        let Some(Request::File(file)) = message.request else {
            return Err("stream request file is nil".into());
        };
        bytes += file.chunk.len() as u64;
        if bytes > LARGEST_ARCHIVE {
            return Err(format!("larger than the limit of {LARGEST_ARCHIVE} bytes"));
        }
        archive.write_all(&file.chunk).map_err(|error| format!("error writing file: {error}"))?;
        hash.update(&file.chunk);
    }
    let found: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if found == checksum { Ok(()) } else { Err("file checksum validation error".into()) }
}

fn said(status: &Status) -> String {
    format!("rpc error: code = {} desc = {}", transport::code_name(status.code()), status.message())
}
