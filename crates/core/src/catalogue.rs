//! The action catalogue: canonical action types, what they do, and the names people give them.
//!
//! The shipped data is `packs/catalogue.yaml`. Loading checks that every parent exists, that no two
//! types claim one name, and that templates name known fields; a catalogue that exists is consistent.
//! Refuses to guess: a name that is not here is unknown, and `action` decides what that means.
//! INVARIANT: a child's effect is at least its parent's, and a workspace can add types and names but
//! never change what a built-in name means.

mod definition;
mod names;

pub use definition::{Definition, Domain, Effect, Field, FieldKind, Unit};
pub use names::words;

use crate::digest::{Digest, sha256};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// A canonical action type's name.
pub type TypeName = Arc<str>;

const BUILTIN: &str = include_str!("../../../packs/catalogue.yaml");
const LONGEST_CHAIN: usize = 8;

/// One type, with everything inherited from its parents resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionType {
    pub name: TypeName,
    pub definition: Definition,
    /// This type and its parents, nearest first.
    pub lineage: Vec<TypeName>,
    /// Own fields and the parents', by name; without the common ones.
    pub fields: BTreeMap<String, Field>,
    /// Those of the fields that measure the scale of a call.
    pub measures: Vec<Field>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    types: BTreeMap<TypeName, Arc<ActionType>>,
    /// The same, for finding.
    by_name: FxHashMap<TypeName, Arc<ActionType>>,
    common: BTreeMap<String, Field>,
    common_measures: Vec<Field>,
    /// By the name without separators and case.
    by_key: FxHashMap<String, Arc<ActionType>>,
}

/// What is wrong with a catalogue, and at which type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    #[error("the catalogue cannot be read: {0}")]
    Unreadable(String),
    #[error("action type `{0}` is not a name (use lower-case letters, digits and `_`)")]
    Name(String),
    #[error("`{name}` names both `{first}` and `{second}`")]
    Ambiguous { name: String, first: String, second: String },
    #[error("parent `{parent}` of `{name}` does not exist or leads back to it")]
    Parent { name: String, parent: String },
    #[error("the effect of `{name}` is weaker than that of its parent `{parent}`")]
    Laxer { name: String, parent: String },
    #[error("`{name}` names the field `{field}`, which it does not have")]
    UnknownField { name: String, field: String },
    #[error("`{name}` defines the field `{field}` twice")]
    DuplicateField { name: String, field: String },
    #[error("the risk of `{0}` is above 100")]
    Risk(String),
}

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    common: Vec<Field>,
    types: BTreeMap<String, Definition>,
}

impl Catalogue {
    /// The shipped catalogue. A test keeps it readable; were it not, every type would be unknown and
    /// every call held.
    #[must_use]
    pub fn builtin() -> Arc<Self> {
        static CATALOGUE: LazyLock<Arc<Catalogue>> =
            LazyLock::new(|| Arc::new(Catalogue::from_yaml(BUILTIN).unwrap_or_default()));
        Arc::clone(&CATALOGUE)
    }

