//! What a past came to as it is stored beside the entry that says so, written where nobody waits for it.
//!
//! There may be millions of keys. So the document is written and digested beside the decisions when the past has been
//! read, and what was committed meanwhile is put behind it as single steps: the sequencer adds the last few of them and
//! takes the digest. Whoever reads the document takes the steps in after the counters, in their order.

use crate::error::Error;
use crate::record::CounterName;
use runplane_core::digest::Digest;
use runplane_core::meter::{Charge, CounterId, Meters};
use runplane_core::time::Micros;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// One thing that counters took in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    Put(Charge, Micros),
    GiveBack(Charge, Micros),
    Lose(#[serde(with = "name")] CounterId, Micros),
}

impl Step {
    pub fn take_in(&self, meters: &mut Meters) {
        match self {
            Self::Put(charge, at) => meters.put(charge, *at),
            Self::GiveBack(charge, at) => meters.give_back(charge, *at),
            Self::Lose(counter, at) => meters.lose(*counter, *at),
        }
    }
}

/// A counter by its name.
mod name {
    use super::{CounterId, CounterName, Deserialize, Serialize};
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(counter: &CounterId, serializer: S) -> Result<S::Ok, S::Error> {
        CounterName::from(counter).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CounterId, D::Error> {
        CounterName::deserialize(deserializer)?.read().map_err(serde::de::Error::custom)
    }
}

/// What is stored beside the entry that says that counters are ready.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    pub counters: Vec<CounterName>,
    /// Holds from before, which take their part in the counters from now on.
    pub held: Vec<u64>,
    pub meters: Meters,
    steps: Vec<Step>,
}

impl Document {
    /// With every step taken in.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut document: Self = serde_json::from_slice(bytes)
            .map_err(|failure| Error::internal("what is stored of new counters could not be read").because(failure))?;
        std::mem::take(&mut document.steps).iter().for_each(|step| step.take_in(&mut document.meters));
        Ok(document)
    }
}

/// The document as far as it is written.
pub struct Written {
    bytes: Vec<u8>,
    digest: Sha256,
    digested: usize,
    has_steps: bool,
}

/// Room for what the sequencer adds, so that it does not have to move all of it.
const ROOM: usize = 256 * 1024;

fn unwritten(failure: serde_json::Error) -> Error {
    Error::internal("what new counters came to could not be written").because(failure)
}

impl Written {
    /// Without any steps so far.
    pub fn begin(meters: &Meters) -> Result<Self, Error> {
        let mut bytes = b"{\"meters\":".to_vec();
        serde_json::to_writer(&mut bytes, meters).map_err(unwritten)?;
        bytes.extend_from_slice(b",\"steps\":[");
        let mut written = Self { bytes, digest: Sha256::new(), digested: 0, has_steps: false };
        written.add(&[])?;
        Ok(written)
    }

    /// Puts steps behind it.
    pub fn add(&mut self, steps: &[Step]) -> Result<(), Error> {
        for step in steps {
            if std::mem::replace(&mut self.has_steps, true) {
                self.bytes.push(b',');
            }
            serde_json::to_writer(&mut self.bytes, step).map_err(unwritten)?;
        }
        self.digest.update(self.bytes.get(self.digested..).unwrap_or_default());
        self.digested = self.bytes.len();
        self.bytes.reserve(ROOM);
        Ok(())
    }

    /// All of it, and its digest.
    pub fn finish(
        mut self,
        steps: &[Step],
        counters: &[CounterName],
        held: &[u64],
    ) -> Result<(Vec<u8>, Digest), Error> {
        self.add(steps)?;
        let mut end = b"],\"counters\":".to_vec();
        serde_json::to_writer(&mut end, counters).map_err(unwritten)?;
        end.extend_from_slice(b",\"held\":");
        serde_json::to_writer(&mut end, held).map_err(unwritten)?;
        end.push(b'}');
        self.digest.update(&end);
        self.bytes.extend_from_slice(&end);
        Ok((self.bytes, Digest(self.digest.finalize().into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runplane_core::digest::sha256;
    use runplane_core::meter::MeterKey;
    use runplane_core::time::Span;

    fn key(number: u64) -> MeterKey {
        MeterKey { id: sha256(&[&number.to_be_bytes()]), within: Span::seconds(3_600) }
    }

    #[test]
    fn steps_behind_the_counters_come_to_the_same_as_steps_among_them() {
        let at = Micros(1_700_000_000_000_000);
        let put = |number: u64, amount: u64| Step::Put(Charge::of_use(key(number), amount.into()), at);
        let all: Vec<Step> = (0..40)
            .flat_map(|number| [put(number, 5), put(number / 2, 3)])
            .chain((0..10).map(|number| Step::GiveBack(Charge::of_use(key(number), 4u64.into()), at)))
            .chain([Step::Lose(key(3).counter(), at)])
            .collect();
        let counters: Vec<CounterName> = (0..40).map(|number| CounterName::from(&key(number).counter())).collect();
        let taken = |steps: &[Step]| {
            let mut meters = Meters::default();
            steps.iter().for_each(|step| step.take_in(&mut meters));
            meters
        };
        for (first, second) in [(0, 0), (0, all.len()), (30, 30), (30, 31), (all.len(), all.len())] {
            let mut written = Written::begin(&taken(&all[..first])).unwrap();
            written.add(&all[first..second]).unwrap();
            let (bytes, digest) = written.finish(&all[second..], &counters, &[7, 9]).unwrap();
            assert_eq!(digest, sha256(&[&bytes]));
            let document = Document::read(&bytes).unwrap();
            assert!(document.meters == taken(&all), "{first} before, {second} beside");
            assert_eq!((document.counters.len(), document.held), (40, vec![7, 9]));
        }
    }
}
