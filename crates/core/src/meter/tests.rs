use super::*;
use crate::digest::sha256;
use proptest::prelude::*;

fn key(name: &str, within: Span) -> MeterKey {
    MeterKey { id: sha256(&[name.as_bytes()]), within }
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

const HOUR: Span = Span::seconds(3_600);

#[test]
fn what_was_added_counts_for_the_whole_window_and_at_most_a_step_longer() {
    let (mut meters, key) = (Meters::default(), key("m", HOUR));
    let start = Micros(1_700_000_000_000_000);
    meters.add(key, start, number("12.50"));
    assert_eq!(meters.read(&key, start), number("12.5"));
    assert_eq!(meters.read(&key, start.after(HOUR)), number("12.5"));
    assert_eq!(meters.read(&key, start.after(HOUR).after(Span::seconds(61))), Decimal::ZERO);
}

#[test]
fn given_back_is_gone_but_never_below_zero() {
    let (mut meters, key) = (Meters::default(), key("m", HOUR));
    meters.add(key, Micros(0), number("5"));
    meters.give_back(key, Micros(0), number("7"));
    assert_eq!(meters.read(&key, Micros(0)), Decimal::ZERO);
    meters.give_back(key, Micros(0), number("-7"));
    assert_eq!(meters.read(&key, Micros(0)), Decimal::ZERO);
}

#[test]
fn another_window_is_another_counter() {
    let mut meters = Meters::default();
    meters.add(key("m", HOUR), Micros(0), number("5"));
    assert_eq!(meters.read(&key("m", Span::seconds(60)), Micros(0)), Decimal::ZERO);
}

#[test]
fn a_sum_beyond_34_digits_counts_as_more_never_as_less() {
    let (mut meters, key) = (Meters::default(), key("m", HOUR));
    meters.add(key, Micros(0), number("1e60"));
    meters.add(key, Micros(0), number("0.01"));
    assert!(meters.read(&key, Micros(0)) >= number("1e60").checked_add(number("1e30")).unwrap());
}

#[test]
fn keys_without_anything_that_counts_are_swept() {
    let (mut meters, key) = (Meters::default(), key("m", HOUR));
    meters.add(key, Micros(0), number("1"));
    meters.sweep(Micros(0).after(HOUR));
    assert_eq!(meters.len(), 1);
    meters.sweep(Micros(0).after(HOUR).after(HOUR));
    assert!(meters.is_empty());
}

#[test]
fn a_snapshot_out_of_order_is_refused() {
    let id = sha256(&[b"m"]);
    let text = |steps: &str| format!(r#"[{{"id":"{id}","within":60000000,"steps":{steps}}}]"#);
    assert!(serde_json::from_str::<Meters>(&text(r#"[[1,"2"],[2,"1"]]"#)).is_ok());
    for steps in [r#"[[2,"2"],[1,"1"]]"#, r#"[[1,"-1"]]"#, r#"[[1,"0"]]"#] {
        assert!(serde_json::from_str::<Meters>(&text(steps)).is_err(), "{steps}");
    }
}

proptest! {
    /// Against a list of everything that was added: never less than the exact sliding sum, never more
    /// than the sum over a window one step longer; a snapshot changes nothing.
    #[test]
    fn readings_are_exact_up_to_one_step(
        events in proptest::collection::vec((0i64..20_000_000, 1i64..1_000), 0..80),
        within in 60i64..600,
    ) {
        let span = Span(within * 1_000);
        let (mut meters, key) = (Meters::default(), key("p", span));
        let mut now = Micros(1_700_000_000_000_000);
        let mut log: Vec<(Micros, i64)> = Vec::new();
        for (gap, amount) in events {
            now = now.after(Span(gap % (within * 100)));
            meters.add(key, now, amount.into());
            log.push((now, amount));
            let counted = |length: Span| -> i64 {
                log.iter().filter(|(at, _)| *at > now.before(length)).map(|(_, amount)| amount).sum()
            };
            let read = meters.read(&key, now);
            prop_assert!(read >= counted(span).into());
            prop_assert!(read <= counted(Span(span.0 + span.0 / 60 + 1)).into());
            let copy: Meters = serde_json::from_str(&serde_json::to_string(&meters).unwrap()).unwrap();
            prop_assert_eq!(copy.read(&key, now), read);
            prop_assert!(meters.windows[&key].steps().len() <= 62);
        }
    }
}
