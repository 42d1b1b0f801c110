//! An archive as the messages of a stream: what it is of first, then its bytes in pieces.

use crate::archive::Archive;
use futures::Stream;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use wire::plugin::app_stream_request::Request;
use wire::plugin::{AppStreamRequest, EnvEntry, File, ManifestRequestMetadata};

/// The messages that bring an archive to a plugin.
pub(crate) fn messages(
    archive: Arc<Archive>,
    metadata: ManifestRequestMetadata,
    piece: usize,
) -> impl Stream<Item = AppStreamRequest> + Send + 'static {
    let first = AppStreamRequest { request: Some(Request::Metadata(metadata)) };
    let piece = piece.max(1);
    let pieces = (0..archive.bytes).step_by(piece).map_while(move |start| {
        let length = piece.min(usize::try_from(archive.bytes - start).unwrap_or(piece));
        let mut chunk = vec![0; length];
        // A stream that ends early has another checksum, which the plugin notices.
        archive
            .file
            .read_exact_at(&mut chunk, start)
            .inspect_err(|error| tracing::error!(%error, "read the plugin's files"))
            .ok()?;
        Some(AppStreamRequest { request: Some(Request::File(File { chunk })) })
    });
    futures::stream::iter(std::iter::once(first).chain(pieces))
}

/// What an archive is of.
pub(crate) fn metadata(
    archive: &Archive,
    application_path: &str,
    environment: &[(String, String)],
) -> ManifestRequestMetadata {
    let entry = |(name, value): &(String, String)| EnvEntry { name: name.clone(), value: value.clone() };
    let path = if application_path.is_empty() { "." } else { application_path };
    ManifestRequestMetadata {
        app_name: path.rsplit('/').next().unwrap_or_default().to_owned(),
        app_rel_path: path.to_owned(),
        checksum: archive.checksum.clone(),
        size: i64::try_from(archive.bytes).unwrap_or(i64::MAX),
        env: environment.iter().map(entry).collect(),
    }
}
