//! A log of everything that the station is told, for [`ocpp_core::station::replay`].

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;

use ocpp_core::station::Output;
use ocpp_core::station::replay::{Digest, Entry};

use crate::error::StartError;

/// The log, if one is kept.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    file: Option<BufWriter<File>>,
    given: Digest,
}

impl Recording {
    /// Begins a log. A file that is there is overwritten; nobody else may read it, because there are secrets in it.
    pub(crate) fn create(path: &Path) -> Result<Self, StartError> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let file = options.open(path).map_err(|error| {
            StartError::Configuration(format!("the log `{}` cannot be written: {error}", path.display()))
        })?;
        Ok(Self { file: Some(BufWriter::new(file)), given: Digest::default() })
    }

    /// Something is done to the station.
    pub(crate) fn entry(&mut self, entry: impl FnOnce() -> Entry) {
        if self.file.is_some() {
            self.write(&entry());
        }
    }

    /// The station wants something.
    pub(crate) fn output(&mut self, output: &Output) {
        if self.file.is_some() {
            self.given.add(output);
        }
    }

    /// The station wants nothing more for now.
    pub(crate) fn outputs_end(&mut self) {
        let given = std::mem::take(&mut self.given);
        if given.count() > 0 {
            self.write(&Entry::Outputs(given));
        }
    }

    /// Each line is written at once: what comes before a crash is what matters.
    fn write(&mut self, entry: &Entry) {
        let Some(file) = &mut self.file else { return };
        if let Err(error) = writeln!(file, "{}", entry.to_line()).and_then(|()| file.flush()) {
            tracing::error!("the log of inputs cannot be written, and ends here: {error}");
            self.file = None;
        }
    }
}
