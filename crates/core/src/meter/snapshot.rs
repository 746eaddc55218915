//! The form in a snapshot: lists in the order of their keys, so that equal state has equal bytes.

use super::cell::{Cell, Said};
use super::group::Group;
use super::{CounterId, Meters, Tail};
use crate::decimal::Decimal;
use crate::time::{Micros, Span};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, HashMap};

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Form {
    counters: Vec<GroupForm>,
    filling: Vec<(String, Span)>,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GroupForm {
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
            Cell::Mark { at, said } => Self::Mark {
                at: *at,
                said: match said {
                    Said::False => 0,
                    Said::True => 1,
                    Said::Doubt => 2,
                },
            },
            steps => Self::Steps(steps.steps()),
        }
    }
}

impl CellForm {
    fn cell(self) -> Option<Cell> {
        match self {
            Self::Steps(steps) => Cell::of_steps(steps),
            Self::Mark { at, said } => Some(Cell::Mark { at, said: Said::of(Decimal::from(u64::from(said))) }),
        }
    }
}

impl GroupForm {
    fn of(id: &CounterId, group: &Group) -> Self {
        Self {
            id: id.to_hex(),
            within: id.within,
            keys: group.cells.iter().map(|(tail, cell)| (hex::encode(tail), cell.into())).collect(),
            shared: group.shared.as_ref().map(CellForm::from),
            lost: group.lost,
        }
    }

    fn read(self) -> Option<(CounterId, Group)> {
        let id = CounterId::from_hex(&self.id, self.within)?;
        let cells: Option<HashMap<Tail, Cell>> = self
            .keys
            .into_iter()
            .map(|(text, form)| {
                let mut tail = [0; 24];
                hex::decode_to_slice(text, &mut tail).ok()?;
                Some((tail, form.cell()?))
            })
            .collect();
        let shared = match self.shared {
            Some(form) => Some(form.cell()?),
            None => None,
        };
        Some((id, Group { within: self.within, cells: cells?, shared, lost: self.lost }))
    }
}

impl Meters {
    fn form(&self) -> Form {
        let mut groups: Vec<(&CounterId, &Group)> = self.groups.iter().collect();
        groups.sort_by_key(|(id, _)| **id);
        Form {
            counters: groups.into_iter().map(|(id, group)| GroupForm::of(id, group)).collect(),
            filling: self.filling.iter().map(|id| (id.to_hex(), id.within)).collect(),
        }
    }
}

/// Equal if the same is in the same steps of the same keys.
impl PartialEq for Meters {
    fn eq(&self, other: &Self) -> bool {
        self.form() == other.form()
    }
}

impl Eq for Meters {}

impl Serialize for Meters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.form().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Meters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = Form::deserialize(deserializer)?;
        let groups = form.counters.into_iter().map(GroupForm::read).collect::<Option<_>>();
        let filling = form.filling.iter().map(|(id, within)| CounterId::from_hex(id, *within)).collect::<Option<_>>();
        match groups.zip(filling) {
            Some((groups, filling)) => Ok(Self { groups, filling, ..Self::default() }),
            None => Err(serde::de::Error::custom("the meters of a snapshot cannot be read")),
        }
    }
}
