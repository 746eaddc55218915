//! Bytes of cells and entries: little-endian, variable lengths for what is mostly small, equal bytes for equal cells.

use super::cell::{Cell, Said};
use super::entry::Entry;
use crate::decimal::Decimal;
use crate::time::Micros;

const STEPS: u8 = 1;
const MARK: u8 = 2;

/// Appends a number, seven bits to a byte, the lowest first.
#[allow(clippy::cast_possible_truncation, reason = "the lowest bits are what is wanted")]
pub fn write_number(mut number: u128, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number off the front; `None` if there is none, or it was written in more bytes than it needs.
pub fn read_number(from: &mut &[u8]) -> Option<u128> {
    let (mut number, mut shift) = (0u128, 0u32);
    loop {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        let bits = u128::from(byte & 0x7f);
        if shift > 126 || (shift == 126 && bits > 3) || (bits == 0 && *byte == 0 && shift > 0) {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
        shift += 7;
    }
}

pub fn write_signed(number: i64, out: &mut Vec<u8>) {
    write_number(u128::from(((number << 1) ^ (number >> 63)).cast_unsigned()), out);
}

pub fn read_signed(from: &mut &[u8]) -> Option<i64> {
    let number = u64::try_from(read_number(from)?).ok()?;
    Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
}

fn write_decimal(number: Decimal, out: &mut Vec<u8>) {
    let (coefficient, exponent) = number.parts();
    // Amounts that are kept are not negative.
    write_number(coefficient.unsigned_abs(), out);
    write_signed(i64::from(exponent), out);
}

fn read_decimal(from: &mut &[u8]) -> Option<Decimal> {
    let coefficient = i128::try_from(read_number(from)?).ok()?;
    let exponent = i32::try_from(read_signed(from)?).ok()?;
    let number = Decimal::new(coefficient, exponent).ok()?;
    // Another spelling of the same number.
    (number.parts() == (coefficient, exponent)).then_some(number)
}

pub fn write_cell(cell: &Cell, out: &mut Vec<u8>) {
    if let Cell::Mark { at, said } = cell {
        out.push(MARK);
        write_signed(at.0, out);
        out.push(said.number());
        return;
    }
    out.push(STEPS);
    write_number(u128::try_from(cell.len()).unwrap_or(0), out);
    let mut before = 0;
    cell.each_step(|step, amount| {
        write_signed(step.wrapping_sub(before), out);
        write_decimal(amount, out);
        before = step;
    });
}

pub fn read_cell(from: &mut &[u8]) -> Option<Cell> {
    let (kind, rest) = from.split_first()?;
    *from = rest;
    match *kind {
        MARK => {
            let at = Micros(read_signed(from)?);
            let (said, rest) = from.split_first()?;
            *from = rest;
            Some(Cell::Mark { at, said: Said::numbered(*said)? })
        }
        STEPS => {
            let count = usize::try_from(read_number(from)?).ok().filter(|count| *count <= from.len())?;
            let (mut steps, mut before) = (Vec::with_capacity(count), 0i64);
            for _ in 0..count {
                before = before.wrapping_add(read_signed(from)?);
                steps.push((before, read_decimal(from)?));
            }
            Cell::of_steps(steps)
        }
        _ => None,
    }
}

/// For disk: counters by their numbers in this process.
pub fn write_entry(entry: &Entry, out: &mut Vec<u8>) {
    for (counter, cell) in entry.iter() {
        write_number(u128::from(counter), out);
        write_cell(cell, out);
    }
}

pub fn read_entry(from: &mut &[u8]) -> Option<Entry> {
    let mut entry = Entry::default();
    while !from.is_empty() {
        let counter = u32::try_from(read_number(from)?).ok()?;
        entry.insert(counter, read_cell(from)?);
    }
    Some(entry)
}
