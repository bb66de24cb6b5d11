//! Asking before an interrupted run is resumed or rolled back. Its records are in Leases: a user
//! who can write to those can make a run up, and say what it is about.

use std::fmt;
use std::sync::Arc;

use super::error::MoveError;
use super::lock::Holder;
use super::record::Record;

/// A run that was interrupted, for the decision about it.
#[derive(Clone, Debug)]
pub struct Interruption {
    /// The record of the run.
    pub record: Record,
    /// The API server of the cluster that the record is about.
    pub server: String,
    /// The last holder of its lock, if it was not released.
    pub holder: Option<Holder>,
}

/// A question about a run that was interrupted.
type Question = dyn Fn(&Interruption) -> bool + Send + Sync;

/// Decides whether an interrupted run is taken over. Without a question every run is.
#[derive(Clone, Default)]
pub struct TakeOver(Option<Arc<Question>>);

impl TakeOver {
    /// Asks this question before the first write.
    pub fn asking(question: impl Fn(&Interruption) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(question)))
    }

    /// Asks about the run of a record.
    pub(super) fn confirm(
        &self,
        record: &Record,
        server: &str,
        holder: Option<Holder>,
    ) -> Result<(), MoveError> {
        let (record, server) = (record.clone(), server.to_owned());
        let interruption = Interruption { record, server, holder };
        match &self.0 {
            Some(question) if !question(&interruption) => Err(MoveError::NotConfirmed),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for TakeOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "TakeOver(asking)" } else { "TakeOver" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Namespaces;
    use crate::record::Role;

    #[test]
    fn a_run_is_taken_over_only_if_the_answer_is_yes() {
        let record = Record::new("r", Role::Target, &Namespaces::All, "https://a");
        let ask = |answer| TakeOver::asking(move |asked| answer && asked.record.run == "r");
        assert!(ask(true).confirm(&record, "https://b", None).is_ok());
        assert!(matches!(
            ask(false).confirm(&record, "https://b", None),
            Err(MoveError::NotConfirmed)
        ));
        assert!(TakeOver::default().confirm(&record, "https://b", None).is_ok(), "nobody is asked");
    }
}
