//! The engine's memory against a model: everything that ever happened in one list, looked through from the start for
//! every question. Random histories with every question, window, key, event and clock step; `RUNPLANE_FULL=1` makes
//! it a hundred thousand of them.

use runplane_core::call::{Agent, Asked, Call, Established};
use runplane_core::catalogue::Catalogue;
use runplane_core::decide::{Facts, decide, prepare};
use runplane_core::environment::Environment;
use runplane_core::inspect::Readings;
use runplane_core::meter::{Charge, MeterValue, Meters, On};
use runplane_core::outcome::Outcome;
use runplane_core::policy::{Bundle, BundleInputs};
use runplane_core::risk::Weights;
use runplane_core::settings::Settings;
use runplane_core::time::{Micros, Span};
use runplane_core::value::{Object, Value};
use std::collections::BTreeMap;

const POLICY: &str = r#"
policy: p
strict: false
meters:
  by_agent: { count: true, within: 1m, per: [agent] }
  by_two: { count: true, action: process_refund, within: 10m, per: [target, session] }
  paid: { sum: context.amount, when: type(context.amount) == number, within: 5m, per: [context.customer] }
  refunded: { count: true, within: 7m, per: [subject, action], refund: reported_failure }
rules:
  - { id: free, when: context.o == 'allow', decision: ALLOW }
  - { id: hold, when: context.o == 'hold', decision: REQUIRE_APPROVAL }
  - { id: limit, limit: { count: 1000000, within: 90s, per: [environment], otherwise: BLOCK } }
  - id: read
    when: >-
      meters.by_agent > 999999 || meters.by_two > 999999 || meters.paid > 999999 || meters.refunded > 999999
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

/// What a call is, as the model sees it.
#[derive(Clone, Debug, PartialEq)]
struct Plain {
    agent: u64,
    target: u64,
    session: Option<u64>,
    subject: Option<u64>,
    refund: bool,
    /// `None` is missing.
    customer: Option<u64>,
    /// `Err` is no number.
    amount: Result<i64, ()>,
    wish: &'static str,
}

/// One thing that happened, at a moment of the windows' clock.
#[derive(Clone, Debug)]
struct Happened {
    call: usize,
    on: On,
    at: Micros,
}

#[derive(Default)]
struct Model {
    calls: Vec<Plain>,
    log: Vec<Happened>,
    /// By call: when it began to count as used, and whether its share of everything, or of what refunds, is back.
    used: Vec<Option<(Micros, bool, bool)>>,
}

fn seconds(count: i64) -> Span {
    Span::seconds(count)
}

fn step(within: Span, at: Micros) -> i64 {
    at.0.div_euclid(within.0 / 60)
}

fn counts(within: Span, at: Micros, now: Micros) -> bool {
    step(within, at) >= step(within, now.before(within))
}

/// What a predicate says of a past call.
type Judge = fn(&Plain) -> Option<bool>;

fn large(call: &Plain) -> Option<bool> {
    call.amount.ok().map(|amount| amount > 5)
}

fn small(call: &Plain) -> Option<bool> {
    call.amount.ok().map(|amount| amount < 3)
}

fn any(_: &Plain) -> Option<bool> {
    Some(true)
}

impl Model {
    /// Sum over the uses that still count.
    fn metered(
        &self,
        within: i64,
        now: Micros,
        refunds: bool,
        keep: impl Fn(&Plain) -> bool,
        amount: impl Fn(&Plain) -> i64,
    ) -> i64 {
        let within = seconds(within);
        let uses = self.used.iter().zip(&self.calls);
        uses.filter_map(|(used, call)| {
            let (at, returned, refunded) = (*used)?;
            (!(returned || refunds && refunded) && counts(within, at, now) && keep(call)).then(|| amount(call))
        })
        .sum()
    }

    /// How many events there were of which the predicate says true, or nothing.
    fn events(&self, within: i64, now: Micros, on: &[On], keep: impl Fn(&Plain) -> bool, judge: Judge) -> Option<i64> {
        let within = seconds(within);
        let mut found = 0;
        for happened in self.log.iter().filter(|happened| on.contains(&happened.on) && counts(within, happened.at, now))
        {
            let call = &self.calls[happened.call];
            if keep(call) {
                found += i64::from(judge(call)?);
            }
        }
        Some(found)
    }

