//! Policies of any size: rules with an action, a target and an amount, as a fleet of tools would have them, and
//! meters that count the measured call.

use anyhow::Result;
use runplane_core::catalogue::Catalogue;
use std::fmt::Write;

/// Types in use beside the measured one.
pub const TYPES: usize = 50;

/// Action types of the catalogue, and whether each has an amount.
fn types() -> Vec<(String, bool)> {
    let catalogue = Catalogue::builtin();
    let has_amount = |name: &str| catalogue.field(name, "amount").is_some();
    catalogue.types().map(|action| (action.name.to_string(), has_amount(&action.name))).take(TYPES).collect()
}

/// A policy document named `bench` of that many rules. `salt` makes it another one, so that it is compiled again.
pub fn policy(rules: usize, salt: usize) -> Result<String> {
    let types = types();
    let mut yaml = String::from(
        "policy: bench\nmeters:\n  refunded: { sum: context.amount, action: process_refund, within: 24h, per: [agent] }\nrules:\n\
         - id: refund-cap\n  action: process_refund\n  decision: BLOCK\n\
         \x20 when: type(context.amount) == number && meters.refunded + context.amount > 1000000000000\n\
         - id: refund-rate\n  action: process_refund\n  decision: ALLOW\n\
         \x20 limit: { count: 1000000000, within: 1m, per: [agent, target], otherwise: BLOCK }\n",
    );
    for rule in 2..rules {
        // A fiftieth of the rules is about the measured action.
        let (action, has_amount) = match types.get(rule % TYPES) {
            Some((name, has_amount)) if rule % TYPES != 0 => (name.as_str(), *has_amount),
            _ => ("process_refund", true),
        };
        // In one line each: 10,000 of them have to fit a policy of 1 MiB.
        write!(yaml, "- {{ id: r{rule}, action: {action}, target: t{salt}-{rule}, decision: REQUIRE_APPROVAL")?;
        if has_amount {
            write!(yaml, ", when: context.amount > {}", 1_000 + rule)?;
        }
        yaml.push_str(" }\n");
    }
    Ok(yaml)
}
