//! Snapshots of the state: taken in the time of a glance, written beside the decisions, read piece by piece.
//!
//! A snapshot is a head and pieces. The head names workspace, ledger and index it stands for, how many pieces there are,
//! their digest, and its own; the pieces are the image of the meters, then profiles. Equal state gives equal bytes.
//!
//! What must stay true: a snapshot that is not exactly what was written for this ledger and this index is no snapshot.
//! Whoever finds none reads the ledger from its start, which gives the same state, only later. So a snapshot can
//! never make anything laxer.

use super::state::State;
use super::tier::Bound;
use crate::error::Error;
use runplane_core::digest::{Digest, sha256};
use runplane_core::meter::{Meters, Reader};
use runplane_core::profile::Profiles;
use runplane_core::time::{Micros, Span};
use runplane_store::{Snapshot, Store};
use sha2::{Digest as _, Sha256};

/// Begins every head, and changes with the format.
const MAGIC: &[u8; 16] = b"runplane-state-4";
/// Bytes of profiles in one piece.
const PIECE: usize = 256 * 1024;

/// The state at one index, to be written by somebody who has time.
pub struct Taken {
    pub workspace: String,
    pub size: u64,
    /// Leaf hash of the last entry: which ledger it is of.
    leaf: [u8; 32],
    skipped: Span,
    /// The time by which windows move.
    at: Micros,
    meters: Meters,
    profiles: Profiles,
    decided: bool,
    fill_from: u64,
}

/// What a snapshot keeps: everything the ledger would have to be replayed for.
#[derive(Default)]
pub struct Kept {
    pub skipped: Span,
    pub meters: Meters,
    pub profiles: Profiles,
    pub decided: bool,
    pub fill_from: u64,
}

impl State {
    /// A copy that shares whatever neither side changes.
    #[must_use]
    pub fn take(&self, workspace: &str) -> Taken {
        self.take_at(workspace, self.frontier.size(), self.last_leaf)
    }

    /// The same where the state does not itself follow the ledger's tree.
    #[must_use]
    pub fn take_at(&self, workspace: &str, size: u64, leaf: [u8; 32]) -> Taken {
        Taken {
            workspace: workspace.to_owned(),
            size,
            leaf,
            skipped: self.skipped,
            at: self.meter_time(self.time),
            meters: self.meters.clone(),
            profiles: self.profiles.clone(),
            decided: self.decided,
            fill_from: self.fill_from,
        }
    }
}

impl Taken {
    /// Gives the pieces away one after another, and returns the head.
    pub fn write(&self, mut put: impl FnMut(u32, &[u8]) -> Result<(), Error>) -> Result<Vec<u8>, Error> {
        let (mut digest, mut parts, mut failed) = (Sha256::new(), 0u32, None);
        let mut give = |bytes: &[u8]| {
            digest.update(bytes);
            let put = put(parts, bytes);
            parts += 1;
            put
        };
        let imaged = self.meters.image(self.at, |piece| match give(&piece) {
            Ok(()) => true,
            Err(failure) => {
                failed = Some(failure);
                false
            }
        });
        imaged.map_err(|failure| Error::internal("keys on disk could not be read").because(failure))?;
        if let Some(failure) = failed {
            return Err(failure);
        }
        let profiles = serde_json::to_vec(&self.profiles)
            .map_err(|failure| Error::internal("profiles could not be written").because(failure))?;
        profiles.chunks(PIECE).try_for_each(&mut give)?;
        let of_profiles = u32::try_from(profiles.len().div_ceil(PIECE)).unwrap_or(u32::MAX);
        let mut head = MAGIC.to_vec();
        head.extend_from_slice(&sha256(&[self.workspace.as_bytes()]).0);
        head.extend_from_slice(&self.size.to_le_bytes());
        head.extend_from_slice(&self.leaf);
        head.extend_from_slice(&self.skipped.0.to_le_bytes());
        head.push(u8::from(self.decided));
        head.extend_from_slice(&self.fill_from.to_le_bytes());
        head.extend_from_slice(&(parts - of_profiles).to_le_bytes());
        head.extend_from_slice(&of_profiles.to_le_bytes());
        head.extend_from_slice(&digest.finalize());
        head.extend_from_slice(&sha256(&[&head]).0);
        Ok(head)
    }

