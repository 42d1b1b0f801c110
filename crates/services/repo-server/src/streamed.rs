//! Files sent along with a request, instead of a repository: received, checked, unpacked.

use crate::manifests::hex;
use crate::{Options, status};
use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};
use source_tree::Tree;
use std::sync::Arc;
use tonic::{Status, Streaming};
use wire::repository::manifest_request_with_files::Part;
use wire::repository::{ManifestFileMetadata, ManifestRequest, ManifestRequestWithFiles};

/// Receives a request with its files. The texts of errors are the original's up to the cause.
pub(crate) async fn receive(
    mut parts: Streaming<ManifestRequestWithFiles>,
    options: &Options,
) -> Result<(ManifestRequest, Arc<dyn Tree>), Status> {
    let failed = |reason: String| Status::unknown(format!("error receiving manifest file stream: {reason}"));
    let Some(Part::Request(request)) = next(&mut parts).await? else {
        return Err(failed("error getting stream request: request is nil".into()));
    };
    let Some(Part::Metadata(metadata)) = next(&mut parts).await? else {
        return Err(failed("error getting stream metadata: metadata is nil".into()));
    };
    let packed = archive(&mut parts, &metadata, options.streamed_bytes).await;
    let packed = packed.map_err(|reason| failed(format!("error receiving tgz file: {reason}")))?;
    let limits = options.streamed_limits;
    let tree = tokio::task::spawn_blocking(move || archive::unpack(packed, true, limits)).await;
    let tree = tree.map_err(|error| status::broken("unpack files sent along", &error))?;
    let tree = tree.map_err(|error| match error {
        archive::ArchiveError::IllegalLink(link) => {
            Status::unknown(format!("streamed files contains out-of-bounds symlinks. file: {link}"))
        }
        error => failed(format!("error decompressing tgz file: {error}")),
    })?;
    Ok((request, Arc::new(tree)))
}

async fn next(parts: &mut Streaming<ManifestRequestWithFiles>) -> Result<Option<Part>, Status> {
    Ok(parts.message().await?.and_then(|message| message.part))
}

async fn archive(
    parts: &mut Streaming<ManifestRequestWithFiles>,
    metadata: &ManifestFileMetadata,
    limit: u64,
) -> Result<Bytes, String> {
    let mut packed = BytesMut::new();
    while let Some(message) =
        parts.message().await.map_err(|status| format!("stream Recv error: {status}"))?
    {
        let Some(Part::Chunk(chunk)) = message.part else { return Err("stream request chunk is nil".into()) };
        if (packed.len() + chunk.chunk.len()) as u64 > limit {
            return Err(format!("file exceeded max size of {limit} bytes"));
        }
        packed.extend_from_slice(&chunk.chunk);
    }
    let found = hex(&Sha256::digest(&packed));
    if found != metadata.checksum {
        return Err(format!("file checksum validation error: calc {found} sent {}", metadata.checksum));
    }
    Ok(packed.freeze())
}
