//! What lies together under one tail: a cell for each counter that has something there.

use super::cell::Cell;

#[derive(Clone, Debug, Default)]
pub struct Entry {
    cells: Cells,
    /// There is an older version of it on disk, so that it must not just be dropped when it is empty.
    pub is_stored: bool,
    /// Asked for since somebody last looked for what is not.
    pub is_used: bool,
}

/// By the number of the counter, ascending. Nearly every entry has one.
#[derive(Clone, Debug, Default)]
enum Cells {
    #[default]
    None,
    One((u32, Cell)),
    More(Vec<(u32, Cell)>),
}

impl Entry {
    fn slice(&self) -> &[(u32, Cell)] {
        match &self.cells {
            Cells::None => &[],
            Cells::One(one) => std::slice::from_ref(one),
            Cells::More(cells) => cells,
        }
    }

    #[must_use]
    pub fn get(&self, counter: u32) -> Option<&Cell> {
        let cells = self.slice();
        let place = cells.binary_search_by_key(&counter, |(known, _)| *known).ok()?;
        cells.get(place).map(|(_, cell)| cell)
    }

    pub fn get_mut(&mut self, counter: u32) -> Option<&mut Cell> {
        match &mut self.cells {
            Cells::None => None,
            Cells::One((known, cell)) => (*known == counter).then_some(cell),
            Cells::More(cells) => {
                let place = cells.binary_search_by_key(&counter, |(known, _)| *known).ok()?;
                cells.get_mut(place).map(|(_, cell)| cell)
            }
        }
    }

    pub fn insert(&mut self, counter: u32, cell: Cell) {
        match &mut self.cells {
            Cells::None => self.cells = Cells::One((counter, cell)),
            Cells::One((known, _)) if *known == counter => self.cells = Cells::One((counter, cell)),
            Cells::One(_) => {
                if let Cells::One(one) = std::mem::take(&mut self.cells) {
                    let mut cells = Vec::with_capacity(4);
                    cells.push(one);
                    cells.push((counter, cell));
                    cells.sort_unstable_by_key(|(known, _)| *known);
                    self.cells = Cells::More(cells);
                }
            }
            Cells::More(cells) => match cells.binary_search_by_key(&counter, |(known, _)| *known) {
                Ok(place) => {
                    if let Some(slot) = cells.get_mut(place) {
                        slot.1 = cell;
                    }
                }
                Err(place) => cells.insert(place, (counter, cell)),
            },
        }
    }

    pub fn remove(&mut self, counter: u32) {
        self.retain(|known, _| known != counter);
    }

    pub fn retain(&mut self, mut keep: impl FnMut(u32, &mut Cell) -> bool) {
        match &mut self.cells {
            Cells::None => {}
            Cells::One((known, cell)) => {
                if !keep(*known, cell) {
                    self.cells = Cells::None;
                }
            }
            Cells::More(cells) => {
                cells.retain_mut(|(known, cell)| keep(*known, cell));
                if cells.is_empty() {
                    self.cells = Cells::None;
                }
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &Cell)> {
        self.slice().iter().map(|(counter, cell)| (*counter, cell))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self.cells, Cells::None)
    }

    /// Bytes it takes up beside its place in a table.
    #[must_use]
    pub fn weight(&self) -> usize {
        let beyond: usize = self.slice().iter().map(|(_, cell)| cell.weight()).sum();
        match &self.cells {
            Cells::More(cells) => beyond + cells.capacity() * size_of::<(u32, Cell)>(),
            _ => beyond,
        }
    }
}
