//! One SQLite file: a writer connection behind a mutex and a few readers.
//!
//! Readers see the last commit and never wait for the writer (WAL). A writer connection that failed in a
//! way that leaves its state in doubt is thrown away and opened again at the next use.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, MappedMutexGuard, Mutex, MutexGuard};
use rusqlite::{Connection, OpenFlags};

use super::errors::unavailable;
use crate::error::StoreError;

const BUSY: Duration = Duration::from_secs(5);

/// What a lost power supply may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// Nothing that was committed.
    Full,
    /// The last commits, never consistency: for what can be derived again.
    Derived,
}

pub(super) struct Database {
    path: PathBuf,
    durability: Durability,
    max_pages: Option<u32>,
    /// Before the writer, so that they are closed first: the last to close tidies up, which readers cannot.
    readers: Mutex<Readers>,
    writer: Mutex<Option<Connection>>,
    /// The writer failed in a way that leaves its state in doubt.
    doubtful: AtomicBool,
    returned: Condvar,
    most_readers: usize,
}

struct Readers {
    idle: Vec<Connection>,
    open: usize,
}

impl Database {
    pub(super) fn new(path: PathBuf, durability: Durability, max_pages: Option<u32>, most_readers: usize) -> Self {
        Self {
            path,
            durability,
            max_pages,
            writer: Mutex::new(None),
            doubtful: AtomicBool::new(false),
            readers: Mutex::new(Readers { idle: Vec::new(), open: 0 }),
            returned: Condvar::new(),
            most_readers: most_readers.max(1),
        }
    }

    /// The writer, opened if it is not.
    pub(super) fn writer(&self) -> Result<MappedMutexGuard<'_, Connection>, StoreError> {
        self.opened(self.writer.lock())
    }

    /// The writer if it becomes free in time.
    pub(super) fn writer_within(&self, patience: Duration) -> Result<MappedMutexGuard<'_, Connection>, StoreError> {
        let guard = self.writer.try_lock_for(patience);
        self.opened(guard.ok_or_else(|| StoreError::Unavailable("the writer is stuck".into()))?)
    }

    fn opened<'a>(
        &self,
        mut guard: MutexGuard<'a, Option<Connection>>,
    ) -> Result<MappedMutexGuard<'a, Connection>, StoreError> {
        // A connection still inside a transaction is one whose rollback failed.
        if self.doubtful.swap(false, Ordering::AcqRel) || guard.as_ref().is_some_and(|writer| !writer.is_autocommit()) {
            *guard = None;
        }
        if guard.is_none() {
            *guard = Some(self.open_writer().map_err(unavailable)?);
        }
        MutexGuard::try_map(guard, Option::as_mut).map_err(|_| StoreError::Unavailable("no connection".into()))
    }

    /// Has the writer thrown away before its next use. To be called while it is still held.
    pub(super) fn doubt_writer(&self) {
        self.doubtful.store(true, Ordering::Release);
    }

    /// A reader; waits while all are in use.
    pub(super) fn reader(&self) -> Result<Reader<'_>, StoreError> {
        let mut readers = self.readers.lock();
        loop {
            if let Some(connection) = readers.idle.pop() {
                return Ok(Reader { database: self, connection: Some(connection) });
            }
            if readers.open < self.most_readers {
                break;
            }
            self.returned.wait(&mut readers);
        }
        readers.open += 1;
        drop(readers);
        // From here on the place is given back by the reader's drop, opened or not.
        let mut reader = Reader { database: self, connection: None };
        reader.connection = Some(self.open_reader().map_err(unavailable)?);
        Ok(reader)
    }

    fn open_writer(&self) -> rusqlite::Result<Connection> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        if mode != "wal" {
            return Err(rusqlite::Error::InvalidParameterName(format!("journal mode is `{mode}`, not WAL")));
        }
        connection.pragma_update(None, "foreign_keys", true)?;
        match self.durability {
            Durability::Full => {
                connection.pragma_update(None, "synchronous", "FULL")?;
                // On macOS an ordinary fsync does not reach the disk; elsewhere this is nothing.
                connection.pragma_update(None, "fullfsync", true)?;
                // Copying the log back inside a commit is what makes commits slow now and then.
                connection.pragma_update(None, "wal_autocheckpoint", 0)?;
                // Erased payloads are overwritten, not only unlinked.
                connection.pragma_update(None, "secure_delete", true)?;
                // What is written goes to the ends of a few trees. Pages beyond those only push each other out of the
                // processor's own cache.
                connection.pragma_update(None, "cache_size", -4_096)?;
            }
            Durability::Derived => connection.pragma_update(None, "synchronous", "NORMAL")?,
        }
        if let Some(pages) = self.max_pages {
            connection.pragma_update(None, "max_page_count", pages)?;
        }
        Ok(connection)
    }

    fn open_reader(&self) -> rusqlite::Result<Connection> {
        self.connect(OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    /// A connection for copying the log back, which is neither the writer nor a reader.
    pub(super) fn open_copier(&self) -> rusqlite::Result<Connection> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "checkpoint_fullfsync", true)?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        Ok(connection)
    }

    fn connect(&self, access: OpenFlags) -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(&self.path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    }
}

/// A reader connection on loan.
pub(super) struct Reader<'a> {
    database: &'a Database,
    /// Absent only while it is being opened.
    connection: Option<Connection>,
}

impl Reader<'_> {
    /// Runs `read` in one transaction, so that all of it sees the same commit.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let Some(connection) = &self.connection else {
            return Err(StoreError::Unavailable("no connection".into()));
        };
        let tx = connection.unchecked_transaction().map_err(unavailable)?;
        read(tx.deref()).map_err(unavailable)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut readers = self.database.readers.lock();
        match self.connection.take() {
            Some(connection) => readers.idle.push(connection),
            None => readers.open = readers.open.saturating_sub(1),
        }
        drop(readers);
        self.database.returned.notify_one();
    }
}
