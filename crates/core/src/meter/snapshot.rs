//! The form in a document: lists in the order of their keys, so that equal state has equal bytes.

use super::Meters;
use super::cell::{Cell, Said};
use super::entry::Entry;
use super::key::{CounterId, Tail};
use super::shards::ColdFailure;
use crate::decimal::Decimal;
use crate::time::{Micros, Span};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Form {
    counters: Vec<CounterForm>,
    filling: Vec<(String, Span)>,
}

#[derive(Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CounterForm {
    id: String,
    within: Span,
    keys: BTreeMap<String, CellForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shared: Option<CellForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost: Option<Micros>,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(untagged)]
enum CellForm {
    Steps(Vec<(i64, Decimal)>),
    Mark { at: Micros, said: u8 },
}

impl From<&Cell> for CellForm {
    fn from(cell: &Cell) -> Self {
        match cell {
            Cell::Mark { at, said } => Self::Mark { at: *at, said: said.number() },
            steps => Self::Steps(steps.steps()),
        }
    }
}

impl CellForm {
    fn cell(self) -> Option<Cell> {
        match self {
            Self::Steps(steps) => Cell::of_steps(steps),
            Self::Mark { at, said } => Some(Cell::Mark { at, said: Said::numbered(said)? }),
        }
    }
}

impl Meters {
    fn form(&self) -> Result<Form, ColdFailure> {
        let mut counters: BTreeMap<CounterId, CounterForm> = BTreeMap::new();
        let of = |id: &CounterId| CounterForm { id: id.to_hex(), within: id.within, ..CounterForm::default() };
        for (_, known) in self.counters.iter().filter(|(_, known)| known.shared.is_some() || known.lost.is_some()) {
            let form = counters.entry(known.id).or_insert_with(|| of(&known.id));
            (form.shared, form.lost) = (known.shared.as_ref().map(CellForm::from), known.lost);
        }
        self.shards.visit(|tail, entry| {
            for (number, cell) in entry.iter() {
                if let Some(known) = self.counters.current(number) {
                    let form = counters.entry(known.id).or_insert_with(|| of(&known.id));
                    form.keys.insert(hex::encode(tail.0), cell.into());
                }
            }
            true
        })?;
        let filling = self.filling.iter().map(|id| (id.to_hex(), id.within)).collect();
        Ok(Form { counters: counters.into_values().collect(), filling })
    }

    fn of_form(form: Form) -> Option<Self> {
        let mut meters = Self::default();
        let mut entries: BTreeMap<Tail, Entry> = BTreeMap::new();
        for counter in form.counters {
            let id = CounterId::from_hex(&counter.id, counter.within).filter(|id| id.within.0 > 0)?;
            let number = meters.counters.number_or_new(id);
            let known = meters.counters.get_mut(number)?;
            known.lost = counter.lost;
            if let Some(form) = counter.shared {
                known.shared = Some(form.cell()?);
            }
            for (text, form) in counter.keys {
                let mut tail = [0; 24];
                hex::decode_to_slice(text, &mut tail).ok()?;
                let cell = form.cell()?;
                known.took(&cell);
                entries.entry(Tail(tail)).or_default().insert(number, cell);
            }
        }
        entries.into_iter().for_each(|(tail, entry)| meters.shards.put(tail, entry));
        for (id, within) in form.filling {
            meters.begin_filling(CounterId::from_hex(&id, within)?);
        }
        Some(meters)
    }
}

/// Equal if the same is in the same steps of the same keys.
impl PartialEq for Meters {
    fn eq(&self, other: &Self) -> bool {
        matches!((self.form(), other.form()), (Ok(own), Ok(others)) if own == others)
    }
}

impl Eq for Meters {}

impl Serialize for Meters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.form().map_err(<S::Error as serde::ser::Error>::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Meters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = Form::deserialize(deserializer)?;
        Self::of_form(form).ok_or_else(|| serde::de::Error::custom("the meters of a snapshot cannot be read"))
    }
}
