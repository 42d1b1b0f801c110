//! How several controllers share the clusters among them.

/// By what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// By a hash of the cluster's uid.
    #[default]
    Legacy,
    /// In turn, in the order of the uids.
    RoundRobin,
}

/// Whose a cluster is. Its Secret may say so; else a cluster without a uid, the hub's own, is the first's.
pub fn shard_of(id: &str, assigned: Option<i64>, ids: &[&str], replicas: u32, algorithm: Algorithm) -> u32 {
    if let Some(shard) = assigned.and_then(|shard| u32::try_from(shard).ok()) {
        // A shard that is not there has nobody: the first one takes it, as the original does.
        return if shard < replicas { shard } else { 0 };
    }
    if id.is_empty() || replicas == 0 {
        return 0;
    }
    match algorithm {
        Algorithm::Legacy => hash(id) % replicas,
        Algorithm::RoundRobin => {
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            let at = ids.iter().position(|known| *known == id).unwrap_or(0);
            u32::try_from(at % replicas as usize).unwrap_or(0)
        }
    }
}

/// FNV-1a of 32 bits, as the original takes it.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_originals() {
        assert_eq!(hash(""), 0x811c_9dc5);
        assert_eq!(hash("a"), 0xe40c_292c);
    }
}