    fn used_events(&self, within: i64, now: Micros, keep: impl Fn(&Plain) -> bool, judge: Judge) -> Option<i64> {
        let within = seconds(within);
        let mut found = 0;
        for (used, call) in self.used.iter().zip(&self.calls) {
            let Some((at, returned, _)) = *used else { continue };
            if !returned && counts(within, at, now) && keep(call) {
                found += i64::from(judge(call)?);
            }
        }
        Some(found)
    }

    fn last(&self, within: i64, now: Micros, on: &[On], keep: impl Fn(&Plain) -> bool, judge: Judge) -> Option<i64> {
        let mine = |happened: &&Happened| on.contains(&happened.on) && keep(&self.calls[happened.call]);
        match self.log.iter().rev().find(mine) {
            Some(last) if now.since(last.at) <= seconds(within) => judge(&self.calls[last.call]).map(i64::from),
            _ => Some(0),
        }
    }

    /// Walks the list: the event sets it, the reset takes it away, doubt about either is doubt.
    fn since(
        &self,
        within: i64,
        now: Micros,
        keep: impl Fn(&Plain) -> bool,
        (event_on, event): (On, Judge),
        (reset_on, reset): (On, Judge),
    ) -> Option<i64> {
        let mut set: Option<(Micros, bool)> = None;
        for happened in self.log.iter().filter(|happened| keep(&self.calls[happened.call])) {
            if set.is_some_and(|(at, _)| happened.at.since(at) > seconds(within)) {
                set = None;
            }
            let call = &self.calls[happened.call];
            if happened.on == reset_on {
                match reset(call) {
                    Some(true) => set = None,
                    Some(false) => {}
                    None => set = set.map(|(at, _)| (at, false)),
                }
            }
            if happened.on == event_on {
                match event(call) {
                    Some(true) => set = Some((happened.at, true)),
                    Some(false) => {}
                    None => set = Some((happened.at, false)),
                }
            }
        }
        match set.filter(|(at, _)| now.since(*at) <= seconds(within)) {
            None => Some(0),
            Some((_, true)) => Some(1),
            Some((_, false)) => None,
        }
    }

