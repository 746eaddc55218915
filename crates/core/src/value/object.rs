//! The members of an object: a list in the order of their names, each name once.
//!
//! A call has a dozen members and is read once, so one list that is sorted once costs less than a tree. What must stay
//! true: names ascend strictly. Canonical (RFC 8785, UTF-16) order is made by the writer, not here.

use super::{Text, Value};

/// Up to this many members are looked through, more are bisected.
const FEW: usize = 8;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    members: Vec<(Text, Value)>,
}

impl Object {
    #[must_use]
    pub const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// The object of these members; `Err` with the members in order if a name comes twice.
    pub(crate) fn of(mut members: Vec<(Text, Value)>) -> Result<Self, Vec<(Text, Value)>> {
        if !ascends(&members) {
            members.sort_by(|(left, _), (right, _)| left.as_str().cmp(right.as_str()));
            if !ascends(&members) {
                return Err(members);
            }
        }
        Ok(Self { members })
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        if self.members.len() <= FEW {
            return self.members.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        }
        self.members.get(self.place(name).ok()?).map(|(_, value)| value)
    }

    #[must_use]
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let place = self.place(name).ok()?;
        self.members.get_mut(place).map(|(_, value)| value)
    }

    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Puts a member in, and gives back what had its name.
    pub fn insert(&mut self, name: impl Into<Text>, value: Value) -> Option<Value> {
        let name = name.into();
        match self.place(&name) {
            Ok(place) => self.members.get_mut(place).map(|(_, known)| std::mem::replace(known, value)),
            Err(place) => {
                self.members.insert(place, (name, value));
                None
            }
        }
    }

    /// The member of this name, which is put in if there is none.
    pub fn get_or_insert_with(&mut self, name: &str, value: impl FnOnce() -> Value) -> Option<&mut Value> {
        let place = self.place(name).unwrap_or_else(|place| {
            self.members.insert(place, (Text::new(name), value()));
            place
        });
        self.members.get_mut(place).map(|(_, value)| value)
    }

    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let place = self.place(name).ok()?;
        Some(self.members.remove(place).1)
    }

    /// Members in the order of their names.
    pub fn iter(&self) -> Iter<'_> {
        fn parts((name, value): &(Text, Value)) -> (&Text, &Value) {
            (name, value)
        }
        self.members.iter().map(parts)
    }

    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Text> + Clone {
        self.members.iter().map(|(name, _)| name)
    }

    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> + Clone {
        self.members.iter().map(|(_, value)| value)
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.members.binary_search_by(|(known, _)| known.as_str().cmp(name))
    }
}

fn ascends(members: &[(Text, Value)]) -> bool {
    members.is_sorted_by(|(left, _), (right, _)| left.as_str() < right.as_str())
}

type Iter<'a> = std::iter::Map<std::slice::Iter<'a, (Text, Value)>, fn(&'a (Text, Value)) -> (&'a Text, &'a Value)>;

impl<'a> IntoIterator for &'a Object {
    type Item = (&'a Text, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Object {
    type Item = (Text, Value);
    type IntoIter = std::vec::IntoIter<(Text, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
    }
}

/// Of members with one name the last holds.
impl<N: Into<Text>> FromIterator<(N, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(members: I) -> Self {
        let members: Vec<(Text, Value)> = members.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Self::of(members).unwrap_or_else(|mut members| {
            members.dedup_by(|later, first| {
                let same = later.0 == first.0;
                if same {
                    std::mem::swap(later, first);
                }
                same
            });
            Self { members }
        })
    }
}

impl<N: Into<Text>, const COUNT: usize> From<[(N, Value); COUNT]> for Object {
    fn from(members: [(N, Value); COUNT]) -> Self {
        members.into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
