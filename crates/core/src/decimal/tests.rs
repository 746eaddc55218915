use super::*;
use proptest::prelude::*;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn tenths_add_up_exactly() {
    assert_eq!(d("0.1").checked_add(d("0.2")), Ok(d("0.3")));
    assert_eq!(d("500.01").cmp(&d("500")), Ordering::Greater);
    assert_eq!(d("1e2"), d("100.00"));
}

#[test]
fn what_does_not_fit_is_an_error() {
    assert_eq!(d("1e40").checked_add(d("1")), Err(DecimalError::TooLong));
    assert_eq!(d("1").checked_div(d("3")), Err(DecimalError::TooLong));
    assert_eq!(d("1").checked_div(d("0")), Err(DecimalError::DivisionByZero));
    assert_eq!("1".repeat(35).parse::<Decimal>(), Err(DecimalError::TooLong));
    assert_eq!(d("1").checked_div(d("8")), Ok(d("0.125")));
    assert_eq!(d("7.5").checked_rem(d("2")), Ok(d("1.5")));
}

#[test]
fn a_long_product_with_trailing_zeros_still_fits() {
    let twos = Decimal::new(2i128.pow(100), 0).unwrap();
    let fives = Decimal::new(5i128.pow(45), 0).unwrap();
    assert_eq!(twos.checked_mul(fives).unwrap(), Decimal::new(2i128.pow(55), 45).unwrap());
}

#[test]
fn only_json_numbers_are_read() {
    for text in ["", "-", "+1", "01", "1.", ".5", "1e", "0x1", "NaN", "1_000", " 1", "١"] {
        assert_eq!(text.parse::<Decimal>(), Err(DecimalError::Malformed), "{text}");
    }
}

fn number() -> impl Strategy<Value = i128> {
    let most = 10i128.pow(MAX_DIGITS) - 1;
    prop_oneof![-20i128..20, any::<i64>().prop_map(i128::from), -most..=most]
}

proptest! {
    #[test]
    fn display_reads_back(coefficient in any::<i64>(), exponent in -60i32..60) {
        let value = Decimal::new(i128::from(coefficient), exponent).unwrap();
        prop_assert_eq!(value.to_string().parse::<Decimal>(), Ok(value));
    }

    #[test]
    fn arithmetic_agrees_with_integers(a in -1_000_000i64..1_000_000, b in -1_000_000i64..1_000_000) {
        let (x, y) = (Decimal::from(a), Decimal::from(b));
        prop_assert_eq!(x.checked_add(y), Ok(Decimal::from(a + b)));
        prop_assert_eq!(x.checked_sub(y), Ok(Decimal::from(a - b)));
        prop_assert_eq!(x.checked_mul(y), Ok(Decimal::from(a * b)));
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        if b != 0 {
            prop_assert_eq!(x.checked_rem(y), Ok(Decimal::from(a % b)));
        }
    }

    #[test]
    fn the_short_order_is_the_long_one(a in number(), b in number(), e in -40i32..40, f in -40i32..40) {
        if let (Ok(x), Ok(y)) = (Decimal::new(a, e), Decimal::new(b, f)) {
            prop_assert_eq!(x.cmp(&y), x.compare(&y));
            prop_assert_eq!(x.cmp(&x), Ordering::Equal);
        }
    }

    #[test]
    fn order_agrees_with_subtraction(a in any::<i64>(), b in any::<i64>(), e in -9i32..9, f in -9i32..9) {
        let (x, y) = (Decimal::new(i128::from(a), e).unwrap(), Decimal::new(i128::from(b), f).unwrap());
        if let Ok(difference) = x.checked_sub(y) {
            prop_assert_eq!(x.cmp(&y), difference.cmp(&Decimal::ZERO));
        }
    }
}
