//! Keys that nobody asked for lately, in files of this process: written once, in order, found by a filter in memory, an
//! index of blocks and one read.
//!
//! The files have no names, so they are gone with the process, however it ends, and nobody else can read or change
//! them. Every block has a checksum: what comes back is what was put down, or it is a failure.

mod filter;
mod run;

use run::{Entry, Run};
use runplane_core::meter::{Cold, ColdEntries, ColdFailure, Thinner};
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Runs of one size that become one of the next.
const FAN: usize = 4;

/// Runs of keys, the oldest first. It never changes: what is put down makes another pile, which shares the runs.
#[derive(Clone)]
pub struct Pile {
    folder: PathBuf,
    runs: Vec<(u32, Arc<Run>)>,
}

impl Pile {
    /// An empty one, whose files will be in that folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), runs: Vec::new() }
    }

    /// Makes one run of the newest ones while there are enough of a size.
    fn merged(mut self, thinner: &Thinner) -> Self {
        while let Some((level, _)) = self.runs.last().cloned() {
            let same = self.runs.iter().rev().take_while(|(other, _)| *other == level).count();
            if same < FAN {
                break;
            }
            let from = self.runs.len() - same;
            let (newest, is_oldest) = (self.runs.get(from..).unwrap_or_default().to_vec(), from == 0);
            let entries = Merged::of(newest.iter().map(|(_, run)| run.scan(0)).collect());
            let thinned = entries.filter_map(|entry| match entry {
                Ok((tail, bytes)) => match thinner.thin(&bytes) {
                    // There may be an older one below, which it hides.
                    None if is_oldest => None,
                    None => Some(Ok((tail, Vec::new()))),
                    Some(bytes) => Some(Ok((tail, bytes))),
                },
                failed => Some(failed),
            });
            let most = newest.iter().map(|(_, run)| run.len()).sum();
            // Merging saves reads and may fail; what was put down stays where it is then.
            let Ok(run) = Run::write(&self.folder, thinned, most) else { break };
            self.runs.truncate(from);
            self.runs.push((level + 1, Arc::new(run)));
        }
        self
    }
}

impl Cold for Pile {
    fn find(&self, tail: &[u8; 24]) -> Result<Option<Vec<u8>>, ColdFailure> {
        for (_, run) in self.runs.iter().rev() {
            if let Some(found) = run.find(tail)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn scan(&self, from: u16) -> ColdEntries<'_> {
        Box::new(Merged::of(self.runs.iter().map(|(_, run)| run.scan(from)).collect()))
    }

    fn len(&self) -> u64 {
        self.runs.iter().map(|(_, run)| run.len()).sum()
    }

    fn with(&self, entries: Vec<Entry>, thinner: &Thinner) -> Result<Arc<dyn Cold>, ColdFailure> {
        let mut pile = self.clone();
        let most = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        let run = Run::write(&self.folder, entries.into_iter().map(Ok), most)?;
        pile.runs.push((0, Arc::new(run)));
        Ok(Arc::new(pile.merged(thinner)))
    }
}

/// Several runs in the order of tails; of one tail only what is in the newest, which is the last.
struct Merged<'r> {
    runs: Vec<Peekable<ColdEntries<'r>>>,
}

impl<'r> Merged<'r> {
    fn of(runs: Vec<ColdEntries<'r>>) -> Self {
        Self { runs: runs.into_iter().map(Iterator::peekable).collect() }
    }
}

impl Iterator for Merged<'_> {
    type Item = Result<Entry, ColdFailure>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut least: Option<[u8; 24]> = None;
        for run in &mut self.runs {
            match run.peek() {
                Some(Ok((tail, _))) => least = Some(least.map_or(*tail, |least| least.min(*tail))),
                Some(Err(_)) => return run.next(),
                None => {}
            }
        }
        let least = least?;
        let mut newest = None;
        for run in &mut self.runs {
            if run.peek().is_some_and(|entry| entry.as_ref().is_ok_and(|(tail, _)| *tail == least)) {
                newest = run.next();
            }
        }
        newest
    }
}

#[cfg(test)]
mod tests;
