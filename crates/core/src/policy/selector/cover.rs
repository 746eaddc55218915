//! Whether one selector takes in everything that another does.
//!
//! What must stay true: `true` is a proof for every call; where it cannot be told the answer is `false`.

use super::{Actions, Named, Targets};
use crate::catalogue::Catalogue;
use crate::policy::glob;

impl Actions {
    /// Whether every action that `other` touches is touched by this.
    #[must_use]
    pub fn takes_in_all_of(&self, other: &Self, catalogue: &Catalogue) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Some(_), Self::Any) => false,
            (Self::Some(wide), Self::Some(narrow)) => wide.takes_in(narrow, catalogue),
        }
    }

    /// Whether some catalogue type is in both.
    #[must_use]
    pub fn shares_a_type_with(&self, other: &Self) -> bool {
        match (self.types(), other.types()) {
            (Some(left), Some(right)) => left.iter().any(|name| right.binary_search(name).is_ok()),
            _ => true,
        }
    }

    /// The globs as written.
    pub fn globs(&self) -> impl Iterator<Item = &str> {
        let globs = match self {
            Self::Any => &[] as &[Box<str>],
            Self::Some(named) => &named.globs,
        };
        globs.iter().map(|glob| &**glob)
    }

    /// Whether no action of any name can ever be selected.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let Self::Some(named) = self else { return false };
        let strangers = named.domains.is_empty() || named.domains.iter().any(|domain| &**domain == "unknown");
        let attributes = !(named.domains.is_empty() && named.effects.is_empty());
        named.types.is_empty() && named.foreign.is_empty() && named.globs.is_empty() && !(attributes && strangers)
    }
}

impl Named {
    fn takes_in(&self, narrow: &Self, catalogue: &Catalogue) -> bool {
        let lineage = |name| catalogue.get(name).map(|kind| kind.lineage.as_slice()).unwrap_or_default();
        // A call of a type is a call of its parents as well.
        let types = narrow.types.iter().all(|name| self.has(name) || lineage(name).iter().any(|above| self.has(above)));
        let foreign = narrow.foreign.iter().all(|name| self.foreign.contains(name) || self.fits_glob(name));
        let globs = narrow.globs.iter().all(|inner| self.globs.iter().any(|outer| covers(outer, inner)));
        types && foreign && globs && self.takes_in_attributes_of(narrow)
    }

    fn takes_in_attributes_of(&self, narrow: &Self) -> bool {
        let has = |named: &Self| !(named.domains.is_empty() && named.effects.is_empty());
        let wider = |wide: &[Box<str>], narrow: &[Box<str>]| {
            wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|word| wide.contains(word)))
        };
        !has(narrow) || (has(self) && wider(&self.domains, &narrow.domains) && wider(&self.effects, &narrow.effects))
    }
}

/// Whether everything that fits `inner` fits `outer`.
fn covers(outer: &str, inner: &str) -> bool {
    outer == inner || (!outer.contains('?') && glob::matches(outer, inner))
}

impl Targets {
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.names.is_empty() && self.globs.is_empty()
    }

    /// Whether every target in `other` is in this.
    #[must_use]
    pub fn takes_in_all_of(&self, other: &Self) -> bool {
        if self.is_any() || other.is_any() {
            return self.is_any();
        }
        other.names.iter().all(|name| self.has(name))
            && other.globs.iter().all(|inner| self.globs.iter().any(|outer| covers(outer, inner)))
    }

    /// A target that is in this: a name, or a glob with its stars filled in.
    #[must_use]
    pub fn example(&self) -> Option<String> {
        self.examples().next()
    }

    /// Targets that are in this; none if every target is.
    pub fn examples(&self) -> impl Iterator<Item = String> + '_ {
        let filled = |glob: &str| glob.replace('*', "other").replace('?', "1");
        self.names.iter().map(ToString::to_string).chain(self.globs.iter().map(move |glob| filled(glob)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::document::At;
    use crate::policy::finding::{Findings, Place};

    fn targets(words: &[&str]) -> Targets {
        let terms: Vec<At<String>> =
            words.iter().map(|word| At { place: Place::default(), value: (*word).to_owned() }).collect();
        Targets::read(Some(&terms), &mut Findings::new("t"))
    }

    #[test]
    fn a_wider_glob_takes_in_a_narrower_one() {
        assert!(targets(&["stripe:*"]).takes_in_all_of(&targets(&["stripe:eu", "stripe:us-*"])));
        assert!(targets(&["*"]).takes_in_all_of(&targets(&["a?c"])));
        assert!(targets(&[]).takes_in_all_of(&targets(&["a"])));
        for (wide, narrow) in [("stripe", "stripe:*"), ("a?c", "a*c"), ("stripe:*", "stripe"), ("a*c", "a*")] {
            assert!(!targets(&[wide]).takes_in_all_of(&targets(&[narrow])), "{wide} {narrow}");
        }
        assert!(!targets(&["stripe"]).takes_in_all_of(&targets(&[])));
    }

    #[test]
    fn an_example_is_in_its_own_set() {
        for words in [["stripe", "x-*"], ["a?c", "*"], ["s3:*:prod", "b"]] {
            let targets = targets(&words);
            assert!(targets.examples().all(|example| targets.has(&example)), "{words:?}");
        }
    }
}
