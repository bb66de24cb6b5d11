//! Aborting a run: removes what it has created and what holds nothing.
//!
//! The bootstrap cluster decides, whenever it answers. Plugins, manifests and secrets are not
//! needed: they may be gone by now.

use std::path::PathBuf;

use cluster::Client;
use support::visible::one_line;
use tools::Toolbox;
use transfer::{self, Phase, Record};

use super::document::{Bootstrap, KeptBootstrap};
use super::error::{StepError, WorkflowError};
use super::order::Step;
use super::steps::{clusters_left, is_begun, left};
use super::store::{RunFolder, StoreError};
use super::support::claim::{self, Claim};
use super::support::clusters;
use super::support::kind::Kind;
use super::support::mark;

/// File of the folder of a run: an abort has begun to remove its kind cluster.
const ABORTING: &str = "bootstrap.aborting";

/// The clusters and files that an abort would remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftovers {
    /// Name of the run.
    pub name: String,
    /// The kind cluster of the run, if it is there.
    pub kind_cluster: Option<String>,
    /// Folder of the run.
    pub folder: PathBuf,
    /// Things that stay and that the user may want to know of.
    pub notes: Vec<String>,
}

/// A run that is to be aborted.
#[derive(Debug)]
pub struct Abort {
    folder: RunFolder,
    bootstrap: KeptBootstrap,
    toolbox: Toolbox,
}

/// The state of a bootstrap cluster.
enum State {
    Gone,
    Silent,
    Answers(Client),
}

impl Abort {
    /// Takes the folder of a run.
    ///
    /// # Errors
    /// There is no such run, or another process has it.
    pub fn open(name: &str, toolbox: Toolbox) -> Result<Self, StoreError> {
        let folder = RunFolder::open(name)?;
        let bootstrap = folder.bootstrap()?;
        Ok(Self { folder, bootstrap, toolbox })
    }

    /// Forgets a run of which nobody can find out any more: its folder goes, and nothing else.
    ///
    /// # Errors
    /// There is no such run, another process has it, or the folder cannot be removed.
    pub fn forget(name: &str) -> Result<(), StoreError> {
        RunFolder::open(name)?.remove()
    }

    /// Returns true if an abort of the run was interrupted.
    pub(super) fn is_begun(folder: &RunFolder) -> bool {
        folder.file(ABORTING).exists()
    }

    /// Returns the leftovers of the run. Changes nothing.
    ///
    /// # Errors
    /// The bootstrap cluster holds Clusters or half of a move, or it is not known whether it does.
    pub async fn leftovers(&self) -> Result<Leftovers, WorkflowError> {
        let looked = match self.bootstrap.bootstrap {
            Bootstrap::Kind => self.look_at_kind().await,
            Bootstrap::Existing => self.look_at_existing().await,
        };
        looked.map_err(|source| self.failed(source, false))
    }

    /// Removes them, and forgets the run.
    ///
    /// # Errors
    /// They have changed meanwhile, or a program or request fails; an abort can be repeated.
    pub async fn remove(self, leftovers: &Leftovers) -> Result<(), WorkflowError> {
        // The user may have taken long for the answer.
        if self.leftovers().await? != *leftovers {
            let what = "the run has changed since the question was asked";
            let changed = StepError::refused(what, "run the command again");
            return Err(self.failed(changed, false));
        }
        self.clean(leftovers).await.map_err(|source| self.failed(source, true))?;
        self.folder.remove()?;
        Ok(())
    }

    async fn clean(&self, leftovers: &Leftovers) -> Result<(), StepError> {
        if let Some(name) = &leftovers.kind_cluster {
            self.folder.write(ABORTING, name)?;
            self.kind().await?.delete(name, &self.folder.file("bootstrap.kubeconfig")).await?;
        }
        if self.bootstrap.bootstrap == Bootstrap::Existing
            && let State::Answers(cluster) = self.existing().await?
        {
            mark::remove(&cluster, self.folder.name()).await?;
        }
        Ok(())
    }

