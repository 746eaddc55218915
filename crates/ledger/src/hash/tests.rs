use super::*;

#[test]
fn the_three_hashes_match_the_published_vectors() {
    assert_eq!(empty_root().to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(leaf_hash(b"").to_string(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    assert_eq!(leaf_hash(b"L123456").to_string(), "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
    let (left, right) = (leaf_hash(b""), leaf_hash(&[0x00]));
    assert_eq!(
        node_hash(&left, &right).to_string(),
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    );
}

#[test]
fn a_hash_has_exactly_one_text() {
    let text = leaf_hash(b"").to_string();
    assert_eq!(text.parse(), Ok(leaf_hash(b"")));
    assert_eq!(text.to_uppercase().parse::<Hash>(), Err(HashError));
    assert_eq!(text.trim_start_matches('6').parse::<Hash>(), Err(HashError));
    assert_eq!(format!("{text}00").parse::<Hash>(), Err(HashError));
    assert_eq!(text.replace('6', "g").parse::<Hash>(), Err(HashError));
}