    /// What the counter of this name says to this call; `Err` for what has no value.
    fn answer(&self, name: &str, now: Micros, own: &Plain) -> Option<i64> {
        let agent = |past: &Plain| past.agent == own.agent;
        let target = |past: &Plain| past.target == own.target;
        let same = |left: Option<u64>, right: Option<u64>| left.is_some() && left == right;
        let customer = |past: &Plain| same(past.customer, own.customer);
        let session = |past: &Plain| same(past.session, own.session);
        let is_refund: Judge = |past| Some(past.refund);
        let needs_customer = || own.customer.map(|_| ());
        let needs_session = || own.session.map(|_| ());
        let one = |_: &Plain| 1;
        match name {
            "by_agent" => Some(self.metered(60, now, false, agent, one)),
            "by_two" => Some(self.metered(
                600,
                now,
                false,
                |past| target(past) && past.session == own.session && past.refund,
                one,
            )),
            "paid" => Some(self.metered(
                300,
                now,
                false,
                |past| past.customer == own.customer && past.amount.is_ok(),
                |past| past.amount.unwrap_or(0),
            )),
            "refunded" => {
                Some(self.metered(420, now, true, |past| past.subject == own.subject && past.refund == own.refund, one))
            }
            "limit of limit" => Some(self.metered(90, now, false, |_| true, one)),
            _ if name.starts_with("count('1m', past.agent") => self.used_events(60, now, agent, any),
            _ if name.starts_with("count('2m'") => self.events(120, now, &[On::Blocked], target, any),
            _ if name.starts_with("count('11m'") => {
                needs_customer()?;
                self.events(660, now, &[On::Failed, On::Unknown], customer, any)
            }
            _ if name.starts_with("count('3m', past.workspace") => self.events(180, now, &[On::Held], |_| true, any),
            _ if name.starts_with("count('3m', past.session") => {
                needs_session()?;
                self.used_events(180, now, session, large)
            }
            _ if name.starts_with("sum('4m'") => Some(self.metered(
                240,
                now,
                false,
                |past| target(past) && past.amount.is_ok(),
                |past| past.amount.unwrap_or(0),
            )),
            _ if name.starts_with("formerly('1m'") => {
                needs_customer()?;
                self.events(60, now, &[On::Allowed], customer, large)
            }
            _ if name.starts_with("formerly('6m'") => self.events(360, now, &[On::Denied], agent, any),
            _ if name.starts_with("previous('2m'") => {
                needs_session()?;
                self.last(120, now, &[On::Allowed], session, large)
            }
            _ if name.starts_with("previous('9m'") => {
                self.last(540, now, &[On::Succeeded, On::Failed], |past| target(past) && agent(past), large)
            }
            _ if name.starts_with("since('5m'") => {
                needs_customer()?;
                self.since(300, now, customer, (On::Allowed, is_refund), (On::Approved, any))
            }
            _ if name.starts_with("since('2m'") => {
                self.since(120, now, target, (On::Allowed, large), (On::Allowed, small))
            }
            _ => panic!("the model does not know {name}"),
        }
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
    /// The ledger's time, and what windows are widened by.
    now: Micros,
    skipped: Span,
}

fn object(members: Vec<(&str, Value)>) -> Object {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl World {
    fn new(bundle: &Bundle) -> Self {
        let (now, skipped) = (Micros(1_700_000_000_000_000), Span::ZERO);
        let (model, open) = (Model::default(), Vec::new());
        Self { bundle: bundle.clone(), meters: Meters::default(), model, open, said: Said::new(), now, skipped }
    }

    fn at(&self) -> Micros {
        self.now.before(self.skipped)
    }

    fn call(&self, plain: &Plain) -> Call {
        let mut context = vec![("o", plain.wish.into())];
        context.extend(plain.customer.map(|customer| ("customer", Value::Number(customer.into()))));
        context.push((
            "amount",
            plain.amount.map_or(Value::Text("much".to_owned()), |amount| Value::Number(amount.into())),
        ));
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
            environment: Environment::production(),
            labels: Vec::new(),
            owner: None,
        };
        let established = Established { workspace: "ws_1".to_owned(), agent, source: None, asserts_subject: true };
        Call::new(asked, established, self.bundle.catalogue(), self.bundle.settings()).unwrap()
    }

    /// Decides a call, compares everything that was read with the model, and takes it into both.
    fn ask(&mut self, plain: Plain, seed: u64) {
        let prepared = prepare(&self.bundle, self.call(&plain), Readings::default());
        let at = self.at();
        let meters = prepared.meter_keys().map(|key| self.meters.read(key, at)).collect();
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
        for charge in decision.charges.iter().filter(|charge| charge.on.is_immediate()) {
            self.meters.put(charge, at);
        }
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
        for charge in charges.iter().filter(|charge| charge.on == on) {
            self.meters.put(charge, at);
        }
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
                let on = if roll == 2 { On::Denied } else { On::Expired };
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
            _ => dice.roll(400_000_000),
        };
        self.now = self.now.after(Span(gap as i64));
        match dice.roll(25) {
            // The wall clock steps forward, and windows are widened by as much.
            0 => {
                let step = Span(dice.roll(7_200_000_000) as i64);
                self.now = self.now.after(step);
                self.skipped = Span(self.skipped.0 + step.0);
            }
            1 => self.skipped = Span::ZERO,
            // A start from a snapshot.
            2 => {
                self.meters.sweep(self.at());
                let bytes = serde_json::to_vec(&self.meters).unwrap();
                self.meters = serde_json::from_slice(&bytes).unwrap();
                assert_eq!(serde_json::to_vec(&self.meters).unwrap(), bytes);
            }
            3 => self.meters.sweep(self.at()),
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
        amount: if dice.roll(12) == 0 { Err(()) } else { Ok(dice.roll(10) as i64) },
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
    assert_eq!(said.len(), 17, "{said:#?}");
    let dull: Vec<_> = said.iter().filter(|(_, counts)| counts[0] < 100 || counts[1] < 100).collect();
    assert!(dull.is_empty(), "counters that hardly ever say anything: {dull:?}");
    assert!(said.values().filter(|counts| counts[2] > 100).count() >= 6, "{said:#?}");
}
