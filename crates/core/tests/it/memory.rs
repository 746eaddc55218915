//! The engine's memory against a model: everything that ever happened in one list, looked through from the start for
//! every question. Random histories with every question, window, key, event and clock step; `RUNPLANE_FULL=1` makes
//! it a hundred thousand of them.

use runplane_core::call::{Agent, Asked, Call, Established};
use runplane_core::catalogue::Catalogue;
use runplane_core::decide::{Facts, decide, prepare};
use runplane_core::environment::Environment;
use runplane_core::inspect::Readings;
use runplane_core::meter::{Charge, MeterValue, Meters, On, Reader, TABLES};
use runplane_core::outcome::Outcome;
use runplane_core::policy::{Bundle, BundleInputs};
use runplane_core::risk::Weights;
use runplane_core::settings::Settings;
use runplane_core::time::{Micros, Span};
use runplane_core::value::{Object, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

mod model;
mod shelf;

use model::{Happened, Model, Plain};
use shelf::{Shelf, image};

const POLICY: &str = r#"
policy: p
strict: false
meters:
  by_agent: { count: true, within: 1m, per: [agent] }
  by_two: { count: true, action: process_refund, within: 10m, per: [target, session] }
  paid: { sum: context.amount, when: type(context.amount) == number, within: 5m, per: [context.customer] }
  refunded: { count: true, within: 7m, per: [subject, action], refund: reported_failure }
  by_source: { count: true, within: 1s, per: [source] }
  by_place: { count: true, within: 31d, per: [environment, action] }
  by_payer: { sum: context.amount, action: process_refund, within: 8m, per: [context.payer, source] }
rules:
  - { id: free, when: context.o == 'allow', decision: ALLOW }
  - { id: hold, when: context.o == 'hold', decision: REQUIRE_APPROVAL }
  - { id: limit, limit: { count: 1000000, within: 90s, per: [environment], otherwise: BLOCK } }
  - id: read
    when: >-
      meters.by_agent > 999999 || meters.by_two > 999999 || meters.paid > 999999 || meters.refunded > 999999
      || meters.by_source > 999999 || meters.by_place > 999999 || meters.by_payer > 999999
    decision: BLOCK
  - id: past
    when: >-
      count('1m', past.agent.id == agent.id) > 999999
      || count('2m', past.target == target && past.outcome == 'blocked') > 999999
      || count('11m', past.context.customer == context.customer && past.outcome in ['failed', 'unknown']) > 999999
      || count('3m', past.workspace == workspace && past.outcome == 'held') > 999999
      || count('3m', past.session == session && past.context.amount > 5) > 999999
      || sum('4m', past.context.amount, past.target == target && type(past.context.amount) == number) > 999999
    decision: BLOCK
"#;

/// In a shadow policy, so that what they say decides nothing.
const FLAGS: &str = r#"
policy: q
mode: shadow
strict: false
rules:
  - { id: a, decision: BLOCK, when: "formerly('1m', past.context.customer == context.customer && past.context.amount > 5)" }
  - { id: b, decision: BLOCK, when: "formerly('6m', past.agent.id == agent.id && past.outcome == 'denied')" }
  - { id: c, decision: BLOCK, when: "previous('2m', past.session == session && past.context.amount > 5)" }
  - { id: d, decision: BLOCK, when: "previous('9m', past.target == target && past.agent.id == agent.id && past.outcome in ['succeeded', 'failed'] && past.context.amount > 5)" }
  - { id: e, decision: BLOCK, when: "since('5m', past.context.customer == context.customer && past.action.type == 'process_refund', past.context.customer == context.customer && past.outcome == 'approved')" }
  - { id: f, decision: BLOCK, when: "since('2m', past.target == target && past.context.amount > 5, past.target == target && past.context.amount < 3)" }
  - { id: g, decision: BLOCK, when: "count('8m', past.subject == subject) > 999999" }
  - { id: h, decision: BLOCK, when: "count('31d', past.environment == environment && past.outcome == 'cancelled') > 999999" }
  - { id: i, decision: BLOCK, when: "count('1s', past.action.type == action.type) > 999999" }
  - { id: j, decision: BLOCK, when: "count('13m', past.action.source == action.source) > 999999" }
  - { id: k, decision: BLOCK, when: "count('14m', past.context.customer == context.payer) > 999999" }
  - { id: l, decision: BLOCK, when: "sum('10m', past.context.amount, past.agent.id == agent.id) > 999999" }
  - { id: m, decision: BLOCK, when: "formerly('31d', past.context.customer == context.payer && past.outcome == 'denied')" }
  - { id: n, decision: BLOCK, when: "previous('1s', past.action.source == action.source && past.context.amount > 5)" }
  - { id: o, decision: BLOCK, when: "since('31d', past.subject == subject && past.outcome == 'failed', past.subject == subject && past.outcome == 'succeeded')" }
"#;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// What the engine keeps of a call that may still change.
struct Open {
    call: usize,
    charges: Vec<Charge>,
    at: Micros,
    approved: bool,
    ran: bool,
}

/// By counter: how often it said nothing, something, and had no value.
type Said = BTreeMap<String, [usize; 3]>;

struct World {
    bundle: Bundle,
    meters: Meters,
    model: Model,
    open: Vec<Open>,
    said: Said,
    /// What the clock on the wall says, the ledger's time, which does not go back, and what windows are widened by.
    wall: Micros,
    now: Micros,
    skipped: Span,
    /// Keys that leave memory have somewhere to go.
    has_shelf: bool,
}

fn object(members: Vec<(&str, Value)>) -> Object {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl World {
    fn new(bundle: &Bundle) -> Self {
        let (now, skipped) = (Micros(1_700_000_000_000_000), Span::ZERO);
        let (model, open) = (Model::default(), Vec::new());
        let (said, meters) = (Said::new(), Meters::default());
        Self { bundle: bundle.clone(), meters, model, open, said, wall: now, now, skipped, has_shelf: false }
    }

    fn at(&self) -> Micros {
        self.now.before(self.skipped)
    }

    fn call(&self, plain: &Plain) -> Call {
        let mut context = vec![("o", plain.wish.into())];
        context.extend(plain.customer.map(|customer| ("customer", Value::Number(customer.into()))));
        context.extend(plain.payer.map(|payer| ("payer", Value::Number(payer.into()))));
        context.push(("amount", plain.amount.map_or(Value::from("much"), |amount| Value::Number(amount.into()))));
        let asked = Asked {
            action: if plain.refund { "process_refund" } else { "create_charge" }.to_owned(),
            target: format!("t{}", plain.target),
            subject: plain.subject.map(|subject| format!("s{subject}")),
            session: plain.session.map(|session| format!("r{session}")),
            context: object(context),
            ..Asked::default()
        };
        let agent = Agent {
            id: format!("agt_{}", plain.agent),
            name: "a".to_owned(),
            environment: Environment::new(["production", "staging"][plain.environment as usize]).unwrap(),
            labels: Vec::new(),
            owner: None,
        };
        let source = plain.source.map(|source| ["stripe", "aws"][source as usize].to_owned());
        let established = Established { workspace: "ws_1".to_owned(), agent, source, asserts_subject: true };
        Call::new(asked, established, self.bundle.catalogue(), self.bundle.settings()).unwrap()
    }

    /// Decides a call, compares everything that was read with the model, and takes it into both.
    fn ask(&mut self, plain: Plain, seed: u64) {
        let prepared = prepare(&self.bundle, self.call(&plain), Readings::default());
        let at = self.at();
        let meters = self.meters.read_all(prepared.keys(), at);
        let facts = Facts { now: self.now, meters, ..Facts::default() };
        for (place, value) in prepared.read_values(&self.bundle, &facts) {
            let name = &self.bundle.counters()[place as usize].name;
            let expected = self
                .model
                .answer(name, at, &plain)
                .map_or(MeterValue::Doubtful, |value| MeterValue::Ready(value.into()));
            assert_eq!(value, expected, "history {seed}, call {}: {name} for {plain:?}", self.model.calls.len());
            let column = match value {
                MeterValue::Ready(none) if none.is_zero() => 0,
                MeterValue::Ready(_) => 1,
                _ => 2,
            };
            self.said.entry(name.to_string()).or_default()[column] += 1;
        }
        let decision = decide(&self.bundle, &prepared, &facts);
        let call = self.model.calls.len();
        self.model.calls.push(plain);
        let used = decision.outcome != Outcome::Block;
        self.model.used.push(used.then_some((at, false, false)));
        self.meters.put_all(&decision.charges, at, |charge| charge.on.is_immediate());
        let on = match decision.outcome {
            Outcome::Allow => On::Allowed,
            Outcome::RequireApproval => On::Held,
            Outcome::Block => On::Blocked,
        };
        self.model.log.push(Happened { call, on, at });
        if used {
            let ran = decision.outcome == Outcome::Allow;
            self.open.push(Open { call, charges: decision.charges, at, approved: false, ran });
        }
    }

    fn happen(&mut self, call: usize, charges: &[Charge], on: On) {
        let at = self.at();
        self.meters.put_all(charges, at, |charge| charge.on == on);
        self.model.log.push(Happened { call, on, at });
    }

    fn return_share(&mut self, open: &Open, refunds_only: bool) {
        for charge in open.charges.iter().filter(|charge| charge.on == On::Use && (charge.refund || !refunds_only)) {
            self.meters.give_back(charge, open.at);
        }
        if let Some((_, returned, refunded)) = &mut self.model.used[open.call] {
            *returned |= !refunds_only;
            *refunded = true;
        }
    }

    /// Something happens to one of the open calls.
    fn change(&mut self, dice: &mut Dice, seed: u64) {
        if self.open.is_empty() {
            return;
        }
        let mut open = self.open.swap_remove(dice.roll(self.open.len() as u64) as usize);
        match (open.ran, open.approved, dice.roll(4)) {
            (true, _, roll) => {
                let on = [On::Succeeded, On::Failed, On::Failed, On::Unknown][roll as usize];
                self.happen(open.call, &open.charges, on);
                if on == On::Failed {
                    self.return_share(&open, true);
                }
            }
            (false, false, 0 | 1) => {
                self.happen(open.call, &open.charges, On::Approved);
                open.approved = true;
                self.open.push(open);
            }
            (false, false, roll) => {
                let on = if roll == 2 { On::Denied } else { [On::Expired, On::Cancelled][dice.roll(2) as usize] };
                self.return_share(&open, false);
                self.happen(open.call, &open.charges, on);
            }
            (false, true, _) => {
                // Redeemed: its reservation is taken off, and it is decided again.
                self.return_share(&open, false);
                let plain = Plain { wish: "allow", ..self.model.calls[open.call].clone() };
                self.ask(plain, seed);
            }
        }
    }

    fn tick(&mut self, dice: &mut Dice) {
        let gap = match dice.roll(6) {
            0 => 0,
            1 | 2 => dice.roll(1_000_000),
            3 | 4 => dice.roll(40_000_000),
            _ if dice.roll(8) == 0 => dice.roll(40 * 86_400_000_000),
            _ => dice.roll(400_000_000),
        };
        self.wall = self.wall.after(Span(gap as i64));
        // Set back, the ledger's time stands still until the wall has caught up.
        if dice.roll(20) == 0 {
            self.wall = self.wall.before(Span(dice.roll(300_000_000) as i64));
        }
        self.now = self.now.max(self.wall);
        match dice.roll(25) {
            // The wall clock steps forward, and windows are widened by as much.
            0 => {
                let step = Span(dice.roll(7_200_000_000) as i64);
                self.now = self.now.after(step);
                self.wall = self.now;
                self.skipped = Span(self.skipped.0 + step.0);
            }
            1 => self.skipped = Span::ZERO,
            // A start from a snapshot.
            2 => {
                self.meters.sweep(self.at());
                let bytes = serde_json::to_vec(&self.meters).unwrap();
                self.meters = serde_json::from_slice(&bytes).unwrap();
                assert_eq!(serde_json::to_vec(&self.meters).unwrap(), bytes);
                self.has_shelf = false;
            }
            3 => self.meters.sweep(self.at()),
            // The same from the bytes of a snapshot.
            4 => {
                let bytes = image(&self.meters, self.at());
                let mut reader = Reader::default();
                reader.take(&bytes).unwrap();
                self.meters = reader.finish().unwrap();
                self.has_shelf = false;
                assert!(bytes == image(&self.meters, self.at()), "another image after reading it");
            }
            // Some of what nobody asked for goes to disk, or all of it.
            5 | 6 => {
                let before = image(&self.meters, self.at());
                if !std::mem::replace(&mut self.has_shelf, true) {
                    self.meters.put_cold(Arc::new(Shelf::default()));
                }
                (0..1 + dice.roll(2)).for_each(|_| self.meters.look_through(TABLES, 0, self.at()));
                if dice.roll(3) > 0
                    && let Some(parted) = self.meters.part(1, self.at())
                {
                    self.meters.settle(&parted.layer, parted.put_down().unwrap());
                }
                assert!(before == image(&self.meters, self.at()), "another state where keys are on disk");
            }
            // All of it is the past of counters that are new.
            7 => {
                let before = image(&self.meters, self.at());
                let bytes = serde_json::to_vec(&self.meters).unwrap();
                let past: Meters = serde_json::from_slice(&bytes).unwrap();
                let counters = self.bundle.counters_beyond(None);
                self.meters = Meters::default();
                self.has_shelf = false;
                counters.iter().for_each(|counter| self.meters.begin_filling(*counter));
                self.meters.install(&counters, &past).unwrap();
                assert!(before == image(&self.meters, self.at()), "another state where it was counted again");
            }
            // Some of that is put in its place.
            8 | 9 => _ = self.meters.take_in(1 + dice.roll(6) as usize),
            _ => {}
        }
    }
}

fn plain(dice: &mut Dice) -> Plain {
    let maybe = |dice: &mut Dice| (dice.roll(4) > 0).then(|| dice.roll(2));
    Plain {
        agent: dice.roll(2),
        target: dice.roll(2),
        session: maybe(dice),
        subject: maybe(dice),
        refund: dice.roll(2) == 0,
        customer: maybe(dice),
        payer: maybe(dice),
        source: maybe(dice),
        environment: dice.roll(2),
        amount: match dice.roll(14) {
            0 => Err(()),
            1 => Ok(-(dice.roll(9) as i64) - 1),
            _ => Ok(dice.roll(10) as i64),
        },
        wish: ["allow", "allow", "hold", "no"][dice.roll(4) as usize],
    }
}

#[allow(clippy::disallowed_methods)] // tests have no config.rs
fn is_full() -> bool {
    std::env::var_os("RUNPLANE_FULL").is_some_and(|value| value == "1")
}

/// One history for each seed.
fn live_through(bundle: &Bundle, seeds: impl Iterator<Item = u64>) -> Said {
    let mut said = Said::new();
    for seed in seeds {
        let dice = &mut Dice(seed);
        let mut world = World::new(bundle);
        for _ in 0..25 {
            world.tick(dice);
            match dice.roll(5) {
                0 | 1 => world.change(dice, seed),
                _ => {
                    let plain = plain(dice);
                    world.ask(plain, seed);
                }
            }
        }
        for (name, counts) in world.said {
            let sum = said.entry(name).or_default();
            sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }
    said
}

#[test]
fn the_engine_remembers_what_a_list_of_everything_says() {
    let inputs = BundleInputs {
        catalogue: Catalogue::builtin(),
        settings: Settings::default(),
        weights: Weights::default(),
        policies: vec![("p.yaml".to_owned(), POLICY.to_owned()), ("q.yaml".to_owned(), FLAGS.to_owned())],
    };
    let (bundle, _) = Bundle::publish(&inputs).unwrap();
    let histories = if is_full() { 100_000 } else { 1_500 };
    let workers = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let parts: Vec<Said> = std::thread::scope(|scope| {
        let bundle = &bundle;
        let part = |worker| move || live_through(bundle, (worker..histories).step_by(workers as usize));
        let running: Vec<_> = (0..workers).map(|worker| scope.spawn(part(worker))).collect();
        running.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let mut said = Said::new();
    for (name, counts) in parts.into_iter().flatten() {
        let sum = said.entry(name).or_default();
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    assert_eq!(said.len(), 29, "{said:#?}");
    let dull: Vec<_> = said.iter().filter(|(_, counts)| counts[0] < 100 || counts[1] < 100).collect();
    assert!(dull.is_empty(), "counters that hardly ever say anything: {dull:?}");
    // What compares a member that the call may lack, or looks at an amount that may be none, has no value then.
    let doubtful = [
        "count('11m'",
        "count('3m', past.session",
        "count('8m'",
        "count('13m'",
        "count('14m'",
        "formerly('1m'",
        "formerly('31d'",
        "previous('2m'",
        "previous('9m'",
        "previous('1s'",
        "since('5m'",
        "since('2m'",
        "since('31d'",
    ];
    for name in doubtful {
        let often = said.iter().any(|(known, counts)| known.starts_with(name) && counts[2] > 100);
        assert!(often, "{name} never had no value: {said:#?}");
    }
}
