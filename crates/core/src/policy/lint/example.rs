//! From a cube to a call, and from a call to decisions.
//!
//! What must stay true: an example says only what was decided. A cube that no call can be made of gives no
//! example, never a guess.

mod payload;

use super::cube::{Cube, Place, Slot};
use super::finding::{Asker, Example};
use super::values::{Texts, kinds};
use crate::call::{Agent, Asked, Call, Established};
use crate::catalogue::{Catalogue, Domain, FieldKind};
use crate::decide::{Decision, decide, prepare};
use crate::decimal::Decimal;
use crate::environment::Environment;
use crate::inspect;
use crate::json;
use crate::meter::MeterValue;
use crate::outcome::Outcome;
use crate::policy::condition::ast::{Expr, Fact, Kind};
use crate::policy::rule::Rule;
use crate::policy::{Bundle, RuleId};
use crate::time::Micros;
use crate::value::{Object, Value};

/// A Monday at noon.
const NOW: Micros = Micros(1_767_614_400_000_000);
/// Longest list or text that is made.
const MOST: usize = 300;

/// A call to try, and who asks for it.
#[derive(Clone, Debug)]
pub struct Case {
    pub action: String,
    pub target: String,
    pub context: Object,
    pub environment: Environment,
    pub labels: Vec<String>,
    pub source: Option<String>,
    pub subject: Option<String>,
    pub session: Option<String>,
}

impl Case {
    /// A plain call of a type: what it needs, and nothing else.
    #[must_use]
    pub fn plain(catalogue: &Catalogue, action: &str, target: Option<String>) -> Self {
        let kind = catalogue.get(action);
        let fields = kind.iter().flat_map(|kind| kind.fields.values()).filter(|field| field.required);
        let context = fields.map(|field| (field.name.clone(), Value::from(10i64))).collect();
        let system = match kind.map_or(Domain::Unknown, |kind| kind.definition.domain) {
            Domain::Payments => "stripe",
            Domain::Database => "postgres",
            Domain::Infrastructure => "aws",
            Domain::Communication => "slack",
            Domain::Integrations => "github",
            Domain::Enterprise => "crm",
            Domain::Unknown => "system",
        };
        Self {
            action: action.to_owned(),
            target: target.unwrap_or_else(|| system.to_owned()),
            context,
            environment: Environment::production(),
            labels: Vec::new(),
            source: None,
            subject: None,
            session: None,
        }
    }

    /// A call that fits the cube and that the rule is about, as far as one can be made.
    #[must_use]
    pub fn of(bundle: &Bundle, rule: &Rule, action: Option<&str>, cube: &Cube) -> Self {
        let catalogue = bundle.catalogue();
        let action = action.map_or_else(|| action_for(catalogue, rule, cube), str::to_owned);
        let mut case = Self::plain(catalogue, &action, rule.targets.example());
        case.source = rule.source.as_deref().map(str::to_owned);
        case.labels = labels(rule, cube);
        for place in cube.places() {
            case.fill(catalogue, place);
        }
        for place in cube.places() {
            if let Slot::Size(path) = &place.key.slot {
                case.fill_size(catalogue, place, path);
            }
        }
        payload::fill(&mut case, cube, bundle.settings());
        case
    }

    fn fill(&mut self, catalogue: &Catalogue, place: &Place) {
        match &place.key.slot {
            Slot::Context(path) => {
                let kind = path.first().and_then(|name| catalogue.field(&self.action, name)).map(|field| field.kind);
                let kind = kind.filter(|_| path.len() == 1);
                match sample(place, kind) {
                    Some(value) => put(&mut self.context, path, value),
                    None => remove(&mut self.context, path),
                }
            }
            Slot::Fact(fact) => self.fill_fact(*fact, place),
            _ => {}
        }
    }

    fn fill_fact(&mut self, fact: Fact, place: &Place) {
        let Some(text) = sample_text(place) else { return };
        match fact {
            Fact::Target => self.target = text,
            Fact::Environment | Fact::AgentEnvironment if place.accepts(self.environment.as_str()) => {}
            Fact::Environment | Fact::AgentEnvironment => {
                self.environment = Environment::new(&text).unwrap_or_else(|_| Environment::production());
            }
            Fact::ActionSource => self.source = Some(text),
            Fact::Subject => self.subject = Some(text),
            Fact::Session => self.session = Some(text),
            _ => {}
        }
    }

