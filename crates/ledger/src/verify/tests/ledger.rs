//! A small ledger as a store would hold it, to be tampered with.

use crate::checkpoint::Checkpoint;
use crate::hash::{Hash, leaf_hash};
use crate::key::{SigningKey, VerifyingKey};
use crate::tree::Frontier;
use crate::verify::{Fault, Head, Report, Verifier};

pub const ORIGIN: &str = "runplane/ws_1";

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[seed; 32]).unwrap()
}

pub fn trusted() -> Vec<VerifyingKey> {
    vec![key(7).verifying().clone()]
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub index: u64,
    pub bytes: Vec<u8>,
    pub stored: Hash,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    pub rows: Vec<Row>,
    /// Stored under the size of the tree they sign.
    pub checkpoints: Vec<(u64, String)>,
    pub commits: Vec<usize>,
}

pub fn entry(index: u64, prev: Hash, text: &str) -> Vec<u8> {
    format!(r#"{{"index":{index},"prev":"{prev}","text":"{text}"}}"#).into_bytes()
}

impl Ledger {
    /// A ledger of commits of these sizes.
    pub fn of(commits: &[usize]) -> Self {
        let mut ledger = Self { rows: Vec::new(), checkpoints: Vec::new(), commits: commits.to_vec() };
        let mut prev = Hash::ZERO;
        for index in 0..commits.iter().sum::<usize>() as u64 {
            let bytes = entry(index, prev, &format!("what happened at {index}"));
            prev = leaf_hash(&bytes);
            ledger.rows.push(Row { index, bytes, stored: prev });
        }
        ledger.sign(0, &key(7));
        ledger
    }

    /// Signs all commits that end after `from` again, over the rows as they are now.
    pub fn sign(&mut self, from: u64, key: &SigningKey) {
        self.checkpoints.retain(|(size, _)| *size <= from);
        let (mut tree, mut rows) = (Frontier::new(), self.rows.iter());
        for commit in &self.commits {
            for row in rows.by_ref().take(*commit) {
                tree.append(row.stored);
            }
            if tree.size() > from {
                let note = Checkpoint::sign(key, tree.size(), tree.root(), Some(5)).unwrap();
                self.checkpoints.push((tree.size(), note));
            }
        }
    }

    /// Makes the rows from `from` on consistent with those before them: their `prev` and leaf hash.
    pub fn chain(&mut self, from: usize) {
        for at in from..self.rows.len() {
            let prev = if at == 0 { Hash::ZERO } else { self.rows[at - 1].stored };
            let mut bytes = self.rows[at].bytes.clone();
            let name = br#""prev":""#;
            let place = bytes.windows(name.len()).position(|window| window == name).map(|place| place + name.len());
            // An entry without the member, after a flip of a bit in it, stays as it is.
            if let Some(old) = place.and_then(|place| bytes.get_mut(place..place + 64)) {
                old.copy_from_slice(prev.to_string().as_bytes());
            }
            self.rows[at] = Row { index: self.rows[at].index, stored: leaf_hash(&bytes), bytes };
        }
    }

    /// Gives the rows the indices of their places again.
    pub fn number(&mut self) {
        for (at, row) in self.rows.iter_mut().enumerate() {
            row.index = at as u64;
        }
    }

    pub fn rehash(&mut self, at: usize) {
        self.rows[at].stored = leaf_hash(&self.rows[at].bytes);
    }

    pub fn head(&self) -> Head {
        let mut tree = Frontier::new();
        for row in &self.rows {
            tree.append(row.stored);
        }
        Head { size: tree.size(), root: Some(tree.root()) }
    }

    pub fn last_note(&self) -> &str {
        &self.checkpoints.last().unwrap().1
    }

    pub fn feed(&self, verifier: &mut Verifier) {
        let mut checkpoints = self.checkpoints.iter().peekable();
        for (read, row) in (1u64..).zip(&self.rows) {
            verifier.entry(row.index, &row.bytes, row.stored);
            while let Some((_, note)) = checkpoints.next_if(|(size, _)| *size <= read) {
                verifier.checkpoint(note);
            }
        }
        for (_, note) in checkpoints {
            verifier.checkpoint(note);
        }
    }

    pub fn verify(&self) -> Report {
        let mut verifier = Verifier::new(trusted(), ORIGIN);
        self.feed(&mut verifier);
        verifier.report(None)
    }

    pub fn fault(&self) -> Fault {
        let report = self.verify();
        assert!(!report.valid, "a ledger that was tampered with is called valid");
        report.first_bad.unwrap()
    }
}
