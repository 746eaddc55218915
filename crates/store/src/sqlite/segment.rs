//! Ids of segments: a workspace and the index of the first entry in one number.

/// Entries of a workspace have indexes below 2^42, workspaces numbers below 2^21.
const INDEX_BITS: u32 = 42;
/// The part of a segment's id that is an index.
pub(crate) const INDEX_MASK: i64 = (1 << INDEX_BITS) - 1;

/// Ids of all segments of a workspace.
pub(crate) fn ids(workspace: i64) -> std::ops::Range<i64> {
    workspace << INDEX_BITS..(workspace + 1) << INDEX_BITS
}

/// The id of the segment that starts at `index`. Indexes that no ledger reaches are all the same one.
pub(crate) fn id(workspace: i64, index: u64) -> i64 {
    (workspace << INDEX_BITS) | i64::try_from(index).unwrap_or(INDEX_MASK).min(INDEX_MASK)
}

/// The index a segment starts at.
pub(crate) fn first_index(id: i64) -> u64 {
    u64::try_from(id & INDEX_MASK).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_workspaces_and_indexes_apart_and_in_order() {
        let most = (1 << INDEX_BITS) - 1;
        for (workspace, index) in [(1, 0), (1, 77), (1, most), (2, 0), (9, 1 << 30)] {
            assert!(ids(workspace).contains(&id(workspace, index)));
            assert_eq!(first_index(id(workspace, index)), index);
        }
        assert!(id(1, most) < id(2, 0));
        assert_eq!(id(1, u64::MAX), id(1, most), "what no ledger reaches stays in its workspace");
    }
}