    fn fill_size(&mut self, catalogue: &Catalogue, place: &Place, path: &[Box<str>]) {
        let size = place.values.numbers.sample(true).and_then(Decimal::to_i64);
        let Some(size) = size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size <= MOST) else { return };
        let kind = path.first().and_then(|name| catalogue.field(&self.action, name)).map(|field| field.kind);
        let value = match kind {
            Some(FieldKind::Text) => Value::from("x".repeat(size)),
            _ => Value::List((1..).take(size).map(Value::from).collect()),
        };
        put(&mut self.context, path, value);
    }

    /// Decides the call at an ordinary moment, without the rules at these places, counters as given.
    #[must_use]
    pub fn decide(&self, bundle: &Bundle, without: &[u32], counter: impl Fn(u32) -> MeterValue) -> Option<Decision> {
        let agent = Agent {
            id: "agt_lint".to_owned(),
            name: "lint".to_owned(),
            environment: self.environment.clone(),
            labels: self.labels.clone(),
            owner: None,
        };
        // Of a subject that is only claimed every condition is in doubt; an example shows what the rule says.
        let established =
            Established { workspace: "ws_lint".to_owned(), agent, source: self.source.clone(), asserts_subject: true };
        let asked = Asked {
            action: self.action.clone(),
            tool: None,
            target: self.target.clone(),
            subject: self.subject.clone(),
            session: self.session.clone(),
            context: self.context.clone(),
        };
        let mut call = Call::new(asked, established, bundle.catalogue(), bundle.settings()).ok()?;
        let readings = inspect::read_all(&mut call, bundle.catalogue(), bundle.settings());
        let mut prepared = prepare(bundle, call, readings);
        prepared.leave_out(without);
        let facts = prepared.supposing(NOW, counter);
        Some(decide(bundle, &prepared, &facts))
    }

    /// The same with nothing counted yet.
    #[must_use]
    pub fn tried(&self, bundle: &Bundle, without: &[u32]) -> Option<Decision> {
        self.decide(bundle, without, |_| MeterValue::Ready(0u64.into()))
    }

    #[must_use]
    pub fn example(&self, outcome: Outcome, without: Outcome, shows: String) -> Example {
        let mut action = Object::new();
        action.insert("type".to_owned(), Value::from(self.action.as_str()));
        action.insert("target".to_owned(), Value::from(self.target.as_str()));
        action.insert("context".to_owned(), Value::Object(self.context.clone()));
        let mut call = Object::from([("action".to_owned(), Value::Object(action))]);
        for (name, text) in [("subject", &self.subject), ("session", &self.session)] {
            if let Some(text) = text {
                call.insert(name.to_owned(), Value::from(text.as_str()));
            }
        }
        let call = serde_json::from_slice(&json::to_canonical(&Value::Object(call))).unwrap_or_default();
        let plain = self.environment.is_production() && self.labels.is_empty() && self.source.is_none();
        let agent = (!plain).then(|| Asker {
            environment: self.environment.to_string(),
            labels: self.labels.clone(),
            source: self.source.clone(),
        });
        Example { call, agent, outcome, without, shows }
    }
}

/// Whether the rule counted as matched.
#[must_use]
pub fn matched(decision: &Decision, rule: &RuleId) -> bool {
    decision.matched.iter().any(|entry| entry.rule == *rule)
}

/// Whether the rule counted as suspected.
#[must_use]
pub fn suspected(decision: &Decision, rule: &RuleId) -> bool {
    decision.suspected.iter().any(|entry| entry.rule == *rule)
}

/// A type that the rule is about, if possible one that has all the members the cube names.
fn action_for(catalogue: &Catalogue, rule: &Rule, cube: &Cube) -> String {
    if let Some(Texts::Only(types)) = cube.get("action.type").map(|place| &place.values.texts)
        && let Some(name) = types.first()
    {
        return name.to_string();
    }
    let named: Vec<&str> = cube
        .places()
        .filter_map(|place| match &place.key.slot {
            Slot::Context(path) | Slot::Size(path) => path.first().map(|name| &**name),
            _ => None,
        })
        .collect();
    let inspectors: Vec<_> = cube
        .places()
        .filter_map(|place| match place.key.slot {
            Slot::Reading(inspector, _) => Some(inspector),
            _ => None,
        })
        .collect();
    let fits = |name: &str| {
        let reads = |kind: &crate::catalogue::Definition| inspectors.iter().all(|read| kind.inspectors.contains(read));
        named.iter().all(|field| catalogue.field(name, field).is_some())
            && catalogue.get(name).is_some_and(|kind| reads(&kind.definition))
    };
    let types: Vec<String> = match rule.actions.types() {
        Some(types) => types.iter().map(ToString::to_string).collect(),
        None => catalogue.types().map(|kind| kind.name.to_string()).collect(),
    };
    let found = types.iter().find(|name| fits(name)).or_else(|| types.first());
    found.cloned().unwrap_or_else(|| "do_something".to_owned())
}

