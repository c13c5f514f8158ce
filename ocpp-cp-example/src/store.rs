//! What survives a power cut: the records of the station and the state of its hardware, in one embedded transactional
//! database.
//!
//! A batch is written whole or not at all, and is on the disk when [`Store::commit`] returns.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ocpp_core::station::{Change, Record};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};

const RECORDS: TableDefinition<'static, &str, &str> = TableDefinition::new("records");
/// The name of the database within the folder.
const FILE: &str = "station.redb";

/// Why what the station keeps can't be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder can't be made.
    #[error("the state folder {} cannot be made: {source}; choose another --state", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file can't be opened as a database.
    #[error(
        "{} cannot be opened: {source}; another station may be using it, or it is not a database of ocpp-cp: \
         choose another --state or move it away",
        path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// What the database says.
        source: Box<redb::Error>,
    },
    /// Reading or writing failed.
    #[error("the state of the station cannot be kept: {0}; check the disk")]
    Broken(#[from] Box<redb::Error>),
}

/// Keys and values, on disk or in memory.
#[derive(Debug)]
pub struct Store(Backend);

#[derive(Debug)]
enum Backend {
    Memory(BTreeMap<String, String>),
    Disk(Database),
}

impl Store {
    /// A store that is forgotten with the process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self(Backend::Memory(BTreeMap::new()))
    }

    /// Opens the store of a folder; both are made when they aren't there.
    ///
    /// # Errors
    /// The folder can't be made, the file isn't a database, or another process has it open.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|source| StoreError::Folder { path: folder.to_owned(), source })?;
        let path = folder.join(FILE);
        match Database::create(&path) {
            Ok(database) => Ok(Self(Backend::Disk(database))),
            Err(source) => Err(StoreError::Open { path, source: Box::new(source.into()) }),
        }
    }

    /// Everything in it, in the order of the keys.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn load(&self) -> Result<Vec<Record>, StoreError> {
        match &self.0 {
            Backend::Memory(map) => {
                Ok(map.iter().map(|(key, value)| Record { key: key.clone(), value: value.clone() }).collect())
            }
            Backend::Disk(database) => Ok(load(database).map_err(Box::new)?),
        }
    }

    /// Writes a batch, whole or not at all. It is on the disk when this returns.
    ///
    /// # Errors
    /// The database can't be written; nothing has changed then.
    pub fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        match &mut self.0 {
            Backend::Memory(map) => {
                for change in batch {
                    match change {
                        Change::Put(Record { key, value }) => map.insert(key.clone(), value.clone()),
                        Change::Delete(key) => map.remove(key),
                    };
                }
                Ok(())
            }
            Backend::Disk(database) => Ok(commit(database, batch).map_err(Box::new)?),
        }
    }
}

fn load(database: &Database) -> Result<Vec<Record>, redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(RECORDS) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        table => table?,
    };
    let mut records = Vec::new();
    for entry in table.iter()? {
        let (key, value) = entry?;
        records.push(Record { key: key.value().to_owned(), value: value.value().to_owned() });
    }
    Ok(records)
}

fn commit(database: &Database, batch: &[Change]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(RECORDS)?;
        for change in batch {
            match change {
                Change::Put(Record { key, value }) => table.insert(key.as_str(), value.as_str())?,
                Change::Delete(key) => table.remove(key.as_str())?,
            };
        }
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: &str, value: &str) -> Record {
        Record { key: key.to_owned(), value: value.to_owned() }
    }

    fn put(key: &str, value: &str) -> Change {
        Change::Put(record(key, value))
    }

    fn delete(key: &str) -> Change {
        Change::Delete(key.to_owned())
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ocpp-cp-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn what_was_committed_is_there_after_a_restart_in_the_order_of_the_keys() {
        let folder = folder("restart");
        let mut store = Store::open(&folder).unwrap();
        assert_eq!(store.load().unwrap(), []);
        store.commit(&[put("b", "1"), put("a", "2"), put("c", "3")]).unwrap();
        store.commit(&[delete("b"), put("a", "4"), delete("never")]).unwrap();
        drop(store);
        let records = Store::open(&folder).unwrap().load().unwrap();
        assert_eq!(records, [record("a", "4"), record("c", "3")]);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn memory_and_disk_keep_the_same() {
        let folder = folder("same");
        let mut disk = Store::open(&folder).unwrap();
        let mut memory = Store::in_memory();
        for batch in [vec![put("x", "1"), put("y", "2")], vec![delete("x")], vec![], vec![put("y", ""), put("z", "é")]]
        {
            disk.commit(&batch).unwrap();
            memory.commit(&batch).unwrap();
            assert_eq!(disk.load().unwrap(), memory.load().unwrap());
        }
        drop(disk);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_file_that_is_no_database_and_one_in_use_are_refused_with_advice() {
        let folder = folder("foreign");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(FILE), "not a database, but long enough to be looked at".repeat(400)).unwrap();
        let error = Store::open(&folder).unwrap_err().to_string();
        assert!(error.contains("--state"), "{error}");
        std::fs::remove_file(folder.join(FILE)).unwrap();
        let _open = Store::open(&folder).unwrap();
        assert!(matches!(Store::open(&folder), Err(StoreError::Open { .. })));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
