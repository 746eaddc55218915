//! Shelves: the rules of one key of the index, behind gates.
//!
//! A gate is a plain part of a rule's condition. A shelf asks each slot once and leaves out every rule
//! whose gate is false: equalities by look-up, thresholds by binary search, any other part that several
//! rules share by asking it once. What must stay true: what is left out has a condition that is false for
//! certain; what is given may be anything.

use super::predicate::{Literal, Order, Place, Truth};
use super::run::Asking;
use super::slot::Seen;
use crate::decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;

/// Rules on a shelf that are simply looked at.
const FEW: usize = 2;

/// A part of a condition that can rule the condition out.
#[derive(Clone, Debug)]
pub enum Gate {
    Equal { slot: u32, literals: Vec<Literal> },
    Threshold { slot: u32, order: Order, number: Decimal },
    Shared { predicate: u32 },
}

/// Gates that are asked together. The order is the order of preference among equally selective ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DoorKey {
    Equal(u32),
    Threshold(u32),
    Shared(u32),
}

#[derive(Clone, Debug, Default)]
pub struct Shelf {
    open: Vec<u32>,
    doors: Vec<Door>,
}

#[derive(Clone, Debug)]
enum Door {
    Equal(Box<Equal>),
    Threshold { slot: u32, lists: Vec<(Order, Vec<(Decimal, u32)>)> },
    Shared { predicate: u32, behind: Shelf },
}

#[derive(Clone, Debug, Default)]
struct Equal {
    slot: u32,
    texts: Literals<Box<str>>,
    numbers: Literals<Decimal>,
    bools: Literals<bool>,
}

/// The rules that compare with literals of one type.
#[derive(Clone, Debug, Default)]
struct Literals<T> {
    shelves: HashMap<T, Shelf>,
    /// All of them, each once, however many literals it names: a slot without such a value fails them all.
    all: Vec<u32>,
}

impl Gate {
    /// The gate that a plain predicate is.
    #[must_use]
    pub fn of(predicate: u32, truth: &Truth) -> Self {
        match truth {
            Truth::Equals(Place::Slot(slot), literal) => Self::Equal { slot: *slot, literals: vec![literal.clone()] },
            Truth::Among(Place::Slot(slot), literals) if are_alike(literals) => {
                Self::Equal { slot: *slot, literals: literals.to_vec() }
            }
            Truth::Ordered(Place::Slot(slot), order, Literal::Number(number)) => {
                Self::Threshold { slot: *slot, order: *order, number: *number }
            }
            _ => Self::Shared { predicate },
        }
    }

    /// Whether a rule behind it stands in one place only.
    fn is_single(&self) -> bool {
        !matches!(self, Self::Equal { literals, .. } if literals.len() > 1)
    }

    fn key(&self) -> DoorKey {
        match self {
            Self::Equal { slot, .. } => DoorKey::Equal(*slot),
            Self::Threshold { slot, .. } => DoorKey::Threshold(*slot),
            Self::Shared { predicate } => DoorKey::Shared(*predicate),
        }
    }
}

/// Literals of one type, at least one.
fn are_alike(literals: &[Literal]) -> bool {
    let kind = std::mem::discriminant::<Literal>;
    literals.first().is_some_and(|first| literals.iter().all(|literal| kind(literal) == kind(first)))
}

impl Shelf {
    /// Puts rules on a shelf; `gates` are those of all rules by place, `used` those asked already.
    #[must_use]
    pub fn of(places: &[u32], gates: &[Vec<Gate>], used: &mut Vec<DoorKey>) -> Self {
        let mut shelf = Self::default();
        if places.len() <= FEW {
            shelf.open = places.to_vec();
            return shelf;
        }
        let selective = selectivity(places, gates, used);
        let mut behind: BTreeMap<DoorKey, Vec<(u32, &Gate)>> = BTreeMap::new();
        for place in places {
            let usable = of_place(gates, *place).iter().filter(|gate| is_usable(gate, used));
            // The most selective; among equals the first in the order of keys.
            let best = usable.max_by_key(|gate| {
                let key = gate.key();
                (selective.get(&key).copied().unwrap_or(0), std::cmp::Reverse(key))
            });
            match best {
                Some(gate) => behind.entry(gate.key()).or_default().push((*place, gate)),
                None => shelf.open.push(*place),
            }
        }
        for (key, rules) in behind {
            if rules.len() == 1 {
                shelf.open.extend(rules.iter().map(|(place, _)| *place));
                continue;
            }
            used.push(key);
            shelf.doors.push(Door::of(key, &rules, gates, used));
            used.pop();
        }
        shelf
    }