    async fn look_at_kind(&self) -> Result<Leftovers, StepError> {
        let name = &self.bootstrap.name;
        match self.kind_cluster().await? {
            State::Gone if self.may_have_lost_a_cluster()? => Err(self.lost("is gone")),
            State::Gone => Ok(self.nothing()),
            State::Silent if !claim::is_staked(&self.folder) => Ok(self.stays()),
            State::Silent if Self::is_begun(&self.folder) => Ok(self.deletes()),
            State::Silent if self.folder.state()?.may_have_applied() => {
                Err(self.lost("does not answer"))
            }
            // Nothing was ever put into it.
            State::Silent => Ok(self.deletes()),
            State::Answers(cluster) => {
                match claim::of(&cluster, &self.folder, self.folder.name()).await? {
                    Claim::Foreign if self.may_have_lost_a_cluster()? => {
                        Err(self.lost("is not the one of this run any more"))
                    }
                    Claim::Foreign => Ok(self.stays()),
                    Claim::Marked(_) | Claim::Unfinished => {
                        self.refuse_if_used(&cluster, clusters_left(&cluster).await?).await?;
                        Ok(Leftovers { kind_cluster: Some(name.clone()), ..self.nothing() })
                    }
                }
            }
        }
    }

    async fn look_at_existing(&self) -> Result<Leftovers, StepError> {
        let has_applied = self.may_have_lost_a_cluster()?;
        match self.existing().await? {
            State::Answers(cluster) => {
                match mark::read(&cluster, self.folder.name()).await? {
                    Some(mark) if mark.applied || has_applied => {
                        self.refuse_if_used(&cluster, self.own_cluster(&cluster).await?).await?;
                    }
                    None if has_applied => {
                        return Err(self.lost("is not the one of this run any more"));
                    }
                    // The run has put nothing there, or has come to its end.
                    _ => {}
                }
                Ok(self.nothing())
            }
            State::Gone | State::Silent if has_applied => Err(self.lost("does not answer")),
            State::Gone | State::Silent => Ok(Leftovers {
                notes: vec![format!(
                    "the bootstrap cluster does not answer; it may keep the ConfigMap of the run, \
                     {}",
                    mark::place(self.folder.name())
                )],
                ..self.nothing()
            }),
        }
    }

    /// Fails if the cluster holds Clusters, or the half of a move.
    async fn refuse_if_used(&self, cluster: &Client, held: Vec<String>) -> Result<(), StepError> {
        let resume = format!("`kubectl pivot resume {}`", self.folder.name());
        let found = transfer::find(cluster, cluster).await.map_err(StepError::Phase)?;
        // Whatever of a half-moved cluster is deleted here is lost to the other half.
        if let Some(record) = left::record_of(&found) {
            return Err(StepError::refused(
                format!(
                    "the {} {} has left {} in the bootstrap cluster `{}`, paused, as the way back",
                    record.operation,
                    one_line(&record.run),
                    held.join(", "),
                    self.shown()
                ),
                format!(
                    "{resume} verifies the target and deletes the bootstrap cluster; `kubectl \
                     pivot rollback` goes back"
                ),
            ));
        }
        if let Some(half) = found.record().filter(|record| record.phase != Phase::Finished) {
            return Err(StepError::refused(
                self.half(half),
                format!("finish it first, with {resume}"),
            ));
        }
        if held.is_empty() {
            return Ok(());
        }
        Err(StepError::refused(
            format!("the bootstrap cluster `{}` holds {}", self.shown(), held.join(", ")),
            format!(
                "delete them first, so that their machines go too (kubectl delete cluster), or \
                 continue the run with {resume}"
            ),
        ))
    }

    fn half(&self, record: &Record) -> String {
        format!(
            "the {} {} in the bootstrap cluster `{}`, begun {}, was interrupted while it was {}",
            record.operation,
            one_line(&record.run),
            self.shown(),
            one_line(&record.started),
            record.phase
        )
    }

