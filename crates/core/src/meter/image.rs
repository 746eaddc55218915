//! All meters as bytes, for a snapshot: canonical, so that equal state has equal bytes, and readable piece by piece.
//!
//! First every counter that has something, in the order of ids; then what lies together under one tail, in the order of
//! tails, counters by their place in that first list. Only what counts at a given moment is in it.
//! Refuses, when read, whatever is not written exactly so.

use super::Meters;
use super::cell::Cell;
use super::codec::{read_cell, read_number, read_signed, write_cell, write_number, write_signed};
use super::entry::Entry;
use super::key::{CounterId, Tail};
use super::known::Known;
use super::shards::ColdFailure;
use crate::time::{Micros, Span};
use std::collections::HashMap;

const FILLING: u8 = 1;
const SHARED: u8 = 2;
const LOST: u8 = 4;

/// Bytes after which a piece is given away.
const PIECE: usize = 256 * 1024;

/// It is no image of meters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the meters of a snapshot cannot be read")]
pub struct Broken;

impl Meters {
    /// Gives away the image of what counts at `now`, in pieces; `false` of `take` ends it early.
    pub fn image(&self, now: Micros, mut take: impl FnMut(Vec<u8>) -> bool) -> Result<(), ColdFailure> {
        let mut known: Vec<(u32, Known)> =
            self.counters.iter().map(|(number, known)| (number, known.clone())).collect();
        known.iter_mut().for_each(|(_, known)| known.sweep(now));
        known.retain(|(_, known)| !known.is_empty());
        known.sort_unstable_by_key(|(_, known)| known.id);
        let mut places: HashMap<u32, u32> = HashMap::new();
        let mut piece = Vec::with_capacity(PIECE + 4_096);
        write_number(u128::try_from(known.len()).unwrap_or(0), &mut piece);
        for (place, (number, known)) in (0u32..).zip(&known) {
            places.insert(*number, place);
            write_known(known, &mut piece);
        }
        let within =
            |place: u32| usize::try_from(place).ok().and_then(|place| known.get(place)).map(|(_, k)| k.id.within);
        let mut goes_on = true;
        self.shards.visit(|tail, entry| {
            let mut cells: Vec<(u32, Cell)> = entry
                .iter()
                .filter_map(|(number, cell)| {
                    let place = *places.get(&number)?;
                    let mut cell = cell.clone();
                    cell.expire(within(place)?, now).then_some((place, cell))
                })
                .collect();
            if cells.is_empty() {
                return true;
            }
            cells.sort_unstable_by_key(|(place, _)| *place);
            piece.extend_from_slice(&tail.0);
            write_number(u128::try_from(cells.len()).unwrap_or(0), &mut piece);
            for (place, cell) in &cells {
                write_number(u128::from(*place), &mut piece);
                write_cell(cell, &mut piece);
            }
            if piece.len() >= PIECE {
                goes_on = take(std::mem::replace(&mut piece, Vec::with_capacity(PIECE + 4_096)));
            }
            goes_on
        })?;
        if goes_on {
            take(piece);
        }
        Ok(())
    }
}

fn write_known(known: &Known, out: &mut Vec<u8>) {
    out.extend_from_slice(&known.id.bytes());
    write_signed(known.id.within.0, out);
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    out.push(flag(known.is_filling, FILLING) | flag(known.shared.is_some(), SHARED) | flag(known.lost.is_some(), LOST));
    known.shared.iter().for_each(|cell| write_cell(cell, out));
    known.lost.iter().for_each(|at| write_signed(at.0, out));
}

/// Reads an image as its pieces come.
#[derive(Default)]
pub struct Reader {
    meters: Meters,
    /// Numbers of the counters by their place in the image; `None` before the list of counters was read.
    numbers: Option<Vec<u32>>,
    last: Option<Tail>,
}

impl Reader {
    /// Takes the next piece in. Pieces end where entries do.
    pub fn take(&mut self, piece: &[u8]) -> Result<(), Broken> {
        let mut rest = piece;
        if self.numbers.is_none() {
            self.numbers = Some(self.read_counters(&mut rest).ok_or(Broken)?);
        }
        while !rest.is_empty() {
            self.read_entry(&mut rest).ok_or(Broken)?;
        }
        Ok(())
    }

    /// The meters, once all pieces were taken.
    pub fn finish(self) -> Result<Meters, Broken> {
        self.numbers.is_some().then_some(self.meters).ok_or(Broken)
    }

    /// The meters so far, to let some of them go to disk.
    pub fn meters(&mut self) -> &mut Meters {
        &mut self.meters
    }

    fn read_counters(&mut self, from: &mut &[u8]) -> Option<Vec<u32>> {
        let count = usize::try_from(read_number(from)?).ok().filter(|count| *count <= from.len())?;
        let (mut numbers, mut last) = (Vec::with_capacity(count), None);
        for _ in 0..count {
            let (id, rest) = from.split_first_chunk()?;
            *from = rest;
            let id = CounterId::of_bytes(*id, Span(read_signed(from)?));
            if id.within.0 <= 0 || last.is_some_and(|last: CounterId| last >= id) {
                return None;
            }
            last = Some(id);
            let (flags, rest) = from.split_first()?;
            *from = rest;
            if *flags & !(FILLING | SHARED | LOST) != 0 {
                return None;
            }
            let shared = if flags & SHARED == 0 { None } else { Some(read_cell(from)?) };
            let lost = if flags & LOST == 0 { None } else { Some(Micros(read_signed(from)?)) };
            let number = self.meters.counters.number_or_new(id);
            let known = self.meters.counters.get_mut(number)?;
            (known.shared, known.lost, known.is_filling) = (shared, lost, flags & FILLING != 0);
            if known.is_filling {
                self.meters.filling.insert(id);
            }
            numbers.push(number);
        }
        Some(numbers)
    }

    fn read_entry(&mut self, from: &mut &[u8]) -> Option<()> {
        let (tail, rest) = from.split_first_chunk()?;
        *from = rest;
        let tail = Tail(*tail);
        if self.last.is_some_and(|last| last >= tail) {
            return None;
        }
        self.last = Some(tail);
        let count = usize::try_from(read_number(from)?).ok().filter(|count| (1..=from.len()).contains(count))?;
        let numbers = self.numbers.as_ref()?;
        let (mut entry, mut last) = (Entry::default(), None);
        for _ in 0..count {
            let place = usize::try_from(read_number(from)?).ok()?;
            if last.is_some_and(|last| last >= place) {
                return None;
            }
            last = Some(place);
            let number = *numbers.get(place)?;
            let cell = read_cell(from)?;
            self.meters.counters.get_mut(number)?.took(&cell);
            entry.insert(number, cell);
        }
        self.meters.shards.put(tail, entry);
        Some(())
    }
}
