//! What happens to a batch where keys cannot be read back or put down.

use super::*;
use crate::clock::{Clock as _, ManualClock};
use crate::install::{InitOptions, init};
use crate::place::Place;
use runplane_core::approval::{Groups, Verdict, Voter};
use runplane_core::call::{Agent, Asked, Call, Established};
use runplane_core::environment::Environment;
use runplane_core::inspect::Readings;
use runplane_core::meter::{Cold, ColdEntries, ColdFailure, Thinner};
use runplane_core::outcome::Outcome;
use runplane_ledger::checkpoint::origin;
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};

const START: Micros = Micros(1_795_348_800_000_000);
const POLICY: &str = "
policy: test
rules:
  - { id: reads, action: read_balance, decision: ALLOW, limit: { count: 100, within: 1h, per: [target] } }
  - { id: holds, action: process_refund, decision: REQUIRE_APPROVAL }
";

struct Bench {
    sequencer: Sequencer,
    clock: Arc<ManualClock>,
    _folder: TempDir,
}

type Answer<T> = oneshot::Receiver<Result<T, Error>>;

impl Bench {
    /// With so many bytes for keys.
    fn new(most: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(START);
        let place = Place { data: folder.path().join("data"), database: None };
        let packs = vec![("test".to_owned(), POLICY.to_owned())];
        let shared: SharedClock = clock.clone();
        let options =
            InitOptions { place: place.clone(), agent_name: "a".into(), agent_environment: "production".into(), packs };
        init(&options, &shared).unwrap();
        let store = place.open().unwrap();
        let workspace = store.list_workspaces().unwrap().remove(0).id;
        let key = Arc::new(SigningKey::from_seed(&origin(&workspace), &place.seeds().unwrap().ledger).unwrap());
        let bound = Bound::new(most, folder.path().to_owned());
        let recovered = recover(&*store, &workspace, key.verifying(), Some(&bound)).unwrap();
        let Recovered { state, head, control, kept } = recovered;
        let published = Arc::new(Published::new(control, head, Arc::new(watch::channel(0).0)));
        let aside = Aside { snapshots: std::sync::mpsc::sync_channel(1).0, kept, bound };
        let sequencer = Sequencer::new(workspace, store, shared, key, published, aside, state);
        Self { sequencer, clock, _folder: folder }
    }

    fn call(&self, action: &str, target: &str) -> (Work, Answer<Sequenced>) {
        let control = self.sequencer.published.control.load_full();
        let (id, key) = control.keys.iter().next().map(|(id, key)| (id.clone(), key.clone())).unwrap();
        let agent = Agent {
            id: key.agent.clone(),
            name: "a".to_owned(),
            environment: Environment::production(),
            labels: Vec::new(),
            owner: None,
        };
        let asked = Asked { action: action.to_owned(), target: target.to_owned(), ..Asked::default() };
        let workspace = self.sequencer.workspace.clone();
        let established = Established { workspace, agent, source: None, asserts_subject: false };
        let bundle = control.bundle.as_ref().unwrap();
        let call = Call::new(asked, established, bundle.catalogue(), bundle.settings()).unwrap();
        let (payload, digest) = call.payload_and_digest();
        let (reply, answer) = oneshot::channel();
        let decide = Decide {
            caller: Caller { agent: key.agent.clone(), key: id, wire_client: false },
            prepared: Arc::new(runplane_core::decide::prepare(bundle, call, Readings::default())),
            digest,
            payload: Payload::new(payload, [0; 16], &Readings::default()),
            epoch: control.epoch,
            request_id: None,
            nonces: Nonces { request: [1; 10], approval: [2; 10] },
            reply,
        };
        (Work::Decide(Box::new(decide)), answer)
    }

    fn take(&mut self, work: impl IntoIterator<Item = Work>) {
        self.clock.advance(Duration::from_secs(1));
        let queued = self.clock.read().elapsed;
        let commands = work.into_iter().map(|work| Command { queued, work }).collect();
        self.sequencer.turn(commands, Ok(None));
    }