    /// The text of the shipped catalogue, with its comments.
    #[must_use]
    pub fn builtin_source() -> &'static str {
        BUILTIN
    }

    pub fn from_yaml(text: &str) -> Result<Self, CatalogueError> {
        let document = serde_saphyr::from_str(text).map_err(|error| CatalogueError::Unreadable(error.to_string()))?;
        Self::from_document(document)
    }

    /// Reads what [`Catalogue::to_json`] wrote.
    pub fn from_json(text: &str) -> Result<Self, CatalogueError> {
        let document = serde_json::from_str(text).map_err(|error| CatalogueError::Unreadable(error.to_string()))?;
        Self::from_document(document)
    }

    /// The whole catalogue as one JSON text; equal catalogues give equal bytes.
    #[must_use]
    pub fn to_json(&self) -> String {
        let types = self.types.iter().map(|(name, kind)| (name.to_string(), kind.definition.clone())).collect();
        let document = Document { common: self.common.values().cloned().collect(), types };
        // Maps with text keys and plain members always serialise.
        serde_json::to_string(&document).unwrap_or_default()
    }

    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256(&[b"runplane-catalogue-v1\n", self.to_json().as_bytes()])
    }

    /// This catalogue with a workspace's own types. A built-in name or alias cannot be taken over.
    pub fn with_workspace(&self, own: BTreeMap<String, Definition>) -> Result<Self, CatalogueError> {
        let mut types: BTreeMap<String, Definition> =
            self.types.iter().map(|(name, kind)| (name.to_string(), kind.definition.clone())).collect();
        for (name, definition) in own {
            if let Some(taken) = self.find(&name) {
                return Err(CatalogueError::Ambiguous { first: taken.name.to_string(), second: name.clone(), name });
            }
            types.insert(name, definition);
        }
        Self::from_document(Document { common: self.common.values().cloned().collect(), types })
    }

    /// The type with exactly this canonical name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<ActionType>> {
        self.by_name.get(name)
    }

    /// The type that `declared` means: its canonical name, an alias, or another spelling of either.
    #[must_use]
    pub fn find(&self, declared: &str) -> Option<&Arc<ActionType>> {
        self.by_name.get(declared).or_else(|| self.by_key.get(&*names::key(declared)?))
    }

    /// All types in the order of their names.
    pub fn types(&self) -> impl Iterator<Item = &Arc<ActionType>> {
        self.types.values()
    }

    /// Context members that any action may carry.
    #[must_use]
    pub fn common_fields(&self) -> &BTreeMap<String, Field> {
        &self.common
    }

    /// Those of them that measure the scale of a call.
    #[must_use]
    pub fn common_measures(&self) -> &[Field] {
        &self.common_measures
    }

    /// The field `field` of type `name`, its own, inherited or common.
    #[must_use]
    pub fn field(&self, name: &str, field: &str) -> Option<&Field> {
        self.by_name.get(name).and_then(|kind| kind.fields.get(field)).or_else(|| self.common.get(field))
    }

    fn from_document(document: Document) -> Result<Self, CatalogueError> {
        let common = by_name("common", &document.common)?;
        let common_measures = measures(&common);
        let mut catalogue = Self { common, common_measures, ..Self::default() };
        for (name, definition) in &document.types {
            let kind = Arc::new(resolve(name, definition, &document.types, &catalogue.common)?);
            for spelling in std::iter::once(name).chain(&definition.aliases) {
                let key = names::key(spelling).ok_or_else(|| CatalogueError::Name(spelling.clone()))?;
                if let Some(other) = catalogue.by_key.insert(key.into_owned(), Arc::clone(&kind)) {
                    let (first, second) = (other.name.to_string(), name.clone());
                    return Err(CatalogueError::Ambiguous { name: spelling.clone(), first, second });
                }
            }
            catalogue.by_name.insert(Arc::clone(&kind.name), Arc::clone(&kind));
            catalogue.types.insert(Arc::clone(&kind.name), kind);
        }
        Ok(catalogue)
    }
}

/// Checks one definition and gathers what it inherits.
fn resolve(
    name: &str,
    definition: &Definition,
    types: &BTreeMap<String, Definition>,
    common: &BTreeMap<String, Field>,
) -> Result<ActionType, CatalogueError> {
    if !names::is_canonical(name) {
        return Err(CatalogueError::Name(name.to_owned()));
    }
    if definition.risk > 100 {
        return Err(CatalogueError::Risk(name.to_owned()));
    }
    let mut fields = by_name(name, &definition.fields)?;
    let mut lineage: Vec<TypeName> = vec![name.into()];
    let mut current = definition;
    while let Some(parent) = &current.parent {
        let found = types
            .get(parent)
            .filter(|_| lineage.len() < LONGEST_CHAIN && !lineage.iter().any(|seen| **seen == **parent));
        let Some(above) = found else {
            return Err(CatalogueError::Parent { name: name.to_owned(), parent: parent.clone() });
        };
        if above.effect > current.effect {
            return Err(CatalogueError::Laxer { name: name.to_owned(), parent: parent.clone() });
        }
        for field in &above.fields {
            fields.entry(field.name.clone()).or_insert_with(|| field.clone());
        }
        lineage.push(parent.as_str().into());
        current = above;
    }
    for field in names::placeholders(&definition.says) {
        if !fields.contains_key(field) && !common.contains_key(field) && field != "target" {
            return Err(CatalogueError::UnknownField { name: name.to_owned(), field: field.to_owned() });
        }
    }
    let measures = measures(&fields);
    Ok(ActionType { name: name.into(), definition: definition.clone(), lineage, fields, measures })
}

fn measures(fields: &BTreeMap<String, Field>) -> Vec<Field> {
    fields.values().filter(|field| field.effective && field.unit.is_some()).cloned().collect()
}

fn by_name(owner: &str, fields: &[Field]) -> Result<BTreeMap<String, Field>, CatalogueError> {
    let mut found = BTreeMap::new();
    for field in fields {
        if found.insert(field.name.clone(), field.clone()).is_some() {
            let (name, field) = (owner.to_owned(), field.name.clone());
            return Err(CatalogueError::DuplicateField { name, field });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