/// The texts that conditions on labels ask for.
fn labels(rule: &Rule, cube: &Cube) -> Vec<String> {
    let asked = cube.places().any(|place| {
        place.key.name.contains("agent.labels")
            && place.values.has_kind(kinds::YES)
            && !place.values.has_kind(kinds::NO)
    });
    let mut labels = Vec::new();
    if asked {
        for condition in rule.conditions() {
            condition.root.walk(&mut |expr: &Expr| {
                let about = matches!(&expr.kind, Kind::Macro(shape) if matches!(shape.over.kind, Kind::Fact(Fact::AgentLabels)))
                    || matches!(&expr.kind, Kind::Binary(_, _, right) if matches!(right.kind, Kind::Fact(Fact::AgentLabels)));
                if about {
                    expr.walk(&mut |inner| {
                        if let Kind::Text(text) = &inner.kind {
                            labels.push(text.to_string());
                        }
                    });
                }
            });
        }
    }
    labels.sort();
    labels.dedup();
    labels
}

/// A value that is left, of the kind that tools send if possible; `None` if it has to be absent.
fn sample(place: &Place, kind: Option<FieldKind>) -> Option<Value> {
    let values = &place.values;
    let number = || values.numbers.sample(place.key.whole).map(Value::Number);
    let text = || sample_text(place).map(Value::from);
    let truth = || {
        let yes = values.has_kind(kinds::YES).then_some(Value::Bool(true));
        yes.or_else(|| values.has_kind(kinds::NO).then_some(Value::Bool(false)))
    };
    let list = || values.has_kind(kinds::LIST).then(|| Value::List(vec![Value::from(1i64)]));
    let map = || values.has_kind(kinds::MAP).then(|| Value::Object(Object::new()));
    let usual = match kind {
        Some(FieldKind::Number) => number(),
        Some(FieldKind::Text) => text(),
        Some(FieldKind::Bool) => truth(),
        Some(FieldKind::List) => list(),
        Some(FieldKind::Object) => map(),
        Some(FieldKind::Any) | None => None,
    };
    let null = || values.has_kind(kinds::NULL).then_some(Value::Null);
    usual
        .or_else(text)
        .or_else(number)
        .or_else(truth)
        .or_else(list)
        .or_else(map)
        .or_else(|| if values.has_kind(kinds::MISSING) { None } else { null() })
}

fn sample_text(place: &Place) -> Option<String> {
    match &place.values.texts {
        Texts::Only(texts) => texts.first().map(ToString::to_string),
        Texts::AllBut(_) => {
            let hints: Vec<&str> = place.hints().collect();
            let usual = ["value", "other", "something else", "USD", "internal"];
            let joined = hints.concat();
            let candidates = usual.into_iter().chain(hints.iter().copied()).chain([joined.as_str()]);
            candidates.into_iter().find(|text| place.accepts(text)).map(str::to_owned)
        }
    }
}

fn put(context: &mut Object, path: &[Box<str>], value: Value) {
    let Some((last, parents)) = path.split_last() else { return };
    let mut object = context;
    for parent in parents {
        let Some(inner) = object.get_or_insert_with(parent, || Value::Object(Object::new())) else { return };
        if !matches!(inner, Value::Object(_)) {
            *inner = Value::Object(Object::new());
        }
        let Value::Object(next) = inner else { return };
        object = next;
    }
    object.insert(&**last, value);
}

fn remove(context: &mut Object, path: &[Box<str>]) {
    let Some((last, parents)) = path.split_last() else { return };
    let mut object = context;
    for parent in parents {
        let Some(Value::Object(next)) = object.get_mut(parent) else { return };
        object = next;
    }
    object.remove(last);
}