    /// The head alone.
    pub fn head(&self) -> Result<Vec<u8>, Error> {
        self.write(|_, _| Ok(()))
    }

    /// Writes it to the store.
    pub fn save(&self, store: &dyn Store) -> Result<(), Error> {
        let put = |part: u32, bytes: &[u8]| {
            store.put_snapshot_part(&self.workspace, self.size, part, bytes).map_err(Error::from)
        };
        let bytes = self.write(put)?;
        store.save_snapshot(&self.workspace, &Snapshot { size: self.size, bytes })?;
        Ok(())
    }
}

/// A head, taken apart.
struct Head {
    workspace: [u8; 32],
    size: u64,
    leaf: [u8; 32],
    skipped: i64,
    decided: u8,
    fill_from: u64,
    of_meters: u32,
    of_profiles: u32,
    digest: [u8; 32],
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (covered, own) = bytes.split_last_chunk::<32>()?;
        if sha256(&[covered]).0 != *own {
            return None;
        }
        let mut rest = covered.strip_prefix(MAGIC)?;
        let head = Self {
            workspace: *first(&mut rest)?,
            size: u64::from_le_bytes(*first(&mut rest)?),
            leaf: *first(&mut rest)?,
            skipped: i64::from_le_bytes(*first(&mut rest)?),
            decided: first::<1>(&mut rest).map(|[byte]| *byte)?,
            fill_from: u64::from_le_bytes(*first(&mut rest)?),
            of_meters: u32::from_le_bytes(*first(&mut rest)?),
            of_profiles: u32::from_le_bytes(*first(&mut rest)?),
            digest: *first(&mut rest)?,
        };
        (rest.is_empty() && head.decided < 2).then_some(head)
    }
}

fn first<'b, const N: usize>(rest: &mut &'b [u8]) -> Option<&'b [u8; N]> {
    let (chunk, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(chunk)
}

/// Whether this version can use a snapshot with such a head at all.
#[must_use]
pub fn is_known(row: &Snapshot) -> bool {
    Head::parse(&row.bytes).is_some()
}

/// What the snapshot keeps; `None` if it is not one of this ledger, this index and this version, as it was written.
pub fn load(store: &dyn Store, workspace: &str, row: &Snapshot, bound: Option<&Bound>) -> Result<Option<Kept>, Error> {
    let Some(head) = Head::parse(&row.bytes) else { return Ok(None) };
    if head.size != row.size || head.workspace != sha256(&[workspace.as_bytes()]).0 {
        return Ok(None);
    }
    let leaf = match row.size.checked_sub(1) {
        Some(last) => store.read_entries(workspace, last, 1)?.first().map(|entry| entry.leaf_hash),
        None => Some([0; 32]),
    };
    if leaf != Some(head.leaf) {
        return Ok(None);
    }
    let (mut digest, mut reader, mut profiles) = (Sha256::new(), Reader::default(), Vec::new());
    bound.into_iter().for_each(|bound| bound.begin(reader.meters()));
    for part in 0..head.of_meters.saturating_add(head.of_profiles) {
        // A piece that the database cannot read is as good as none.
        let Ok(Some(bytes)) = store.load_snapshot_part(workspace, row.size, part) else { return Ok(None) };
        digest.update(&bytes);
        if part >= head.of_meters {
            profiles.extend_from_slice(&bytes);
        } else if reader.take(&bytes).is_err() {
            return Ok(None);
        } else if let Some(bound) = bound {
            bound.relieve(reader.meters())?;
        }
    }
    if Digest(digest.finalize().into()) != Digest(head.digest) {
        return Ok(None);
    }
    let (Ok(meters), Ok(profiles)) = (reader.finish(), serde_json::from_slice(&profiles)) else { return Ok(None) };
    let (skipped, decided, fill_from) = (Span(head.skipped), head.decided == 1, head.fill_from);
    Ok(Some(Kept { skipped, meters, profiles, decided, fill_from }))
}
