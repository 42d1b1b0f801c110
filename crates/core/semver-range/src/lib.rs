//! Versions and version constraints as Helm charts and `targetRevision` write them (`1.2.*`, `>=1.0.0 <2`,
//! `^1 || ~2.3`), with the rules of the library the originals use. Knows nothing of tags, charts or registries.

mod range;
mod version;

pub use range::{InvalidRange, Range};
pub use version::{InvalidVersion, Version};

/// The candidate with the highest version inside `range`, as it was spelled. Candidates that are no version are
/// passed over; of two spellings of one version (`v1.2`, `1.2.0`) the first wins.
pub fn highest<'a>(range: &Range, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(Version, &'a str)> = None;
    for candidate in candidates {
        let Ok(version) = Version::parse(candidate) else { continue };
        if range.contains(&version) && best.as_ref().is_none_or(|(highest, _)| version > *highest) {
            best = Some((version, candidate));
        }
    }
    best.map(|(_, spelling)| spelling)
}