    /// Appends the rules that are not ruled out, in no order, perhaps twice.
    pub fn gather<'a>(&'a self, asking: &mut Asking<'a, '_>, found: &mut Vec<u32>) {
        found.extend_from_slice(&self.open);
        for door in &self.doors {
            match door {
                Door::Equal(equal) => equal.gather(asking, found),
                Door::Threshold { slot, lists } => {
                    let number = asking.slot(*slot).number();
                    for (order, list) in lists {
                        let behind = number.map_or(list.as_slice(), |number| accepted(*order, list, number));
                        found.extend(behind.iter().map(|(_, place)| *place));
                    }
                }
                Door::Shared { predicate, behind } => {
                    if asking.plain(*predicate) != Some(false) {
                        behind.gather(asking, found);
                    }
                }
            }
        }
    }
}

/// How many different values the gates of each key tell apart.
fn selectivity(places: &[u32], gates: &[Vec<Gate>], used: &[DoorKey]) -> HashMap<DoorKey, usize> {
    let mut equal: HashMap<u32, HashSet<&Literal>> = HashMap::new();
    let mut thresholds: HashMap<u32, HashSet<(Order, Decimal)>> = HashMap::new();
    let mut selective = HashMap::new();
    for gate in places.iter().flat_map(|place| of_place(gates, *place)) {
        if !is_usable(gate, used) {
            continue;
        }
        match gate {
            Gate::Equal { slot, literals } => equal.entry(*slot).or_default().extend(literals),
            Gate::Threshold { slot, order, number } => {
                thresholds.entry(*slot).or_default().insert((*order, *number));
            }
            Gate::Shared { .. } => {
                selective.insert(gate.key(), 1);
            }
        }
    }
    selective.extend(equal.into_iter().map(|(slot, seen)| (DoorKey::Equal(slot), seen.len())));
    selective.extend(thresholds.into_iter().map(|(slot, seen)| (DoorKey::Threshold(slot), seen.len())));
    selective
}

/// SECURITY: a rule stands once for each literal of a list, so lists are not used behind other gates: what a
/// rule takes up stays the length of its longest list, not the product of all.
fn is_usable(gate: &Gate, used: &[DoorKey]) -> bool {
    (used.is_empty() || gate.is_single()) && !used.contains(&gate.key())
}

fn of_place(gates: &[Vec<Gate>], place: u32) -> &[Gate] {
    usize::try_from(place).ok().and_then(|place| gates.get(place)).map_or(&[], Vec::as_slice)
}

/// The part of an ascending list whose thresholds the number passes.
fn accepted(order: Order, list: &[(Decimal, u32)], number: Decimal) -> &[(Decimal, u32)] {
    let below = |inclusive: bool| {
        list.partition_point(|(threshold, _)| if inclusive { *threshold <= number } else { *threshold < number })
    };
    let (head, tail) = match order {
        Order::Greater | Order::LessOrEqual => list.split_at(below(false)),
        Order::GreaterOrEqual | Order::Less => list.split_at(below(true)),
    };
    match order {
        Order::Greater | Order::GreaterOrEqual => head,
        Order::Less | Order::LessOrEqual => tail,
    }
}

