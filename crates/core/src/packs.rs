//! The shipped policy packs, embedded with their comments so that they can be shown and copied.

/// A shipped policy document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pack {
    /// The policy's name, as in its first line.
    pub name: &'static str,
    /// File name, for messages.
    pub file: &'static str,
    pub source: &'static str,
}

macro_rules! pack {
    ($name:literal) => {
        Pack {
            name: $name,
            file: concat!($name, ".yaml"),
            source: include_str!(concat!("../../../packs/", $name, ".yaml")),
        }
    };
}

/// All packs; `init` publishes every one of them.
pub const ALL: [Pack; 7] = [
    pack!("baseline"),
    pack!("payments"),
    pack!("database"),
    pack!("infrastructure"),
    pack!("communication"),
    pack!("integrations"),
    pack!("enterprise"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pack_is_named_as_its_file() {
        for pack in ALL {
            assert!(pack.source.contains(&format!("\npolicy: {}\n", pack.name)), "{}", pack.file);
        }
    }
}
