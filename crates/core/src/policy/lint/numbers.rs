//! Sets of exact numbers: any union of intervals, closed or open at either end.
//!
//! What must stay true: complement and intersection are exact, so that "no number is left" is a proof.

use crate::decimal::Decimal;

/// A place between numbers: just before `at`, or just after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cut {
    at: Decimal,
    after: bool,
}

/// Numbers on alternating sides of cuts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Whether the numbers below the first cut belong to the set.
    below: bool,
    /// Ascending, no duplicates; each changes sides.
    cuts: Vec<Cut>,
}

impl Numbers {
    #[must_use]
    pub fn all() -> Self {
        Self { below: true, cuts: Vec::new() }
    }

    #[must_use]
    pub fn none() -> Self {
        Self { below: false, cuts: Vec::new() }
    }

    #[must_use]
    pub fn one(number: Decimal) -> Self {
        let cut = |after| Cut { at: number, after };
        Self { below: false, cuts: vec![cut(false), cut(true)] }
    }

    #[must_use]
    pub fn below(number: Decimal, itself: bool) -> Self {
        Self { below: true, cuts: vec![Cut { at: number, after: itself }] }
    }

    #[must_use]
    pub fn above(number: Decimal, itself: bool) -> Self {
        Self { below: false, cuts: vec![Cut { at: number, after: !itself }] }
    }

    #[must_use]
    pub fn between(least: u64, most: u64) -> Self {
        Self::above(least.into(), true).and(&Self::below(most.into(), true))
    }

    #[must_use]
    pub fn complement(&self) -> Self {
        Self { below: !self.below, cuts: self.cuts.clone() }
    }

    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let below = self.below && other.below;
        let (mut left, mut right) = (self.below, other.below);
        let (mut lefts, mut rights) = (self.cuts.iter().peekable(), other.cuts.iter().peekable());
        let (mut inside, mut cuts) = (below, Vec::new());
        while let Some(cut) = [lefts.peek(), rights.peek()].into_iter().flatten().copied().min().copied() {
            if lefts.next_if(|next| **next == cut).is_some() {
                left = !left;
            }
            if rights.next_if(|next| **next == cut).is_some() {
                right = !right;
            }
            if (left && right) != inside {
                inside = !inside;
                cuts.push(cut);
            }
        }
        Self { below, cuts }
    }

    /// Whether nothing is in it; with `whole`, no whole number.
    #[must_use]
    pub fn is_empty(&self, whole: bool) -> bool {
        if whole { self.sample(true).is_none() } else { !self.below && self.cuts.is_empty() }
    }

    /// A number of the set, an ordinary one if there is one; with `whole`, a whole number.
    #[must_use]
    pub fn sample(&self, whole: bool) -> Option<Decimal> {
        let samples = || self.segments().filter_map(|(low, high)| sample(low, high, whole));
        samples().find(|number| !number.is_negative() && !number.is_zero()).or_else(|| samples().next())
    }

    /// The intervals, each from a cut to a cut; `None` is infinity.
    fn segments(&self) -> impl Iterator<Item = (Option<Cut>, Option<Cut>)> + '_ {
        let starts = self.below.then_some(None).into_iter().chain(self.cuts.iter().copied().map(Some));
        let ends = self.cuts.iter().copied().map(Some).chain(std::iter::once(None));
        let skipped = usize::from(!self.below);
        starts.zip(ends.skip(skipped)).step_by(2)
    }
}

fn sample(low: Option<Cut>, high: Option<Cut>, whole: bool) -> Option<Decimal> {
    let one = Decimal::from(1u64);
    let fits = |number: &Decimal| {
        let above = low.is_none_or(|low| if low.after { *number > low.at } else { *number >= low.at });
        let below = high.is_none_or(|high| if high.after { *number <= high.at } else { *number < high.at });
        above && below && (!whole || number.is_integer())
    };
    let lowest = |cut: Cut| if whole { floor(cut.at) } else { Some(cut.at) };
    let candidates = match (low, high) {
        (None, None) => vec![Some(Decimal::from(10u64))],
        (Some(low), _) => {
            let next = lowest(low).and_then(|number| number.checked_add(one).ok());
            vec![next, lowest(low), high.map(|high| high.at), high.and_then(|high| middle(low.at, high.at))]
        }
        (None, Some(high)) => {
            let before = lowest(high).and_then(|number| number.checked_sub(one).ok());
            vec![Some(one), Some(high.at), lowest(high), before]
        }
    };
    candidates.into_iter().flatten().find(fits)
}