impl Door {
    fn of(key: DoorKey, rules: &[(u32, &Gate)], gates: &[Vec<Gate>], used: &mut Vec<DoorKey>) -> Self {
        match key {
            DoorKey::Equal(slot) => Self::Equal(Box::new(Equal::of(slot, rules, gates, used))),
            DoorKey::Threshold(slot) => {
                let mut lists: BTreeMap<Order, Vec<(Decimal, u32)>> = BTreeMap::new();
                for (place, gate) in rules {
                    if let Gate::Threshold { order, number, .. } = gate {
                        lists.entry(*order).or_default().push((*number, *place));
                    }
                }
                lists.values_mut().for_each(|list| list.sort_unstable());
                Self::Threshold { slot, lists: lists.into_iter().collect() }
            }
            DoorKey::Shared(predicate) => {
                let places: Vec<u32> = rules.iter().map(|(place, _)| *place).collect();
                Self::Shared { predicate, behind: Shelf::of(&places, gates, used) }
            }
        }
    }
}

impl Equal {
    fn of(slot: u32, rules: &[(u32, &Gate)], gates: &[Vec<Gate>], used: &mut Vec<DoorKey>) -> Self {
        let mut by_literal: HashMap<&Literal, BTreeSet<u32>> = HashMap::new();
        for (place, gate) in rules {
            if let Gate::Equal { literals, .. } = gate {
                for literal in literals {
                    by_literal.entry(literal).or_default().insert(*place);
                }
            }
        }
        let mut equal = Self { slot, ..Self::default() };
        for (literal, places) in by_literal {
            match literal {
                Literal::Text(text) => equal.texts.insert(text.clone(), places, gates, used),
                Literal::Number(number) => equal.numbers.insert(*number, places, gates, used),
                Literal::Bool(value) => equal.bools.insert(*value, places, gates, used),
            }
        }
        equal.texts.settle();
        equal.numbers.settle();
        equal.bools.settle();
        equal
    }

    /// Rules that compare the slot with a value of another type than it has fail; they are not ruled out.
    fn gather<'a>(&'a self, asking: &mut Asking<'a, '_>, found: &mut Vec<u32>) {
        let seen = asking.slot(self.slot);
        let equal = match seen {
            Seen::Text(text) => self.texts.shelves.get(text),
            Seen::Number(number) => self.numbers.shelves.get(&number),
            Seen::Bool(value) => self.bools.shelves.get(&value),
            _ => None,
        };
        if let Some(shelf) = equal {
            shelf.gather(asking, found);
        }
        if !matches!(seen, Seen::Text(_)) {
            found.extend_from_slice(&self.texts.all);
        }
        if !matches!(seen, Seen::Number(_)) {
            found.extend_from_slice(&self.numbers.all);
        }
        if !matches!(seen, Seen::Bool(_)) {
            found.extend_from_slice(&self.bools.all);
        }
    }
}

impl<T: Eq + Hash> Literals<T> {
    fn insert(&mut self, literal: T, places: BTreeSet<u32>, gates: &[Vec<Gate>], used: &mut Vec<DoorKey>) {
        let places: Vec<u32> = places.into_iter().collect();
        self.shelves.insert(literal, Shelf::of(&places, gates, used));
        self.all.extend(places);
    }

    fn settle(&mut self) {
        self.all.sort_unstable();
        self.all.dedup();
    }
}

/// For tests: how many places rules stand in.
#[cfg(test)]
impl Shelf {
    pub fn places(&self) -> usize {
        let of_all = |shelves: &mut dyn Iterator<Item = &Self>| shelves.map(Self::places).sum::<usize>();
        let of_door = |door: &Door| match door {
            Door::Equal(equal) => {
                of_all(&mut equal.texts.shelves.values())
                    + of_all(&mut equal.numbers.shelves.values())
                    + of_all(&mut equal.bools.shelves.values())
            }
            Door::Threshold { lists, .. } => lists.iter().map(|(_, list)| list.len()).sum(),
            Door::Shared { behind, .. } => behind.places(),
        };
        self.open.len() + self.doors.iter().map(of_door).sum::<usize>()
    }
}
