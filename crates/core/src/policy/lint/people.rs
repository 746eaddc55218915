//! Groups that have to approve and do not exist, or are too small.

use super::finding::Kind;
use super::{Desk, Subject, cube, logic};
use crate::policy::finding::{Place, nearest};

impl<'a> Desk<'a> {
    pub(super) fn look_at_people(&mut self, subject: Subject<'a>) {
        let Some(groups) = &self.options.groups else { return };
        let missing: Vec<&String> =
            subject.rule.approval.from.iter().filter(|group| !groups.contains_key(*group)).collect();
        for group in missing {
            let fits = cube::both(&logic::matches(subject.rule), &self.base(subject));
            let example = self.matching(subject, None, &fits, |decided, without| {
                let shows = format!("`{}` asks `{group}`, and no account is in it", subject.rule.id);
                Some((decided, without, shows))
            });
            let help = nearest(group, groups.keys().map(String::as_str));
            let message =
                format!("no account is in the group `{group}`, so nobody but the admin token can approve for it");
            let place = place_in(subject, group);
            let finding = self.report(subject, Kind::UnknownGroup, place, message);
            finding.help = help;
            finding.example = example;
        }
    }
}

/// Where a word stands in the text of the rule.
fn place_in(subject: Subject<'_>, word: &str) -> Place {
    let start = subject.terms.id.place;
    let skipped = usize::try_from(start.line).unwrap_or(1).saturating_sub(1);
    for (line, text) in (start.line..).zip(subject.written.text.lines().skip(skipped)) {
        let after = if line == start.line { usize::try_from(start.column).unwrap_or(0) } else { 0 };
        let words = text.match_indices(word).map(|(at, _)| text.get(..at).unwrap_or_default().chars().count());
        let found = words.filter(|column| *column >= after && text.contains(['[', ':', '-', ','])).last();
        if let Some(column) = found {
            return Place { line, column: u32::try_from(column + 1).unwrap_or(1) };
        }
    }
    start
}