fn middle(low: Decimal, high: Decimal) -> Option<Decimal> {
    low.checked_add(high).ok()?.checked_div(Decimal::from(2u64)).ok()
}

/// The largest whole number that is not larger.
fn floor(number: Decimal) -> Option<Decimal> {
    let (coefficient, exponent) = number.parts();
    if exponent >= 0 {
        return Some(number);
    }
    let places = exponent.unsigned_abs();
    let whole = match 10i128.checked_pow(places) {
        Some(divisor) => coefficient.div_euclid(divisor),
        None if coefficient < 0 => -1,
        None => 0,
    };
    Decimal::new(whole, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn opposite_halves_meet_in_nothing() {
        let over = Numbers::above(number("5"), false);
        assert!(over.and(&Numbers::below(number("3"), true)).is_empty(false));
        assert!(over.and(&Numbers::below(number("5"), true)).is_empty(false));
        assert!(!over.and(&Numbers::below(number("5.1"), false)).is_empty(false));
        assert!(over.and(&Numbers::below(number("6"), false)).is_empty(true), "no whole number between 5 and 6");
        let five = Numbers::above(number("5"), true).and(&Numbers::below(number("5"), true));
        assert_eq!(five, Numbers::one(number("5")));
        assert_eq!(five.sample(true), Some(number("5")));
        assert!(five.and(&Numbers::one(number("5")).complement()).is_empty(false));
    }

    #[test]
    fn a_sample_belongs_to_its_set() {
        assert_eq!(Numbers::all().sample(false), Some(number("10")));
        assert_eq!(Numbers::above(number("500"), false).sample(false), Some(number("501")));
        assert_eq!(Numbers::above(number("0.5"), false).sample(true), Some(number("1")));
        assert_eq!(Numbers::below(number("-2"), false).sample(true), Some(number("-3")));
        let narrow = Numbers::above(number("1"), false).and(&Numbers::below(number("1.5"), false));
        assert_eq!(narrow.sample(false), Some(number("1.25")));
        assert_eq!(Numbers::none().sample(false), None);
    }

    fn any_set() -> impl Strategy<Value = Numbers> {
        prop::collection::vec((0i64..12, any::<bool>(), any::<bool>()), 0..5).prop_map(|parts| {
            parts.into_iter().fold(Numbers::none(), |set, (at, up, itself)| {
                let part = if up { Numbers::above(at.into(), itself) } else { Numbers::below(at.into(), itself) };
                if at % 2 == 0 { either(&set, &part) } else { set.and(&part.complement()) }
            })
        })
    }

    fn either(left: &Numbers, right: &Numbers) -> Numbers {
        left.complement().and(&right.complement()).complement()
    }

    /// Membership, by meeting with the set of one number.
    fn has(set: &Numbers, number: Decimal) -> bool {
        !set.and(&Numbers::one(number)).is_empty(false)
    }

    proptest! {
        #[test]
        fn operations_are_those_of_sets(left in any_set(), right in any_set(), halves in -2i64..26) {
            let number = Decimal::new(i128::from(halves) * 5, -1).unwrap();
            prop_assert_eq!(has(&left.and(&right), number), has(&left, number) && has(&right, number));
            prop_assert_eq!(has(&either(&left, &right), number), has(&left, number) || has(&right, number));
            prop_assert_eq!(has(&left.complement(), number), !has(&left, number));
            for whole in [false, true] {
                match left.sample(whole) {
                    Some(sample) => prop_assert!(has(&left, sample) && (!whole || sample.is_integer())),
                    None => prop_assert!(left.is_empty(whole)),
                }
            }
        }
    }
}