    async fn own_cluster(&self, cluster: &Client) -> Result<Vec<String>, StepError> {
        let Some(kind) = clusters::kind(cluster).await? else { return Ok(Vec::new()) };
        let namespace = Some(self.bootstrap.namespace.as_str());
        let found = cluster.get(&kind, namespace, self.folder.name()).await?;
        Ok(found.iter().map(|object| object.id().to_string()).collect())
    }

    /// Returns true if machines may exist that only the bootstrap cluster knows.
    fn may_have_lost_a_cluster(&self) -> Result<bool, StepError> {
        let state = self.folder.state()?;
        let has_moved = state.of(Step::Move).is_done() || state.is_finished();
        Ok(state.may_have_applied() && !has_moved && !self.is_being_deleted())
    }

    /// Returns true if the kind cluster was found empty before, and its deletion was started.
    fn is_being_deleted(&self) -> bool {
        is_begun(&self.folder) || Self::is_begun(&self.folder)
    }

    fn lost(&self, what: &str) -> StepError {
        let (name, shown) = (self.folder.name(), self.shown());
        let return_it = match self.bootstrap.bootstrap {
            Bootstrap::Kind => {
                format!("if it has stopped, start it (docker start {shown}-control-plane)")
            }
            Bootstrap::Existing => {
                "make its kubeconfig lead to the cluster that the run began with".to_owned()
            }
        };
        StepError::refused(
            format!(
                "the bootstrap cluster `{shown}` {what}, and the cluster `{name}` was applied to it"
            ),
            format!(
                "{return_it} and abort again; if it is lost, remove the machines of `{name}` by \
                 hand, then `kubectl pivot abort {name} --forget`"
            ),
        )
    }

    fn nothing(&self) -> Leftovers {
        Leftovers {
            name: self.folder.name().to_owned(),
            kind_cluster: None,
            folder: self.folder.file(""),
            notes: Vec::new(),
        }
    }

    fn deletes(&self) -> Leftovers {
        Leftovers { kind_cluster: Some(self.bootstrap.name.clone()), ..self.nothing() }
    }

    fn stays(&self) -> Leftovers {
        let name = &self.bootstrap.name;
        let note = format!("the kind cluster {name} does not have the mark of the run, and stays");
        Leftovers { notes: vec![note], ..self.nothing() }
    }

    fn shown(&self) -> String {
        match &self.bootstrap.kubeconfig {
            Some(path) => path.display().to_string(),
            None => self.bootstrap.name.clone(),
        }
    }

    async fn kind_cluster(&self) -> Result<State, StepError> {
        let name = &self.bootstrap.name;
        let kind = self.kind().await?;
        if !kind.has(name).await? {
            return Ok(State::Gone);
        }
        let Some(kubeconfig) = kind.kubeconfig(name).await? else { return Ok(State::Silent) };
        self.ask(&self.folder.write("bootstrap.kubeconfig", kubeconfig)?).await
    }

    async fn existing(&self) -> Result<State, StepError> {
        match &self.bootstrap.kubeconfig {
            Some(path) if path.exists() => self.ask(path).await,
            _ => Ok(State::Gone),
        }
    }

    async fn ask(&self, kubeconfig: &std::path::Path) -> Result<State, StepError> {
        let Ok(client) = claim::client(kubeconfig).await else { return Ok(State::Silent) };
        let answer = clusters::ready(&client).await;
        Ok(if answer.is_ok() { State::Answers(client) } else { State::Silent })
    }

    async fn kind(&self) -> Result<Kind<'_>, StepError> {
        Kind::find(&self.toolbox, &self.folder, Step::DeleteBootstrap).await
    }

    fn failed(&self, source: StepError, is_begun: bool) -> WorkflowError {
        let name = self.folder.name().to_owned();
        WorkflowError::Abort { name, is_begun, source: Box::new(source) }
    }
}
