//! Verifying an export on every core: blocks of lines are examined at the same time and judged in their order.
//!
//! Memory is bounded: a few blocks for each core, whatever the size of the export.

use anyhow::Context;
use runplane_ledger::export::{Cutter, Examined, Examiner, Outcome, Reader};
use std::collections::VecDeque;
use std::io::Read;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope};

const BLOCK: u64 = 512 * 1024;
/// Blocks that each core has: one to work on and one to go on with.
const AHEAD: usize = 2;

/// What `reader` says of the whole export. `progress` hears after each block how far it has read.
pub fn verify(export: impl Read, mut reader: Reader, progress: impl Fn(&Reader)) -> anyhow::Result<Outcome> {
    let mut source = Source { export, cutter: Cutter::default(), is_ended: false };
    let mut first = source.next(Vec::new())?.unwrap_or_default();
    let header = first.iter().position(|byte| *byte == b'\n').map_or(first.len(), |at| at + 1);
    reader.feed(first.get(..header).unwrap_or_default())?;
    if let Some(examiner) = reader.examiner() {
        first.drain(..header);
        let next = if first.is_empty() { source.next(first)? } else { Some(first) };
        verify_lines(source, next, &examiner, &mut reader, progress)?;
    }
    Ok(reader.finish()?)
}

fn verify_lines(
    mut source: Source<impl Read>,
    mut next: Option<Vec<u8>>,
    examiner: &Examiner,
    reader: &mut Reader,
    progress: impl Fn(&Reader),
) -> anyhow::Result<()> {
    const STOPPED: &str = "a thread that examines the export has stopped";
    let count = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let cores: Vec<Core> = (0..count).map(|_| Core::start(scope, examiner)).collect();
        let mut turn = cores.iter().cycle();
        let mut at_work: VecDeque<&Core> = VecDeque::new();
        while next.is_some() || !at_work.is_empty() {
            let mut free = Vec::new();
            if next.is_none() || at_work.len() == count * AHEAD {
                let core = at_work.pop_front().context(STOPPED)?;
                let (block, examined) = core.examined.recv().context(STOPPED)?;
                reader.take(examined);
                progress(reader);
                free = block;
            }
            if let Some(block) = next.take() {
                let core = turn.next().context(STOPPED)?;
                core.blocks.send(block).context(STOPPED)?;
                at_work.push_back(core);
                next = source.next(free)?;
            }
        }
        Ok(())
    })
}

/// A thread that examines blocks and hands them back in their order.
struct Core {
    blocks: SyncSender<Vec<u8>>,
    examined: Receiver<(Vec<u8>, Examined)>,
}

impl Core {
    fn start<'s>(scope: &'s Scope<'s, '_>, examiner: &'s Examiner) -> Self {
        let (blocks, to_examine) = sync_channel::<Vec<u8>>(AHEAD);
        let (done, examined) = sync_channel(AHEAD);
        scope.spawn(move || {
            for block in to_examine {
                let examined = examiner.examine(&block);
                // Nobody listening any more: reading has failed.
                if done.send((block, examined)).is_err() {
                    break;
                }
            }
        });
        Self { blocks, examined }
    }
}

struct Source<R> {
    export: R,
    cutter: Cutter,
    is_ended: bool,
}

impl<R: Read> Source<R> {
    /// The next block of whole lines, in the memory of one that is no longer needed.
    fn next(&mut self, mut block: Vec<u8>) -> anyhow::Result<Option<Vec<u8>>> {
        while !self.is_ended {
            self.cutter.begin(&mut block);
            let read = (&mut self.export).take(BLOCK).read_to_end(&mut block).context("reading broke off")?;
            if (read as u64) < BLOCK {
                self.is_ended = true;
            } else {
                self.cutter.end(&mut block);
            }
            if !block.is_empty() {
                return Ok(Some(block));
            }
        }
        Ok(None)
    }
}
