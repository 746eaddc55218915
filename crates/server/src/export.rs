//! The whole ledger as a stream of lines, in bounded memory whatever its size.
//!
//! SECURITY: whether the reader may still read is asked again for every piece. A stream that cannot go on is cut
//! off, so that half a ledger is never taken for a whole one: the header says how many entries must follow.

use crate::error::Error;
use crate::history::{History, Row};
use crate::workspace::Workspace;
use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use runplane_ledger::Hash;
use runplane_ledger::checkpoint::origin;
use runplane_ledger::export::{Header, write_checkpoint, write_entry};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Bytes of one piece, or a little more.
const PIECE: usize = 64 * 1024;
/// Pieces that may wait for a slow reader.
const WAITING: usize = 4;

/// The ledger as of now.
pub fn stream(workspace: Arc<Workspace>, still_allowed: impl Fn() -> bool + Send + 'static) -> Body {
    let (pieces, reader) = mpsc::channel::<Result<Bytes, Error>>(WAITING);
    tokio::task::spawn_blocking(move || {
        if let Err(failure) = write(&workspace, &pieces, &still_allowed) {
            tracing::error!(workspace = %workspace.name, %failure, "an export was cut off");
            let _ = pieces.blocking_send(Err(failure));
        }
    });
    Body::from_stream(stream::unfold(
        reader,
        |mut reader| async move { reader.recv().await.map(|piece| (piece, reader)) },
    ))
}

fn write(
    workspace: &Workspace,
    pieces: &mpsc::Sender<Result<Bytes, Error>>,
    still_allowed: &dyn Fn() -> bool,
) -> Result<(), Error> {
    let size = workspace.published.head.load().size;
    let mut piece = Vec::with_capacity(PIECE * 2);
    let failed = |failure| Error::internal("an entry cannot be exported").because(failure);
    Header::new(&origin(&workspace.id), &workspace.verifying_key().to_string(), size)
        .write(&mut piece)
        .map_err(failed)?;
    let mut history = History::of(&workspace.id);
    while let Some(row) = history.next(&*workspace.store, size)? {
        match row {
            Row::Entry(row) => write_entry(&mut piece, row.index, &Hash::new(row.leaf_hash), &row.bytes),
            Row::Checkpoint(checkpoint) => write_checkpoint(&mut piece, &checkpoint.note),
        }
        .map_err(failed)?;
        if piece.len() >= PIECE {
            if !still_allowed() {
                return Err(Error::internal("the reader may no longer read"));
            }
            let full = std::mem::replace(&mut piece, Vec::with_capacity(PIECE * 2));
            if pieces.blocking_send(Ok(full.into())).is_err() {
                // Nobody reads any more.
                return Ok(());
            }
        }
    }
    let _ = pieces.blocking_send(Ok(piece.into()));
    Ok(())
}
