//! Somebody with access to the database who changes what must not change, whichever database it is.

use crate::harness::Server;
use runplane_store::fault::tamper::Tamper;
use runplane_store::postgres::testing::Database;

pub enum Stranger<'s> {
    Embedded(Box<Tamper>),
    Shared(&'s Database),
}

impl<'s> Stranger<'s> {
    pub fn of(server: &'s Server) -> Self {
        match server.database() {
            Some(database) => Self::Shared(database),
            None => Self::Embedded(Box::new(Tamper::open(&server.app.options.place.data).unwrap())),
        }
    }

    /// Flips one bit of the entry's bytes.
    pub fn flip_entry_bit(&mut self, workspace: &str, index: i64, at: usize) {
        match self {
            Self::Embedded(tamper) => tamper.flip_entry_bit(workspace, index, at).unwrap(),
            Self::Shared(database) => {
                let flipped = format!("set_byte(bytes, {at}, get_byte(bytes, {at}) # 1)");
                change(database, workspace, index, &format!("bytes = {flipped}"));
            }
        }
    }

    pub fn replace_leaf_hash(&mut self, workspace: &str, index: i64, hash: [u8; 32]) {
        match self {
            Self::Embedded(tamper) => tamper.replace_leaf_hash(workspace, index, hash).unwrap(),
            Self::Shared(database) => {
                let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                change(database, workspace, index, &format!("leaf_hash = '\\x{hex}'"));
            }
        }
    }

    /// Each takes the other's index.
    pub fn swap_entries(&mut self, workspace: &str, one: i64, other: i64) {
        match self {
            Self::Embedded(tamper) => tamper.swap_entries(workspace, one, other).unwrap(),
            Self::Shared(database) => {
                change(database, workspace, one, "entry_index = -1");
                change(database, workspace, other, &format!("entry_index = {one}"));
                change(database, workspace, -1, &format!("entry_index = {other}"));
            }
        }
    }

    pub fn remove_entry(&mut self, workspace: &str, index: i64) {
        match self {
            Self::Embedded(tamper) => tamper.remove_entry(workspace, index).unwrap(),
            Self::Shared(database) => {
                database.unpack_entries();
                let gone = format!("DELETE FROM runplane.entries {} RETURNING 'done'", place(workspace, index));
                assert_eq!(database.execute(&gone).as_deref(), Some("done"), "there is no such entry");
            }
        }
    }
}

fn change(database: &Database, workspace: &str, index: i64, set: &str) {
    database.unpack_entries();
    let sql = format!("UPDATE runplane.entries SET {set} {} RETURNING 'done'", place(workspace, index));
    assert_eq!(database.execute(&sql).as_deref(), Some("done"), "there is no such entry");
}

fn place(workspace: &str, index: i64) -> String {
    format!(
        "WHERE entry_index = {index} AND workspace = (SELECT number FROM runplane.workspaces WHERE id = '{workspace}')"
    )
}