    /// The outcome of one call on its own.
    fn ask(&mut self, action: &str, target: &str) -> Result<Outcome, Error> {
        let (work, answer) = self.call(action, target);
        self.take([work]);
        outcome(answer)
    }
}

fn outcome(mut answer: Answer<Sequenced>) -> Result<Outcome, Error> {
    match answer.try_recv().unwrap()? {
        Sequenced::Decided(recorded) => Ok(recorded.value().decision.outcome),
        _ => panic!("neither a repeat nor another epoch"),
    }
}

/// A disk on which there is something, and nothing can be read.
struct Broken;

impl Cold for Broken {
    fn find(&self, _: &[u8; 24]) -> Result<Option<Vec<u8>>, ColdFailure> {
        Err(ColdFailure("broken".to_owned()))
    }

    fn scan(&self, _: u16) -> ColdEntries<'_> {
        Box::new(std::iter::once(Err(ColdFailure("broken".to_owned()))))
    }

    fn len(&self) -> u64 {
        1
    }

    fn with(&self, _: Vec<([u8; 24], Vec<u8>)>, _: &Thinner) -> Result<Arc<dyn Cold>, ColdFailure> {
        Err(ColdFailure("broken".to_owned()))
    }
}

#[test]
fn a_copy_of_a_state_whose_keys_cannot_be_read_back_is_not_gone_on_from() {
    let mut bench = Bench::new(1 << 20);
    assert_eq!(bench.ask("read_balance", "a").unwrap(), Outcome::Allow);
    let size = bench.sequencer.published.head.load().size;
    bench.sequencer.state.as_mut().unwrap().meters.put_cold(Arc::new(Broken));
    // The copy has the same files, and has not read them yet.
    bench.sequencer.spare = bench.sequencer.state.clone();
    let failed = bench.ask("read_balance", "b").unwrap_err();
    assert_eq!(failed.kind, Kind::AuditUnavailable, "{failed}");
    assert_eq!(bench.sequencer.published.head.load().size, size, "nothing was recorded");
    assert!(bench.sequencer.state.is_none() && bench.sequencer.spare.is_none());
    assert_eq!(bench.ask("read_balance", "b").unwrap(), Outcome::Allow, "all of it is read from the ledger");
}

#[test]
fn where_keys_fill_the_memory_new_calls_are_turned_away_and_votes_go_on() {
    let mut bench = Bench::new(32);
    assert_eq!(bench.ask("process_refund", "a").unwrap(), Outcome::RequireApproval);
    assert_eq!(bench.ask("read_balance", "a").unwrap(), Outcome::Allow);
    let state = bench.sequencer.state.as_ref().unwrap();
    assert!(bench.sequencer.tier.is_full(&state.meters), "{} bytes", state.meters.bytes());
    let approval = state.approvals.of_entries(|_| true).remove(0).id().to_owned();
    let size = bench.sequencer.published.head.load().size;

    let (call, decided) = bench.call("read_balance", "b");
    let (reply, mut voted) = oneshot::channel();
    let vote = Vote {
        approval,
        voter: Voter { id: "usr_ana".into(), names: Vec::new(), groups: Groups::All },
        verdict: Verdict::Deny,
        comment: None,
        shown: "0".repeat(64),
        reply,
    };
    let (reply, mut accepted) = oneshot::channel();
    bench.take([call, Work::Vote(Box::new(vote)), Work::AcceptClock(reply)]);
    let failed = outcome(decided).unwrap_err();
    assert_eq!(failed.kind, Kind::Overloaded, "{failed}");
    assert!(voted.try_recv().unwrap().is_ok() && accepted.try_recv().unwrap().is_ok());
    assert_eq!(bench.sequencer.published.head.load().size, size + 1, "the vote and nothing else");

    // As soon as there is room, calls are decided again.
    bench.sequencer.tier = Tier::new(Bound::new(1 << 20, std::env::temp_dir()));
    assert_eq!(bench.ask("read_balance", "b").unwrap(), Outcome::Allow);
}
