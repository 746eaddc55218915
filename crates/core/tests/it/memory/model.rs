//! What happened, as one list, and each question answered by looking through it.

use runplane_core::meter::On;
use runplane_core::time::{Micros, Span};

/// What a call is, as the model sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plain {
    pub agent: u64,
    pub target: u64,
    pub session: Option<u64>,
    pub subject: Option<u64>,
    pub refund: bool,
    /// `None` is missing.
    pub customer: Option<u64>,
    pub payer: Option<u64>,
    pub source: Option<u64>,
    pub environment: u64,
    /// `Err` is no number.
    pub amount: Result<i64, ()>,
    pub wish: &'static str,
}

/// One thing that happened, at a moment of the windows' clock.
#[derive(Clone, Debug)]
pub struct Happened {
    pub call: usize,
    pub on: On,
    pub at: Micros,
}

#[derive(Default)]
pub struct Model {
    pub calls: Vec<Plain>,
    pub log: Vec<Happened>,
    /// By call: when it began to count as used, and whether its share of everything, or of what refunds, is back.
    pub used: Vec<Option<(Micros, bool, bool)>>,
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
    pub fn answer(&self, name: &str, now: Micros, own: &Plain) -> Option<i64> {
        let agent = |past: &Plain| past.agent == own.agent;
        let target = |past: &Plain| past.target == own.target;
        let same = |left: Option<u64>, right: Option<u64>| left.is_some() && left == right;
        let customer = |past: &Plain| same(past.customer, own.customer);
        let session = |past: &Plain| same(past.session, own.session);
        let is_refund: Judge = |past| Some(past.refund);
        let needs_customer = || own.customer.map(|_| ());
        let needs_session = || own.session.map(|_| ());
        let source = |past: &Plain| same(past.source, own.source);
        let subject = |past: &Plain| same(past.subject, own.subject);
        let place = |past: &Plain| past.environment == own.environment;
        let paid_by = |past: &Plain| same(past.customer, own.payer);
        let needs_payer = || own.payer.map(|_| ());
        let needs_source = || own.source.map(|_| ());
        let needs_subject = || own.subject.map(|_| ());
        let one = |_: &Plain| 1;
        // What is less than nothing, or no number, is held, and adds nothing.
        let adds = |past: &Plain| past.amount.is_ok_and(|amount| amount >= 0);
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
                |past| past.customer == own.customer && adds(past),
                |past| past.amount.unwrap_or(0),
            )),
            "refunded" => {
                Some(self.metered(420, now, true, |past| past.subject == own.subject && past.refund == own.refund, one))
            }
            "by_source" => Some(self.metered(1, now, false, |past| past.source == own.source, one)),
            "by_place" => {
                Some(self.metered(31 * 86_400, now, false, |past| place(past) && past.refund == own.refund, one))
            }
            "by_payer" => Some(self.metered(
                480,
                now,
                false,
                |past| past.payer == own.payer && past.source == own.source && past.refund && adds(past),
                |past| past.amount.unwrap_or(0),
            )),
            "limit of limit" => Some(self.metered(90, now, false, place, one)),
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
            _ if name.starts_with("sum('4m'") => {
                Some(self.metered(240, now, false, |past| target(past) && adds(past), |past| past.amount.unwrap_or(0)))
            }
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
            _ if name.starts_with("count('8m'") => {
                needs_subject()?;
                self.used_events(480, now, subject, any)
            }
            _ if name.starts_with("count('31d'") => self.events(31 * 86_400, now, &[On::Cancelled], place, any),
            _ if name.starts_with("count('1s'") => self.used_events(1, now, |past| past.refund == own.refund, any),
            _ if name.starts_with("count('13m'") => {
                needs_source()?;
                self.used_events(780, now, source, any)
            }
            _ if name.starts_with("count('14m'") => {
                needs_payer()?;
                self.used_events(840, now, paid_by, any)
            }
            _ if name.starts_with("sum('10m'") => {
                Some(self.metered(600, now, false, |past| agent(past) && adds(past), |past| past.amount.unwrap_or(0)))
            }
            _ if name.starts_with("formerly('31d'") => {
                needs_payer()?;
                self.events(31 * 86_400, now, &[On::Denied], paid_by, any)
            }
            _ if name.starts_with("previous('1s'") => {
                needs_source()?;
                self.last(1, now, &[On::Allowed], source, large)
            }
            _ if name.starts_with("since('31d'") => {
                needs_subject()?;
                self.since(31 * 86_400, now, subject, (On::Failed, any), (On::Succeeded, any))
            }
            _ => panic!("the model does not know {name}"),
        }
    }
}
